/** Makes elements. Children are nodes or text; text stays text. */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | null>} attributes
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The one element below `root` that the page promises to have. @template {Element} E @returns {E} */
export function part(/** @type {ParentNode} */ root, /** @type {string} */ selector, /** @type {new () => E} */ type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Add a style sheet; the promise ends when it applies, or can't be loaded. */
export function addStyles(/** @type {string} */ file) {
  const link = element("link", { rel: "stylesheet", href: new URL(file, import.meta.url).href });
  return new Promise((done) => {
    link.onload = link.onerror = done;
    document.head.append(link);
  });
}

/** A copy of a template of index.html. @returns {DocumentFragment} */
export function copy(/** @type {string} */ id) {
  return /** @type {DocumentFragment} */ (
    part(document, `template#${id}`, HTMLTemplateElement).content.cloneNode(true)
  );
}
