/** Tells a reader who looks elsewhere: title and icon always; notification and sound for mentions if asked for. */
import "./strings-later.js";
import { locale, phrase } from "./strings.js";

const DOT = "%3Ccircle cx='24' cy='8' r='8' fill='%23e5484d'/%3E";

export class Notifier {
  #title;
  #icon;
  #plainIcon;
  #settings;
  /** @type {AudioContext | null} */ #audio = null;

  constructor(/** @type {string} */ title, /** @type {HTMLLinkElement} */ icon, /** @type {Store} */ settings) {
    this.#title = title;
    this.#icon = icon;
    this.#plainIcon = icon.getAttribute("href") ?? "";
    this.#settings = settings;
    this.unread(0, 0);
  }

  /** "(3) lobby"; a mention makes it "(@ 3) lobby". */
  unread(/** @type {number} */ count, /** @type {number} */ calls) {
    const mark = count ? `(${calls ? "@ " : ""}${count.toLocaleString(locale())}) ` : "";
    document.title = `${mark}${this.#title} · EdgeChat`;
    const href = count ? this.#plainIcon.replace("%3C/svg%3E", `${DOT}%3C/svg%3E`) : this.#plainIcon;
    if (this.#icon.getAttribute("href") !== href) this.#icon.setAttribute("href", href);
  }

  /** Somebody called this reader by name. */
  called(/** @type {string} */ name, /** @type {string} */ room) {
    if (this.#settings.get("sound") === true) this.#chime();
    if (this.#settings.get("notify") !== true || !("Notification" in window) || Notification.permission !== "granted")
      return;
    try {
      const note = new Notification(phrase("notify.title", { name, room }), { tag: `edgechat-${room}` });
      note.onclick = () => window.focus();
    } catch {
      // Android's Chromium has notifications for service workers only; the title and the icon have told it
    }
  }

  /** Two soft tones; a file of sound would be one more request. */
  #chime() {
    this.#audio ??= new AudioContext();
    const now = this.#audio.currentTime;
    for (const [at, pitch] of /** @type {const} */ ([
      [0, 660],
      [0.12, 880],
    ])) {
      const [tone, volume] = [this.#audio.createOscillator(), this.#audio.createGain()];
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.08, now + at);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + at + 0.4);
      tone.connect(volume).connect(this.#audio.destination);
      tone.start(now + at);
      tone.stop(now + at + 0.4);
    }
  }
}
