// What a post costs at least: parse, append to a file, answer, broadcast to those who follow.
// node node_post.mjs PORT FOLDER
import { createServer } from "node:http";
import { openSync, writeSync } from "node:fs";

const [port, folder] = process.argv.slice(2);
const file = openSync(`${folder}/posts.jsonl`, "a");
const followers = new Set();
let seq = 0;

function follow(response) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write(":\n\n");
  followers.add(response);
  response.on("close", () => followers.delete(response));
}

function post(body, response) {
  const { name, message } = JSON.parse(body);
  const line = JSON.stringify({ seq: ++seq, timestamp: Date.now(), name, message });
  writeSync(file, `${line}\n`);
  response.writeHead(201, { "Content-Type": "application/json" });
  response.end(line);
  for (const one of followers) one.write(`id: ${seq}\ndata: ${line}\n\n`);
}

createServer((request, response) => {
  if (request.method !== "POST") return follow(response);
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => post(Buffer.concat(parts).toString(), response));
}).listen(Number(port), "127.0.0.1");
