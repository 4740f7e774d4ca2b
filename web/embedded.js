/** The room as a part of another site's page: without the way home, in its colours, under the name that it gives. */
import { isName } from "./names.js";
import { addStyles } from "./dom.js";

/** `theme`: light or dark. `name`: whoever changed it in this tab keeps that. */
export function prepare(/** @type {URLSearchParams} */ query, /** @type {Store} */ tab) {
  document.documentElement.classList.add("embedded");
  addStyles("embedded.css");
  const theme = query.get("theme");
  if (theme === "light" || theme === "dark") paint(theme);
  const name = query.get("name")?.trim() ?? "";
  if (window.top !== window && isName(name) && tab.get("name") === null) tab.set("name", name);
}

/** As if the reader's system were set so: the rules for a dark system hold always, or never. */
function paint(/** @type {"light" | "dark"} */ theme) {
  document.documentElement.style.colorScheme = theme;
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule instanceof CSSMediaRule && rule.conditionText.includes("prefers-color-scheme"))
        rule.media.mediaText = theme === "dark" ? "all" : "not all";
    }
  }
}
