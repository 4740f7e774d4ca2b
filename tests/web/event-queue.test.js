import assert from "node:assert/strict";
import { test } from "node:test";
import { EventQueue } from "../../web/event-queue.js";

const quit = (/** @type {number} */ number) => ({ kind: /** @type {const} */ ("quit"), name: `${number}` });
const place = (/** @type {number} */ seq) => ({ seq, h: "aa" });

/** A queue, and how often it was behind. */
function queue() {
  const behind = { times: 0 };
  return { events: new EventQueue(() => (behind.times += 1)), behind };
}

test("events wait, in order, and those who iterate wait for events", async () => {
  const { events } = queue();
  events.add(quit(1), undefined);
  const two = [events.next(), events.next()];
  events.add(quit(2), undefined);
  assert.deepEqual(await Promise.all(two), [1, 2].map((number) => ({ value: quit(number), done: false })));
});

test("the token is that of the last event which was taken", async () => {
  const { events } = queue();
  events.add(quit(1), place(7));
  events.add(quit(2), undefined);
  assert.equal(events.token, null);
  await events.next();
  assert.deepEqual(events.token, place(7));
  await events.next();
  assert.deepEqual(events.token, place(7));
});

test("what finds no place is dropped, and asked for once all is taken", async () => {
  const { events, behind } = queue();
  for (let seq = 1; seq <= EventQueue.MOST + 5; seq++) events.add(quit(seq), place(seq));
  for (let seq = 1; seq < EventQueue.MOST; seq++) await events.next();
  assert.equal(behind.times, 0);
  events.add(quit(0), place(0)); // there is place again, but this would leave a hole
  await events.next();
  assert.equal(behind.times, 1);
  assert.deepEqual(events.token, place(EventQueue.MOST));
  events.add(quit(1), place(EventQueue.MOST + 1));
  assert.deepEqual((await events.next()).value, quit(1));
});

test("the end comes after what waits", async () => {
  const { events } = queue();
  events.add(quit(1), undefined);
  events.end(null);
  events.add(quit(2), undefined);
  const found = [];
  for await (const event of events) found.push(event);
  assert.deepEqual(found, [quit(1)]);
});

test("what ended it is thrown, to those who wait as well", async () => {
  const { events } = queue();
  const waits = events.next();
  events.end(new Error("gone"));
  await assert.rejects(waits, /gone/);
  await assert.rejects(events.next(), /gone/);
});
