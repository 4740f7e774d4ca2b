import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../web/outbox.js";
import { MemoryStorage, storeOver } from "./memory_storage.js";

const texts = (/** @type {Outbox} */ outbox) => outbox.entries.map(({ text }) => text);
const refusal = (/** @type {string} */ code, /** @type {string | null} */ id = null, retryAfter = 0) => ({
  code,
  id,
  retryAfter,
});

function filled() {
  const area = new MemoryStorage();
  const outbox = new Outbox(storeOver(area), "lobby", "ada");
  const [one, two] = [outbox.add("one"), outbox.add("two")];
  return { area, outbox, one, two };
}

test("one at a time, in order", () => {
  const { outbox, one, two } = filled();
  assert.equal(outbox.next(0)?.text, "one");
  assert.equal(outbox.next(1), null);
  assert.ok(outbox.delivered(one.id));
  assert.equal(outbox.next(2)?.id, two.id);
});

test("what was typed outlives the page, in order, until its line comes back", () => {
  const { area, one } = filled();
  const later = new Outbox(storeOver(area), "lobby", "ada");
  assert.deepEqual(texts(later), ["one", "two"]);
  later.delivered(one.id);
  assert.deepEqual(texts(new Outbox(storeOver(area), "lobby", "ada")), ["two"]);
});

test("another room's and another name's entries stay theirs", () => {
  const { area } = filled();
  assert.deepEqual(texts(new Outbox(storeOver(area), "attic", "ada")), []);
  assert.deepEqual(texts(new Outbox(storeOver(area), "lobby", "bo")), []);
});

test("an echo that does not come: said again with the same id", () => {
  const { outbox, one } = filled();
  outbox.next(0);
  assert.equal(outbox.due(1000), Outbox.RESEND - 1000);
  assert.equal(outbox.next(Outbox.RESEND)?.id, one.id);
});

test("rate limited: waits as long as the server says, and nothing overtakes it", () => {
  const { outbox, one } = filled();
  outbox.next(0);
  outbox.refused(refusal("rate_limited", one.id, 3200), 100);
  assert.equal(outbox.next(3299), null);
  assert.equal(outbox.due(3000), 300);
  assert.equal(outbox.next(3300)?.text, "one");
});

test("no storage on the server: asks again after a pause", () => {
  const { outbox, one } = filled();
  outbox.next(0);
  outbox.refused(refusal("storage_unavailable", one.id), 0);
  assert.equal(outbox.due(0), Outbox.PAUSE);
  assert.equal(outbox.next(Outbox.PAUSE)?.text, "one");
});

test("refused for good: kept, marked, and the next one goes", () => {
  const { area, outbox, one } = filled();
  outbox.next(0);
  outbox.refused(refusal("message_too_long", one.id), 0);
  assert.equal(outbox.entries[0]?.failed, "message_too_long");
  assert.equal(outbox.next(0)?.text, "two");
  assert.equal(new Outbox(storeOver(area), "lobby", "ada").entries[0]?.failed, "message_too_long");
  outbox.retry(one.id);
  assert.equal(outbox.entries[0]?.failed, null);
});

test("a refusal without an id is about the one under way", () => {
  const { outbox, one } = filled();
  outbox.next(0);
  outbox.refused(refusal("bad_frame"), 0);
  assert.equal(outbox.entries.find((entry) => entry.failed)?.id, one.id);
});

test("an id conflict means that it is there already", () => {
  const { outbox, one } = filled();
  outbox.next(0);
  outbox.refused(refusal("id_conflict", one.id), 0);
  assert.deepEqual(texts(outbox), ["two"]);
});

test("a lost connection: the one under way goes again", () => {
  const { outbox, one } = filled();
  outbox.next(0);
  outbox.disconnected();
  assert.equal(outbox.next(1)?.id, one.id);
});

test("two tabs share what waits, and overwrite nothing of each other", () => {
  const { area, outbox } = filled();
  const other = new Outbox(storeOver(area), "lobby", "ada");
  const third = other.add("three");
  outbox.reload();
  assert.deepEqual(texts(outbox), ["one", "two", "three"]);
  outbox.delivered(third.id);
  other.reload();
  assert.deepEqual(texts(other), ["one", "two"]);
});

test("a full storage: this tab still holds it", () => {
  const { area, outbox } = filled();
  area.full = true;
  outbox.add("three");
  assert.deepEqual(texts(outbox), ["one", "two", "three"]);
  outbox.reload();
  assert.deepEqual(texts(outbox), ["one", "two", "three"]);
});

test("a new name takes what waits along", () => {
  const { area, outbox } = filled();
  outbox.rename("ada l");
  assert.deepEqual(texts(outbox), ["one", "two"]);
  assert.deepEqual(texts(new Outbox(storeOver(area), "lobby", "ada l")), ["one", "two"]);
  assert.deepEqual(texts(new Outbox(storeOver(area), "lobby", "ada")), []);
});

test("ids are 32 hex digits, each another", () => {
  const { one, two } = filled();
  assert.match(one.id, /^[0-9a-f]{32}$/);
  assert.notEqual(one.id, two.id);
});

test("what tabs under other names left is theirs, until it is adopted", () => {
  const { area, one } = filled();
  const bo = new Outbox(storeOver(area), "lobby", "bo");
  assert.deepEqual([texts(bo), bo.strays.map(({ text }) => text)], [[], ["one", "two"]]);
  bo.add("three");
  bo.adopt(one);
  assert.deepEqual([texts(bo), bo.strays.map(({ text }) => text)], [["three", "one"], ["two"]]);
  assert.deepEqual(texts(new Outbox(storeOver(area), "lobby", "ada")), ["two"]);
  bo.remove(String(bo.strays[0]?.id));
  assert.deepEqual(texts(new Outbox(storeOver(area), "lobby", "ada")), []);
});

test("what was handed to a socket is marked: it may be stored already", () => {
  const { area, outbox } = filled();
  outbox.next(0);
  outbox.disconnected();
  const later = new Outbox(storeOver(area), "lobby", "ada");
  assert.deepEqual(
    later.entries.map(({ sent }) => sent === true),
    [true, false],
  );
});
