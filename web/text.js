/** A message as pieces: text, `code`, fenced blocks, links, *emphasis*, mentions. Pure: never a string of HTML. */

const BLOCK = /```(?:[\w+-]*\n)?([\s\S]*?)\n?```\n?/;
const STOP = '\\s<>"\\p{Bidi_C}、。，．！？：；（）［］｛｝「」『』【】《》〈〉“”‘’';
/** With a scheme or www: readme.md is a file, though .md is a country. */
const WEB = `(?<![a-z0-9])(?:https?:\\/\\/|www\\.|mailto:)[^${STOP}]+`;
const MAIL = /(?<![\w.+-])[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/.source;
const LINK = new RegExp(`(${WEB}|${MAIL})`, "iu");
const CODE = /`([^`\n]+)`/;
const EMPHASIS = /(?<![\p{L}\p{N}*])\*(?![\s*])([^*\n]*[^*\s])\*(?![\p{L}\p{N}*])/u;
const MENTION = /(?<![\p{L}\p{N}@/.])@([\p{L}\p{N}_][\p{L}\p{N}\p{M}_-]*)/u;
const INLINE = new RegExp([CODE, LINK, EMPHASIS, MENTION].map(({ source }) => source).join("|"), "iu");
/** More combining marks than any script needs would cover the lines above. */
const PILE = /(\p{M}{8})\p{M}+/gu;

/** @returns {Piece[]} */
export function pieces(/** @type {string} */ message) {
  return split(message.replace(PILE, "$1"), BLOCK, (found) => ({ kind: "block", text: found[1] ?? "" }), inline);
}

/** @returns {Piece[]} */
function inline(/** @type {string} */ text) {
  return split(text, INLINE, inlinePiece, (rest) => [{ kind: "text", text: rest }]);
}

/** The links in a text that has nothing else. @returns {Piece[]} */
export function links(/** @type {string} */ text) {
  return split(
    text,
    LINK,
    ([, link = ""]) => linkPieces(link),
    (rest) => [{ kind: "text", text: rest }],
  );
}

/** @returns {Piece | Piece[]} */
function inlinePiece(/** @type {RegExpExecArray} */ [, code, link, emphasis, mention]) {
  if (code !== undefined) return { kind: "code", text: code };
  if (link !== undefined) return linkPieces(link);
  if (emphasis !== undefined) return { kind: "emphasis", text: emphasis };
  return { kind: "mention", text: `@${mention}` };
}

/** @returns {Piece[]} */
function linkPieces(/** @type {string} */ found) {
  const link = address(found);
  if (!link) return [{ kind: "text", text: found }];
  return [{ kind: "link", ...link }, ...inline(found.slice(link.text.length))];
}

/**
 * @param {string} text @param {RegExp} pattern
 * @param {(found: RegExpExecArray) => Piece | Piece[]} match @param {(between: string) => Piece[]} between
 */
function split(text, pattern, match, between) {
  const result = [];
  const all = new RegExp(pattern, `${pattern.flags}g`);
  let at = 0;
  for (let found = all.exec(text); found; found = all.exec(text)) {
    if (found.index > at) result.push(...between(text.slice(at, found.index)));
    result.push(...[match(found)].flat());
    at = found.index + found[0].length;
  }
  if (at < text.length) result.push(...between(text.slice(at)));
  return result;
}

const count = (/** @type {string} */ text, /** @type {string} */ sign) => text.split(sign).length;

/** The address without the punctuation around it, and where it leads; null if nowhere. */
function address(/** @type {string} */ found) {
  const spare = [..."([{"].map((open, at) => count(found, ")]}"[at] ?? "") - count(found, open));
  let end = found.length;
  for (; end; end--) {
    const bracket = ")]}".indexOf(found[end - 1] ?? "");
    if ((spare[bracket] ?? 0) > 0) spare[bracket] = (spare[bracket] ?? 0) - 1;
    else if (!/[.,:;!?'…]/.test(found[end - 1] ?? "")) break;
  }
  const text = found.slice(0, end);
  const href = /^(https?:|mailto:)/i.test(text) ? text : `${text.includes("@") ? "mailto:" : "https://"}${text}`;
  return text !== "www" && URL.canParse(href) ? { text, href } : null;
}

/** Does the message call this person? Names may have blanks: search for the whole name. */
export function mentions(/** @type {string} */ message, /** @type {string} */ name) {
  if (!name) return false;
  const text = message.normalize("NFKC").toLowerCase();
  const wanted = `@${name.normalize("NFKC").toLowerCase()}`;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const [before, after] = [text.slice(0, at), text.slice(at + wanted.length)];
    if (!/[\p{L}\p{N}]$/u.test(before) && !/^[\p{L}\p{N}_]/u.test(after)) return true;
  }
  return false;
}
