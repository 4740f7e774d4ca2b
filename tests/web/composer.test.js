import assert from "node:assert/strict";
import { test } from "node:test";
import { offers } from "../../web/completion.js";
import { clean, command } from "../../web/composer.js";

const typed = /** @type {const} */ ([
  ["hello", { kind: "say", text: "hello" }],
  ["/name Ada L ", { kind: "name", name: "Ada L" }],
  ["/name", { kind: "help" }],
  ["/rooms", { kind: "rooms" }],
  ["/HELP", { kind: "help" }],
  ["/shrug", { kind: "unknown", command: "/shrug" }],
  ["/etc/hosts is a file", { kind: "say", text: "/etc/hosts is a file" }],
  ["//name is a command", { kind: "say", text: "/name is a command" }],
  ["/", { kind: "say", text: "/" }],
]);

for (const [text, expected] of typed)
  test(`"${text}" is ${expected.kind}`, () => assert.deepEqual(command(text), expected));

const names = ["Ada", "adam", "Bo", "Ada L"];

test("names are offered after an @, at the caret", () => {
  assert.deepEqual(offers("hi @ad", 6, names), { start: 4, names: ["Ada", "adam", "Ada L"] });
  assert.deepEqual(offers("@", 1, names).names, names);
  assert.deepEqual(offers("@b and more", 2, names).names, ["Bo"]);
  assert.deepEqual(offers("mail@b", 6, names).names, []);
  assert.deepEqual(offers("@zed", 4, names).names, []);
});

const pasted = /** @type {const} */ ([
  ["slide one\u000bslide two", "slide one\nslide two"],
  ["page\fpage", "page\npage"],
  ["a\r\nb\rc\u0085d", "a\nb\nc\nd"],
  ["\u001b[31mred\u001b[0m", "[31mred[0m"],
  ["\u0003word\u0093quoted\u0094\u0000", "wordquoted"],
  ["tab\tand\nnewline", "tab\tand\nnewline"],
  ["half \ud83d", "half \ufffd"],
  ["👩‍👩‍👧 نص می‌خواهم", "👩‍👩‍👧 نص می‌خواهم"],
]);

for (const [text, sent] of pasted) test(`${JSON.stringify(text)} can be sent`, () => assert.equal(clean(text), sent));
