import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cleanName, isName, shows } from "../../web/names.js";

const table = (/** @type {string} */ name) =>
  JSON.parse(readFileSync(new URL(`../chat/examples/${name}.json`, import.meta.url), "utf8"));
/** What only the server knows to be out of place; it says so, and the form asks again. */
const CONTEXT = /[\u200c\u200d\u180b-\u180f\ufe00-\ufe0f\u{e0020}-\u{e01ef}]/u;

for (const [what, typed, name] of /** @type {[string, string, string | null][]} */ (table("user_names")))
  test(`a name: ${what}`, () => {
    const cleaned = cleanName(typed);
    if (name !== null) assert.deepEqual([cleaned, isName(cleaned)], [name, true]);
    else assert.ok(!isName(cleaned) || cleaned !== typed || CONTEXT.test(typed), "the server would refuse it");
  });

for (const [what, text, taken] of /** @type {[string, string, boolean][]} */ (table("messages")))
  test(`a message: ${what}`, () => assert.equal(shows(text), taken));

test("what comes with a name copied from elsewhere goes", () => {
  assert.equal(cleanName("\u2068bob\u2069\u202e"), "bob");
  assert.equal(cleanName(" ann\u200b  lee\n"), "ann lee");
});
