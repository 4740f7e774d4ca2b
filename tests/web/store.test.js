import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft, Identity, Store } from "../../web/store.js";
import { MemoryStorage, storeOver } from "./memory_storage.js";

test("remembers values, and lists keys by their beginning", () => {
  const store = storeOver();
  store.set("a:1", { text: "x" });
  store.set("b", 2);
  assert.deepEqual(store.get("a:1"), { text: "x" });
  assert.deepEqual(store.keys("a:"), ["a:1"]);
  store.remove("a:1");
  assert.equal(store.get("a:1"), null);
});

test("a full storage is a smaller memory, not an error", () => {
  const area = new MemoryStorage();
  const store = storeOver(area);
  area.full = true;
  store.set("draft", "long");
  assert.ok(store.full);
  assert.equal(store.get("draft"), "long");
  assert.deepEqual(store.keys("dr"), ["draft"]);
  area.full = false;
  store.set("draft", "longer");
  assert.ok(!store.full);
  assert.equal(storeOver(area).get("draft"), "longer");
});

test("no storage at all: this tab remembers", () => {
  const store = new Store("/", null);
  store.set("name", "ada");
  assert.equal(store.get("name"), "ada");
});

test("what somebody else wrote there is no error", () => {
  const area = new MemoryStorage();
  area.setItem("edgechat:/:name", "{not json");
  assert.equal(storeOver(area).get("name"), null);
});

test("two chats on one origin keep apart", () => {
  const area = /** @type {Storage} */ (/** @type {unknown} */ (new MemoryStorage()));
  new Store("/a/", area).set("name", "ada");
  assert.equal(new Store("/b/", area).get("name"), null);
});

test("two tabs are two people; a new tab begins with the last name", () => {
  const shared = storeOver();
  const [one, two] = [new Identity(storeOver(), shared), new Identity(storeOver(), shared)];
  one.name = "ada";
  one.accept();
  two.name = "bo";
  two.accept();
  assert.deepEqual([one.name, two.name, new Identity(storeOver(), shared).name], ["ada", "bo", "bo"]);
});

test("the rooms visited, the latest first, each once", () => {
  const identity = new Identity(storeOver(), storeOver());
  for (const room of ["a", "b", "a"]) identity.visit(room);
  assert.deepEqual(identity.rooms, ["a", "b"]);
  identity.forget("a");
  assert.deepEqual(identity.rooms, ["b"]);
});

test("a name that the server refused is not remembered, and unsent messages stay with the one before", () => {
  const shared = storeOver();
  const identity = new Identity(storeOver(), shared);
  identity.name = "ada";
  assert.equal(identity.accepted, "ada");
  identity.accept();
  identity.name = "refused";
  assert.deepEqual([identity.name, identity.accepted], ["refused", "ada"]);
  assert.equal(new Identity(storeOver(), shared).name, "ada");
});

test("each tab has its own draft, and a new one begins with the last", () => {
  const [shared, tab, other] = [storeOver(), storeOver(), storeOver()];
  const [one, two] = [new Draft(tab, shared, "lobby"), new Draft(other, shared, "lobby")];
  one.set("a long text");
  two.set("b");
  assert.equal(new Draft(tab, shared, "lobby").get(), "a long text");
  assert.equal(new Draft(storeOver(), shared, "lobby").get(), "b");
  one.set("a longer text");
  two.set(""); // sent
  assert.equal(new Draft(storeOver(), shared, "lobby").get(), "a longer text");
  one.set("");
  assert.equal(new Draft(storeOver(), shared, "lobby").get(), "");
  assert.equal(new Draft(tab, shared, "lobby").get(), "");
});

test("what a tab that is gone left is there when the others have sent theirs", () => {
  const shared = storeOver();
  const [gone, here] = [new Draft(storeOver(), shared, "lobby"), new Draft(storeOver(), shared, "lobby")];
  gone.set("a long te");
  gone.set("a long text");
  here.set("b");
  here.set("bo");
  assert.equal(new Draft(storeOver(), shared, "lobby").get(), "bo");
  here.set("");
  assert.equal(new Draft(storeOver(), shared, "lobby").get(), "a long text");
});

test("a draft of an earlier version of the page", () => {
  const shared = storeOver();
  shared.set("draft:lobby", "as it was");
  const draft = new Draft(storeOver(), shared, "lobby");
  assert.equal(draft.get(), "as it was");
  draft.set("as it was"); // as the field does at its beginning
  draft.set("");
  assert.equal(new Draft(storeOver(), shared, "lobby").get(), "");
});
