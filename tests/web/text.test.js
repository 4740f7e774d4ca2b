import assert from "node:assert/strict";
import { test } from "node:test";
import { mentions, pieces } from "../../web/text.js";

const said = (/** @type {string} */ message) =>
  pieces(message).map(({ kind, text }) => (kind === "text" ? text : `${kind}:${text}`));

const messages = /** @type {const} */ ([
  ["plain", ["plain"]],
  ["a `b` c", ["a ", "code:b", " c"]],
  ["so *very* nice", ["so ", "emphasis:very", " nice"]],
  ["2 * 3 * 4", ["2 * 3 * 4"]],
  ["a*b*c", ["a*b*c"]],
  ["**bold**", ["**bold**"]],
  ["`*not*`", ["code:*not*"]],
  ["hi @ada!", ["hi ", "mention:@ada", "!"]],
  ["mail a@b.example", ["mail a@b.example"]],
  ["look\n```js\nlet a;\n```\ndone", ["look\n", "block:let a;", "done"]],
  ["```one line```", ["block:one line"]],
  ["```open", ["```open"]],
  ["", []],
]);

for (const [message, expected] of messages)
  test(`pieces of ${JSON.stringify(message)}`, () => assert.deepEqual(said(message), expected));

test("nothing of a message is lost but its marks", () => {
  const message = "a <b> & *c* `d` @e\n```\nf\n```";
  assert.equal(
    pieces(message)
      .map(({ text }) => text)
      .join(""),
    "a <b> & c d @e\nf",
  );
});

test("a pile of combining marks is cut to what letters need", () => {
  assert.equal(pieces(`a${"\u0301".repeat(2000)}b`)[0]?.text, `a${"\u0301".repeat(8)}b`);
});

test("long and nested marks take no time", () => {
  for (const message of ["*".repeat(2000), "`".repeat(2000), "@".repeat(2000), "*a ".repeat(700), "```".repeat(600)]) {
    const before = performance.now();
    pieces(message);
    assert.ok(performance.now() - before < 100, message.slice(0, 10));
  }
});

const calls = /** @type {const} */ ([
  ["@ada come", "Ada", true],
  ["come @ADA", "ada", true],
  ["@adam come", "ada", false],
  ["x@ada", "ada", false],
  ["@ada l, look", "Ada L", true],
  ["ada", "ada", false],
  ["@adam and @ada", "ada", true],
  ["@", "", false],
]);

for (const [message, name, called] of calls) {
  test(`"${message}" ${called ? "calls" : "does not call"} "${name}"`, () =>
    assert.equal(mentions(message, name), called));
}
