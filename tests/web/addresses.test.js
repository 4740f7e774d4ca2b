import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isPrivate, pageOf, roomNamed, roomOf, socketOf } from "../../web/addresses.js";

/** The server's own table: what the page opens and what the server calls it are the same. */
const table = new URL("../chat/examples/room_names.json", import.meta.url);
/** @type {[string, string, string | null][]} */
const names = [...JSON.parse(readFileSync(table, "utf8")), ["blanks around", " garden club_2 ", "garden-club-2"]];

for (const [what, typed, room] of names)
  test(`a room's name: ${what}`, () => assert.equal(roomNamed(typed), room));

test("a room and its address are one", () => {
  assert.equal(pageOf("قهوة"), "room/%D9%82%D9%87%D9%88%D8%A9");
  assert.equal(roomOf("/chat/room/%D9%82%D9%87%D9%88%D8%A9"), "قهوة");
  assert.equal(roomOf("/chat/"), null);
  assert.equal(roomOf("/room/%zz"), "%zz");
});

test("a socket lies below the page's base", () => {
  assert.equal(socketOf("lobby", "https://example.org/chat/").href, "wss://example.org/chat/api/room/lobby/websocket");
  assert.equal(socketOf("lobby", "http://127.0.0.1:1/").href, "ws://127.0.0.1:1/api/room/lobby/websocket");
});

test("a private room is 64 hex digits", () => {
  assert.ok(isPrivate("0a".repeat(32)));
  assert.ok(!isPrivate("0A".repeat(32)));
});
