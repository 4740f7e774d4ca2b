import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Connection } from "../../web/connection.js";
import { fallBack } from "../../web/fallback.js";

test.afterEach(() => mock.restoreAll());

const ADDRESS = "ws://x/api/room/r/websocket";
const THERE = () => Response.json({ seq: 0 });
const GONE = () => Response.json({ code: "not_found" }, { status: 404 });
const AWAY = () => new Response("", { status: 502 });

/** A connection whose WebSockets bring nothing, and what is done with it after each. */
function waiting(/** @type {Partial<Connection>} */ more = {}) {
  /** @type {string[]} */ const done = [];
  const connection = new Connection(ADDRESS, { hello: () => "", heard: () => {}, moved: () => {} });
  connection.phase = { phase: "waiting", until: 0, code: 1006 };
  connection.connect = (socket = null) => void done.push(socket ? "http" : "websocket");
  connection.stop = (code) => void done.push(`stop ${code}`);
  return { connection: Object.assign(connection, more), done };
}

const cases = /** @type {[string, [() => Response, boolean][], Partial<Connection>, string[]][]} */ ([
  ["two refusals while HTTP works", [[THERE, false], [THERE, false]], {}, ["websocket", "http"]],
  ["a silence until the deadline counts for two", [[THERE, true]], {}, ["http"]],
  ["a server that is away", [[AWAY, false], [AWAY, true]], {}, []],
  [
    "a server that came back in between",
    [[THERE, false], [AWAY, false], [THERE, false]],
    {},
    ["websocket", "websocket"],
  ],
  ["a room that is gone", [[GONE, false]], {}, ["stop 404"]],
  ["a room that was joined is not given up", [[GONE, false]], { joined: true }, []],
  ["a WebSocket that works by now", [[THERE, true]], { heard: true }, []],
  ["a connection that was stopped", [[THERE, true]], { phase: { phase: "stopped", code: 0 } }, []],
]);
for (const [name, attempts, more, wanted] of cases) {
  test(name, async () => {
    const { connection, done } = waiting(more);
    for (const [answer, late] of attempts) {
      mock.method(globalThis, "fetch", async () => answer());
      await fallBack(connection, ADDRESS, late);
    }
    assert.deepEqual(done, wanted);
  });
}
