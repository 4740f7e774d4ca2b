import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pages, readPage } from "../../web/pages.js";

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

const LINE = '{"seq":42,"timestamp":1763880000123,"name":"alice","message":"hi","id":"c1","h":"9f86d081884c7d65"}';

test("a page of history is its lines, damaged ones included", () => {
  const page = readPage(`${LINE}\n{"seq":43,"kind":"lost"}\n`);
  assert.deepEqual(
    page.map((line) => [line.kind, line.seq]),
    [
      ["line", 42],
      ["lost", 43],
    ],
  );
});
