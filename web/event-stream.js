/** Server-sent events of a stream of bytes (the HTML standard, section 9.2). `EventSource` tells no status. */

/**
 * Each event with the last `id` before it; one without data says only where the stream stands. Comments and `retry` are
 * passed over.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<{ event: string, id: string, data: string }>}
 */
export async function* events(body) {
  let [rest, id] = ["", ""];
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const found = fields(block);
      id = found.id ?? id;
      if (found.id !== undefined || found.data !== undefined)
        yield { event: found.event ?? "message", id, data: found.data ?? "" };
    }
  }
}

function fields(/** @type {string} */ block) {
  /** @type {{ event?: string, id?: string, data?: string }} */ const found = {};
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name === "data") found.data = found.data === undefined ? value : `${found.data}\n${value}`;
    else if (name === "event" || name === "id") found[name] = value;
  }
  return found;
}
