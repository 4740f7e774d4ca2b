import assert from "node:assert/strict";
import { test } from "node:test";
import { isPrivate, pageOf, roomNamed, roomOf, socketOf } from "../../web/addresses.js";

const names = /** @type {const} */ ([
  ["Lobby", "lobby"],
  [" garden club_2 ", "garden-club-2"],
  ["ﬁne", "fine"],
  ["Straße", "strasse"],
  ["قهوة", "قهوة"],
  ["x".repeat(32), "x".repeat(32)],
  ["x".repeat(33), null],
  ["", null],
  ["a/b", null],
  ["a.b", null],
  ["<b>", null],
]);

for (const [typed, room] of names) test(`"${typed}" is the room ${room}`, () => assert.equal(roomNamed(typed), room));

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
