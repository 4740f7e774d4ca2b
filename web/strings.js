/** Every text of the interface, English first. Plural forms are chosen by the language's rules. */

/** @type {Record<string, () => Promise<{ default: Language }>>} */
const OTHERS = { ar: () => import("./strings-ar.js") };

/** @type {Record<string, Phrase>} */
export const ENGLISH = {
  "field.name": "Your name",
  "error.name": "A name needs 1 to 32 characters that can be seen.",
  "join.title": "Join {room}",
  "join.lead": "Nobody sees you before you join. What is said here is kept, and names are not verified.",
  "join.go": "Join",
  "room.private": "Private room",
  "room.home": "All rooms",
  "room.share": "Share",
  "room.invite": "Invite someone",
  "room.settings": "Settings",
  "room.log": "Messages",
  "room.here": "{count} here",
  "room.people": "People here",
  "room.you": "you",
  "room.crowd": "… and others: too many to name them all.",
  "room.http": "Your network blocks live connections. Messages still go and come, but who is here is not shown.",
  "room.empty": "Nothing has been said here yet.",
  "room.empty.hint": "Say the first word, or send someone the link.",
  "room.beginning": "This is the beginning of {room}.",
  "room.forked": "This room began anew; what was shown before belongs to its old history.",
  "room.missed": "More was said meanwhile than fits here. Scroll up to read it.",
  "room.loading": "Loading older messages …",
  "room.unreachable": "Messages could not be loaded. Try again",
  "room.nothing": "There is no message {seq} to show here.",
  "room.gone": "There is no such room. Check the link, or open another.",
  "log.left": "New since you were here",
  "log.lost": "A message that was stored here is damaged and can't be shown.",
  "log.link": "link to message {seq}",
  "log.new": "{count} new",
  "log.latest": "To the latest",
  "log.unread": { one: "{count} message since you were here", other: "{count} messages since you were here" },
  "compose.label": "Message",
  skip: "Skip to the message field",
  "compose.place": "Message {room}",
  "compose.send": "Send",
  "compose.left": { one: "{count} character left", other: "{count} characters left" },
  "compose.over": { one: "{count} character too many", other: "{count} characters too many" },
  "compose.unknown": "There is no command {command}. Try /help.",
  "compose.files": "Files can't be sent here.",
  "pending.waiting": "Waiting to be sent …",
  "pending.failed": "Not sent.",
  "pending.edit": "Edit",
  "refused.rate_limited": "Too fast: waiting a moment, then it goes by itself.",
  "refused.storage_unavailable": "The server can't store messages now. It goes by itself when it can.",
  "refused.unavailable": "The server is restarting. It goes by itself when it can.",
  "refused.bad_name": "This name can't be used: it has invisible or control characters.",
  "refused.name_too_long": "This name is too long.",
  "storage.full": "This browser's storage is full or blocked: unsent messages are safe only while this tab stays open.",
  "page.failed": "Something on this page failed. Reload it.",
  "page.reload": "Reload",
  "page.updated": "EdgeChat was updated. Reload",
  "banner.lost": "The connection is lost.",
  "banner.restart": "The server is restarting.",
  "banner.refused": "The server takes no chat from this address. Its owner can allow it.",
  "banner.full": "The server is full.",
  "banner.storage": "The server can't read this room's history now.",
  "banner.offline": "You are offline.",
  "banner.kept": "What you write waits here and is sent when it is back.",
  "banner.wait": "Trying again in {count} s",
  "banner.trying": "Trying …",
  "banner.now": "Try now",
  "banner.stopped": "The server closed this connection and does not want it back.",
};

/** @type {Language} */
let current = { language: "en", direction: "ltr", phrases: ENGLISH };
let plural = new Intl.PluralRules("en");
let region = "en";

/** The tag for numbers, dates and lists: the language with the reader's region. */
export const locale = () => region;

/** Take the first of these languages that exists, else English. Tags that `Intl` refuses are skipped. */
export async function setLanguage(/** @type {readonly string[]} */ wanted) {
  const base = (/** @type {string} */ tag) => tag.split("-")[0] ?? "";
  const tags = wanted.flatMap((tag) => {
    try {
      return Intl.getCanonicalLocales(tag);
    } catch {
      return []; // "en-US@posix"
    }
  });
  region = tags.find((tag) => base(tag) === "en" || Object.hasOwn(OTHERS, base(tag))) ?? "en";
  const other = await OTHERS[base(region)]?.().catch(() => null);
  current = other?.default ?? { language: "en", direction: "ltr", phrases: ENGLISH };
  plural = new Intl.PluralRules(current.language);
  document.documentElement.lang = current.language;
  document.documentElement.dir = current.direction;
}

/** The text of this key; `count` chooses the plural form. */
export function phrase(/** @type {string} */ key, /** @type {Record<string, string | number>} */ values = {}) {
  const found = current.phrases[key] ?? ENGLISH[key] ?? key;
  const text = typeof found === "string" ? found : (found[plural.select(Number(values.count))] ?? found.other);
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(region) : (value ?? whole);
  });
}

/** Give each marked element below `root` its text (`data-phrase`) and attributes (`data-label`, …). */
export function fill(/** @type {ParentNode} */ root, /** @type {Record<string, string>} */ values = {}) {
  for (const name of ["phrase", "label", "title", "placeholder"]) {
    for (const element of root.querySelectorAll(`[data-${name}]`)) {
      const text = phrase(element.getAttribute(`data-${name}`) ?? "", values);
      if (name === "phrase") element.replaceChildren(text);
      else element.setAttribute(name === "label" ? "aria-label" : name, text);
    }
  }
}
