/** Turns the addresses in a message's plain text into links. Loaded with the first message that may hold one. */
import { element } from "./dom.js";
import { find } from "./vendor/linkify.js";

/** Only what is written as an address: readme.md and main.py are file names, though .md and .py are countries. */
const WRITTEN = /^(https?:\/\/|www\.|mailto:)/i;
const SAFE = /^(https?|mailto):/i;

/** Replace the addresses in the texts below `root`, but not in code. */
export function link(/** @type {Element} */ root) {
  for (const node of plainTexts(root)) linkText(node);
}

/** @returns {Text[]} */
function plainTexts(/** @type {Element} */ root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = /** @type {Text} */ (walker.currentNode);
    if (!node.parentElement?.closest("code, a")) found.push(node);
  }
  return found;
}

function linkText(/** @type {Text} */ node) {
  const parts = [];
  let at = 0;
  for (const { start, end, href, value, type } of find(node.data, { defaultProtocol: "https" })) {
    const wanted = (type === "email" || WRITTEN.test(value)) && SAFE.test(href) && URL.canParse(href);
    if (!wanted) continue;
    parts.push(
      node.data.slice(at, start),
      element("a", { href, rel: "noopener noreferrer nofollow", target: "_blank" }, value),
    );
    at = end;
  }
  if (at) node.replaceWith(...parts, node.data.slice(at));
}
