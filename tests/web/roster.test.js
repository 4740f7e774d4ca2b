import assert from "node:assert/strict";
import { test } from "node:test";
import { Comings } from "../../web/comings.js";
import { listed } from "../../web/listed.js";
import { Roster } from "../../web/roster.js";
import { Typists } from "../../web/typing.js";
import { dayName, follow } from "../../web/message-row.js";
import { hue, initial, isName } from "../../web/names.js";

test("names that come with the join are a roster, later ones are news", () => {
  const roster = new Roster();
  roster.begin();
  assert.ok(!roster.joined("bo"));
  assert.ok(!roster.joined("ada"));
  roster.complete(3);
  assert.deepEqual(roster.names, ["ada", "bo"]);
  assert.ok(roster.joined("cy"));
  assert.ok(!roster.joined("cy"));
  assert.ok(roster.quit("cy"));
  assert.equal(roster.count, 2);
});

test("the old roster stands until the new one is whole", () => {
  const roster = new Roster();
  roster.begin();
  roster.joined("ada");
  roster.complete(1);
  roster.begin();
  assert.deepEqual(roster.names, ["ada"]);
  roster.joined("bo");
  roster.complete(1);
  assert.deepEqual(roster.names, ["bo"]);
});

test("a crowd is a number and some names", () => {
  const roster = new Roster();
  roster.begin();
  roster.counted(251, ["ada", "bo"]);
  roster.joined("cy");
  roster.complete(252);
  assert.deepEqual([roster.crowded, roster.count, roster.names], [true, 252, ["ada", "bo", "cy"]]);
  roster.counted(300, null);
  assert.equal(roster.count, 300);
});

test("a room that grew into a crowd keeps the names it knew", () => {
  const roster = new Roster();
  roster.begin();
  roster.joined("ada");
  roster.complete(250);
  roster.counted(251, null);
  assert.deepEqual([roster.crowded, roster.count, roster.names], [true, 251, ["ada"]]);
});

test("a crowd that is small again has names again, and those alone", () => {
  const roster = new Roster();
  roster.begin();
  roster.counted(300, ["ada", "bo"]);
  roster.complete(300);
  roster.counted(200, ["bo", "cy"]);
  assert.deepEqual([roster.crowded, roster.names], [false, ["bo", "cy"]]);
  roster.joined("di");
  assert.equal(roster.count, 3);
});

test("typing ends after five seconds, or with what was typed, and is never one's own", () => {
  const typists = new Typists();
  typists.heard(["ada", "bo", "cy"], "ada", 0);
  assert.deepEqual(typists.at(4999), ["bo", "cy"]);
  typists.said("bo");
  assert.deepEqual(typists.at(4999), ["cy"]);
  assert.deepEqual(typists.at(5000), []);
});

test("comings and goings are drawn together", () => {
  const comings = new Comings();
  comings.came("ada");
  comings.came("bo");
  comings.left("bo");
  comings.left("cy");
  comings.left("di");
  comings.came("di");
  assert.deepEqual(comings.summary, { joined: ["ada"], quit: ["cy"], passed: ["bo"] });
});

test("many names are a few and a number", () => {
  assert.equal(listed(["a"]), "a");
  assert.equal(listed(["a", "b", "c"]), "a, b, and c");
  assert.equal(listed(["a", "b", "c", "d"]), "a, b and 2 others");
});

const at = (/** @type {string} */ time, name = "ada") => ({ timestamp: new Date(`2026-11-${time}`).getTime(), name });

test("one speaker's lines within five minutes stand together, on one day", () => {
  assert.deepEqual(follow(null, at("22T10:00")), { newDay: true, grouped: false });
  assert.deepEqual(follow(at("22T10:00"), at("22T10:04")), { newDay: false, grouped: true });
  assert.deepEqual(follow(at("22T10:00"), at("22T10:05")), { newDay: false, grouped: false });
  assert.deepEqual(follow(at("22T10:00"), at("22T10:01", "bo")), { newDay: false, grouped: false });
  assert.deepEqual(follow(at("22T23:59"), at("23T00:01")), { newDay: true, grouped: false });
});

test("a name has one colour of eight", () => {
  const hues = new Set([..."abcdefghijklmnopqrstuvwxyz"].map((sign) => hue(sign.repeat(3))));
  assert.equal(hue("ada"), hue("ada"));
  assert.ok(hues.size > 4 && [...hues].every((each) => each >= 0 && each < 8));
});

test("lines from a clock that was set back are not one speaker's spell", () => {
  const later = Date.now() + 365 * 86_400_000;
  const said = (/** @type {number} */ ms) => ({ timestamp: later + ms, name: "ada" });
  assert.deepEqual(follow(said(0), said(1)), { newDay: false, grouped: false });
});

test("a line from the future begins no day, and neither do those after it", () => {
  const now = Date.now();
  const later = now + 365 * 86_400_000;
  const said = (/** @type {number} */ timestamp) => ({ timestamp, name: "ada" });
  assert.deepEqual(follow(said(now), said(later)), { newDay: false, grouped: false });
  assert.deepEqual(follow(said(later), said(later + 1)), { newDay: false, grouped: false });
  assert.deepEqual(follow(null, said(later)), { newDay: false, grouped: false });
  assert.deepEqual(follow(said(later), said(now)), { newDay: true, grouped: false });
});

test("days near have names", () => {
  const now = new Date("2026-11-22T00:30").getTime();
  assert.equal(dayName(now, now), "Today");
  assert.equal(dayName(now - 3_600_000, now), "Yesterday");
  assert.match(dayName(now - 2 * 86_400_000, now), /20 November|November 20/);
});

const initials = /** @type {const} */ ([
  ["ada", "A"],
  [" ada", "A"],
  ["🇩🇪 Anna", "🇩🇪"],
  ["👩‍👩‍👧", "👩‍👩‍👧"],
  ["ßeta", "ß"],
  ["\u200fדנה", "ד"],
  ["éa", "É"],
  ["\u200b", "?"],
]);

for (const [name, letter] of initials) test(`${name} begins with ${letter}`, () => assert.equal(initial(name), letter));

test("a name has 32 code points at most", () => {
  assert.ok(isName("😀".repeat(32)));
  assert.ok(!isName("a".repeat(33)));
  assert.ok(!isName(""));
});
