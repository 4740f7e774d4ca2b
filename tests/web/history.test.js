import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pages, Timeline } from "../../web/history.js";

const line = (/** @type {number} */ seq, h = `h${seq}`) =>
  /** @type {const} */ ({ kind: "line", seq, h, timestamp: seq, name: "a", message: "m", id: null });
const ready = (
  /** @type {number} */ seq,
  /** @type {boolean | null} */ recovered = null,
  /** @type {string | null} */ reason = null,
  h = `h${seq}`,
) =>
  /** @type {const} */ ({
    kind: "ready",
    seq,
    h,
    members: 1,
    recovered,
    reason,
    limits: { message_chars: 1, name_chars: 1, interval_ms: 1, grace_ms: 1 },
  });
const seqs = (/** @type {{ seq: number }[]} */ lines) => lines.map(({ seq }) => seq);

function joined() {
  const timeline = new Timeline();
  timeline.hold();
  timeline.take(line(1));
  timeline.take(line(2));
  assert.deepEqual(seqs(timeline.ready(ready(2)).lines), [1, 2]);
  return timeline;
}

test("an empty room gives a token too", () => {
  const timeline = new Timeline();
  timeline.hold();
  timeline.ready(ready(0, null, null, "0000000000000000"));
  assert.deepEqual(timeline.token, { seq: 0, h: "0000000000000000" });
});

test("lines are held until ready says what they are", () => {
  const timeline = joined();
  timeline.hold();
  assert.equal(timeline.take(line(3)), "held");
  assert.deepEqual(timeline.token, { seq: 2, h: "h2" });
  const { continues, lines } = timeline.ready(ready(3, true));
  assert.ok(continues);
  assert.deepEqual(seqs(lines), [3]);
  assert.deepEqual(timeline.token, { seq: 3, h: "h3" });
});

test("each line once: a repeat is known, and moves nothing back", () => {
  const timeline = joined();
  assert.equal(timeline.take(line(3)), "next");
  assert.equal(timeline.take(line(1)), "repeat");
  assert.deepEqual(timeline.token, { seq: 3, h: "h3" });
});

test("a hole is a gap, and is not taken", () => {
  const timeline = joined();
  assert.equal(timeline.take(line(4)), "gap");
  assert.equal(timeline.last, 2);
});

test("a connection that broke before ready leaves nothing behind", () => {
  const timeline = joined();
  timeline.hold();
  timeline.take(line(3));
  timeline.hold();
  timeline.take(line(3));
  assert.deepEqual(seqs(timeline.ready(ready(3, true)).lines), [3]);
});

test("not recovered: the backlog replaces what was known, even with lower numbers", () => {
  const timeline = joined();
  timeline.hold();
  timeline.take(line(1, "other"));
  const { continues, lines, reason } = timeline.ready(ready(1, false, "forked", "other"));
  assert.deepEqual([continues, seqs(lines), reason], [false, [1], "forked"]);
  assert.deepEqual(timeline.token, { seq: 1, h: "other" });
});

test("a lost line counts, but the token stays on a line with a digest", () => {
  const timeline = joined();
  assert.equal(timeline.take({ kind: "lost", seq: 3 }), "next");
  assert.deepEqual(timeline.token, { seq: 2, h: "h2" });
  assert.equal(timeline.take(line(4)), "next");
});

test("a record of an unknown kind takes its place in the order", () => {
  const timeline = joined();
  assert.equal(timeline.take({ kind: "record", seq: 3, h: "h3" }), "next");
  assert.equal(timeline.take(line(4)), "next");
});

/** A server of `count` lines, asked through `fetch`; `hidden` lines are left out of its pages. */
function serve(/** @type {number} */ count, /** @type {(seq: number) => string} */ kind, withNext = false) {
  /** @type {string[]} */ const asked = [];
  mock.method(globalThis, "fetch", async (/** @type {string} */ address) => {
    const [, where = "", at = ""] = /(before|after|around)=(\d+)/.exec(address) ?? [];
    asked.push(`${where}=${at}`);
    assert.ok(asked.length < 30, "it goes round in circles");
    const seq = Number(at);
    const [from, to] = { before: [seq - 100, seq - 1], after: [seq + 1, seq + 100] }[where] ?? [seq - 50, seq + 49];
    const first = Math.max(1, Number(from));
    const last = Math.min(count, Number(to));
    const body = [];
    for (let each = first; each <= last; each++) {
      if (kind(each) === "line") body.push(JSON.stringify({ seq: each, message: "m", name: "a", timestamp: 0, h: "" }));
      if (kind(each) === "topic") body.push(JSON.stringify({ seq: each, kind: "topic", h: "" }));
    }
    const more = where === "before" ? first > 1 : last < count;
    /** @type {Record<string, string>} */ const headers = { "EdgeChat-More": String(more) };
    if (withNext) headers["EdgeChat-Next"] = String(where === "before" ? first : last);
    return new Response(body.join("\n"), { headers });
  });
  return asked;
}

test.afterEach(() => mock.restoreAll());

for (const withNext of [false, true]) {
  const header = withNext ? "with" : "without";
  for (const hidden of ["lost", "topic"]) {
    const kind = (/** @type {number} */ seq) => (seq >= 150 && seq < 450 ? hidden : "line");

    test(`300 lines of kind ${hidden} in a row are read past, upward, ${header} EdgeChat-Next`, async () => {
      serve(600, kind, withNext);
      const page = await new Pages("lobby").read("before", 450);
      assert.deepEqual([page.lines[0]?.seq, page.lines.at(-1)?.seq, page.more], [50, 149, true]);
      assert.deepEqual((await new Pages("lobby").read("before", page.next)).lines.length, 49);
    });

    test(`and downward, ${hidden}, ${header} EdgeChat-Next`, async () => {
      serve(600, kind, withNext);
      const page = await new Pages("lobby").read("after", 149);
      assert.deepEqual([page.lines[0]?.seq, page.lines.at(-1)?.seq, page.next, page.more], [450, 549, 549, true]);
    });

    test(`a place inside of them shows what follows, ${hidden}, ${header} EdgeChat-Next`, async () => {
      serve(600, kind, withNext);
      assert.equal((await new Pages("lobby").read("around", 250)).lines[0]?.seq, 450);
    });
  }
}

test("a room that ends in damage has a last page", async () => {
  serve(600, (seq) => (seq > 300 ? "lost" : "line"));
  const page = await new Pages("lobby").read("after", 300);
  assert.deepEqual([page.lines, page.more], [[], false]);
  assert.equal((await new Pages("lobby").read("around", 500)).lines.at(-1)?.seq, 300);
});

test("a server that says there is more, but not where, is not asked for ever", async () => {
  const asked = serve(600, () => "lost", true);
  assert.deepEqual((await new Pages("lobby").read("before", 600)).lines, []);
  assert.equal(asked.length, 6);
});

test("an answer that never comes is a failure", async () => {
  mock.method(globalThis, "fetch", (/** @type {string} */ _, /** @type {RequestInit} */ { signal }) => {
    assert.ok(signal, "a request without a deadline");
    return Promise.reject(signal.reason);
  });
  await assert.rejects(new Pages("lobby").read("before", 10));
});
