import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { test } from "node:test";
import arabic from "../../web/words-ar.js";
import { ENGLISH, word } from "../../web/words.js";

const web = new URL("../../web/", import.meta.url);
const source = (/** @type {string} */ file) => readFileSync(new URL(file, web), "utf8");
const modules = readdirSync(web).filter((file) => file.endsWith(".js"));
const values = (/** @type {import("../../web/words.js").Phrase} */ phrase) => new Set(JSON.stringify(phrase).match(/\{\w+\}/g) ?? []);

test("every word on the page is in the file of words", () => {
  const asked = [...source("index.html").matchAll(/data-(?:word|label|title|place)="([^"]+)"/g)].map(([, key]) => String(key));
  assert.ok(asked.length > 50);
  for (const key of asked) assert.ok(key in ENGLISH, key);
});

test("every word in the file is said somewhere", () => {
  const all = [source("index.html"), ...modules.filter((file) => !file.startsWith("words")).map(source)].join("\n");
  const composed = /^(log\.(joined|quit|passed)|refused\.)/; // put together from a word of the protocol
  for (const key of Object.keys(ENGLISH)) if (!composed.test(key)) assert.ok(all.includes(`"${key}"`), key);
});

test("the other language says the same things with the same values", () => {
  assert.deepEqual(Object.keys(arabic.phrases).sort(), Object.keys(ENGLISH).sort());
  for (const [key, phrase] of Object.entries(arabic.phrases)) {
    for (const value of values(phrase)) assert.ok(values(ENGLISH[key] ?? "").has(value), `${key} ${value}`);
  }
});

test("values are put in place, and counts choose the form", () => {
  assert.equal(word("join.title", { room: "lobby" }), "Join lobby");
  assert.equal(word("log.unread", { count: 1 }), "1 message since you were here");
  assert.equal(word("log.unread", { count: 1234 }), "1,234 messages since you were here");
});

test("a value is not read again: {name} in a name stays", () => {
  assert.equal(word("log.joined", { names: "{names}" }), "{names} joined");
});

test("the offline shell has every file that the page loads", () => {
  const shell = [...source("sw.js").matchAll(/"([\w./-]+\.(?:js|css))"/g)].map(([, file]) => String(file));
  const wanted = [...modules.filter((file) => file !== "sw.js"), "style.css", "theme.css", "vendor/linkify.js", "vendor/qrcode.js"];
  assert.deepEqual(shell.sort(), wanted.sort());
});

test("vendored files are what their authors published", () => {
  for (const entry of source("vendor/SHA256SUMS").trim().split("\n")) {
    const [sum, file] = entry.split(/\s+/);
    assert.equal(createHash("sha256").update(readFileSync(new URL(`vendor/${file}`, web))).digest("hex"), sum, `${file}`);
  }
});

test("the page has no script, style or handler of its own, and names no other host", () => {
  const page = source("index.html");
  assert.doesNotMatch(page, /<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
  const all = [page, source("style.css"), source("theme.css"), ...modules.map(source)].join("\n");
  const hosts = [...all.matchAll(/https?:\/\/[\w.]+/g)].map(([address]) => address).filter((address) => address !== "http://www.w3.org");
  assert.deepEqual(hosts, []);
});
