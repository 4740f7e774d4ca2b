import assert from "node:assert/strict";
import { test } from "node:test";
import { mentions, pieces } from "../../web/text.js";

const said = (/** @type {string} */ message) =>
  pieces(message).map(({ kind, text }) => (kind === "text" ? text : `${kind}:${text}`));

/** Of the processor since then: others on this machine take no part of it. */
const milliseconds = (/** @type {NodeJS.CpuUsage} */ before) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

const messages = /** @type {const} */ ([
  ["plain", ["plain"]],
  ["a `b` c", ["a ", "code:b", " c"]],
  ["so *very* nice", ["so ", "emphasis:very", " nice"]],
  ["2 * 3 * 4", ["2 * 3 * 4"]],
  ["a*b*c", ["a*b*c"]],
  ["**bold**", ["**bold**"]],
  ["`*not*`", ["code:*not*"]],
  ["hi @ada!", ["hi ", "mention:@ada", "!"]],
  ["mail a@b.example", ["mail ", "link:a@b.example"]],
  ["`https://example.org`", ["code:https://example.org"]],
  ["*https://example.com/a*", ["emphasis:https://example.com/a"]],
  ["www.example.org, or readme.md", ["link:www.example.org", ",", " or readme.md"]],
  ["www. and https:// and www", ["www. and https:// and www"]],
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
    const before = process.cpuUsage();
    pieces(message);
    assert.ok(milliseconds(before) < 100, message.slice(0, 10));
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

const addresses = /** @type {const} */ ([
  ["https://example.com/search?q=*foo*&x=1", ["https://example.com/search?q=*foo*&x=1"]],
  ["https://example.com/*/a/*/b", ["https://example.com/*/a/*/b"]],
  ["https://example.com/?to=@bob&x=1", ["https://example.com/?to=@bob&x=1"]],
  ["https://social.example/@ann@other.example/1", ["https://social.example/@ann@other.example/1"]],
  ["https://example.com/`code`/x", ["https://example.com/`code`/x"]],
  ["(see https://en.wikipedia.org/wiki/A_(b))", ["https://en.wikipedia.org/wiki/A_(b)"]],
  ["https://example.com/a, and https://example.com/b.", ["https://example.com/a", "https://example.com/b"]],
  ['<https://example.com/a> "https://example.com/b"', ["https://example.com/a", "https://example.com/b"]],
  ["https://example.com/docs（说明）了解", ["https://example.com/docs"]],
  ["https://example.com/foo。次", ["https://example.com/foo"]],
  ["「https://example.com/foo」", ["https://example.com/foo"]],
  ["链接https://example.com/x", ["https://example.com/x"]],
  ["https://例え.テスト/パス", ["https://例え.テスト/パス"]],
  ["http://[::1]:8080/room/lobby", ["http://[::1]:8080/room/lobby"]],
  ["http://[2001:db8::5]/x", ["http://[2001:db8::5]/x"]],
  ["http://nas/share http://localhost:8080/", ["http://nas/share", "http://localhost:8080/"]],
  ["https://example.com/x?a[]=1&b={2}", ["https://example.com/x?a[]=1&b={2}"]],
  ["https://example.com/\u202etxt.exe", ["https://example.com/"]],
  ["javascript:alert(1) data:text/html,x file:///etc/passwd", []],
  ["mailto:a@example.org?subject=x", ["mailto:a@example.org?subject=x"]],
  ["ann@example.com and @bob", ["mailto:ann@example.com"]],
  ["HTTPS://EXAMPLE.COM/A", ["HTTPS://EXAMPLE.COM/A"]],
  ["www.example.org", ["https://www.example.org"]],
]);

for (const [message, expected] of addresses) {
  test(`links of ${message}`, () => {
    const found = pieces(message).filter(({ kind }) => kind === "link");
    assert.deepEqual(
      found.map(({ href }) => href),
      expected,
    );
    assert.equal(
      pieces(message)
        .map(({ text }) => text)
        .join(""),
      message,
    );
  });
}

test("links take no time", () => {
  for (const part of ["https://", "www.", "a@b.", ")", "a.", "https://a/)"]) {
    const before = process.cpuUsage();
    pieces(`https://example.org/${part.repeat(2000 / part.length)}`);
    pieces(part.repeat(2000 / part.length));
    assert.ok(milliseconds(before) < 100, part);
  }
});
