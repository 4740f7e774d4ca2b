/** A room in memory for the window of history: its lines, its rows, and pages that come when the test says so. */
import { HistoryWindow } from "../../web/history-window.js";

const line = (/** @type {number} */ seq) => /** @type {Stored} */ ({ kind: "lost", seq });
export const lines = (/** @type {number} */ from, /** @type {number} */ to) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => line(from + at));

/** A room of `count` lines of which some are `gone`, in a window whose pages come when `answer` is called. */
export function world(/** @type {number} */ count, /** @type {(seq: number) => boolean} */ gone = () => false) {
  const room = { newest: count, ahead: 0, broken: false }; // `ahead`: so many are stored that nobody heard yet
  /** @type {Stored[]} */ let rows = [];
  /** @type {(() => void)[]} */ const asked = [];
  /** @type {WindowState[]} */ const states = [];
  const list = {
    get size() {
      return rows.length;
    },
    get first() {
      return rows[0]?.seq ?? 0;
    },
    get last() {
      return rows.at(-1)?.seq ?? 0;
    },
    show: (/** @type {Stored[]} */ all) => (rows = [...all]),
    append: (/** @type {Stored[]} */ all) => (rows = [...rows, ...all]),
    prepend: (/** @type {Stored[]} */ all) => (rows = [...all, ...rows]),
    trimStart: (/** @type {number} */ size) => (rows = rows.slice(Math.max(0, rows.length - size))),
    trimEnd: (/** @type {number} */ size) => (rows = rows.slice(0, size)),
    rowFrom: (/** @type {number} */ seq) => rows.find((row) => row.seq >= seq) ?? null,
  };
  const scroll = {
    stuck: true,
    toTop: 5000,
    toBottom: 0,
    height: 100,
    toEnd: () => Object.assign(scroll, { stuck: true, toTop: 5000, toBottom: 0 }),
    follow: () => {},
    keep: (/** @type {() => void} */ change) => change(),
    reveal: () => Object.assign(scroll, { stuck: false, toTop: 2000, toBottom: 2000 }),
  };
  const read = (/** @type {string} */ where, /** @type {number} */ seq) =>
    new Promise((resolve, reject) =>
      asked.push(() => {
        if (room.broken) return reject(new Error("no answer"));
        const [from, to] = { before: [seq - 100, seq - 1], after: [seq + 1, seq + 100] }[where] ?? [seq - 50, seq + 49];
        const stored = room.newest + room.ahead;
        const last = Math.min(stored, Number(to));
        const more = where === "before" ? Number(from) > 1 : last < stored;
        const found = lines(Math.max(1, Number(from)), last).filter((each) => !gone(each.seq));
        resolve({ lines: found, more, next: where === "before" ? from : last });
      }),
    );
  /** @type {any} */ const parts = { list, scroll, pages: { read }, newest: () => room.newest };
  const window = new HistoryWindow({ ...parts, changed: (state) => states.push(state) });
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  /** @type {(number | null)[]} */ const reached = [];
  return {
    room,
    window,
    scroll,
    reached,
    seqs: () => rows.map(({ seq }) => seq),
    state: () => states.at(-1),
    goTo: (/** @type {number} */ seq) => window.goTo(seq, (row) => reached.push(/** @type {any} */ (row)?.seq ?? null)),
    say() {
      room.newest += 1;
      room.ahead = Math.max(0, room.ahead - 1);
      window.append([line(room.newest)]);
    },
    async scrollTo(/** @type {Partial<typeof scroll>} */ place) {
      Object.assign(scroll, { stuck: false, toTop: 2000, toBottom: 2000 }, place);
      window.moved();
      await tick();
    },
    asked: tick,
    /** One page that was asked for comes. */
    async answer() {
      await tick();
      asked.shift()?.();
      await tick();
    },
    async answerAll() {
      do await this.answer();
      while (asked.length);
    },
  };
}
