import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { test } from "node:test";
import arabic from "../../web/strings-ar.js";
import "../../web/strings-later.js";
import { ENGLISH, locale, phrase, setLanguage } from "../../web/strings.js";

const web = new URL("../../web/", import.meta.url);
const source = (/** @type {string} */ file) => readFileSync(new URL(file, web), "utf8");
const modules = readdirSync(web).filter((file) => file.endsWith(".js"));
const styles = readdirSync(web).filter((file) => file.endsWith(".css"));
const values = (/** @type {Phrase} */ entry) => new Set(JSON.stringify(entry).match(/\{\w+\}/g) ?? []);

test("every phrase on the page is in the file of strings", () => {
  const asked = [...source("index.html").matchAll(/data-(?:phrase|label|title|placeholder)="([^"]+)"/g)].map(
    ([, key]) => String(key),
  );
  assert.ok(asked.length > 50);
  for (const key of asked) assert.ok(key in ENGLISH, key);
});

test("every string in the file is used somewhere", () => {
  const all = [source("index.html"), ...modules.filter((file) => !file.startsWith("strings")).map(source)].join("\n");
  const composed = /^(log\.(joined|quit|passed)|refused\.)/; // put together from a word of the protocol
  for (const key of Object.keys(ENGLISH)) if (!composed.test(key)) assert.ok(all.includes(`"${key}"`), key);
});

test("the other language says the same things with the same values", () => {
  assert.deepEqual(Object.keys(arabic.phrases).sort(), Object.keys(ENGLISH).sort());
  for (const [key, entry] of Object.entries(arabic.phrases)) {
    for (const value of values(entry)) assert.ok(values(ENGLISH[key] ?? "").has(value), `${key} ${value}`);
  }
});

test("values are put in place, and counts choose the form", () => {
  assert.equal(phrase("join.title", { room: "lobby" }), "Join lobby");
  assert.equal(phrase("log.unread", { count: 1 }), "1 message since you were here");
  assert.equal(phrase("log.unread", { count: 1234 }), "1,234 messages since you were here");
});

test("a value is not read again: {name} in a name stays", () => {
  assert.equal(phrase("log.joined", { names: "{names}" }), "{names} joined");
});

test("the offline shell has every file that the page loads", () => {
  const shell = [...source("sw.js").matchAll(/"([\w./-]+\.(?:js|css))"/g)].map(([, file]) => String(file));
  const room = ["room-client.js", "room-error.js", "room-history.js"];
  const others = ["client.js", "embed.js", "event-queue.js", "outgoing.js", ...room];
  const own = modules.filter((file) => file !== "sw.js" && !others.includes(file));
  const wanted = [...own, ...styles, "vendor/qrcode.js"];
  assert.deepEqual(shell.sort(), wanted.sort());
});

test("vendored files are what their authors published", () => {
  for (const entry of source("vendor/SHA256SUMS").trim().split("\n")) {
    const [sum, file] = entry.split(/\s+/);
    assert.equal(
      createHash("sha256")
        .update(readFileSync(new URL(`vendor/${file}`, web)))
        .digest("hex"),
      sum,
      `${file}`,
    );
  }
});

test("the page has no script, style or handler of its own, and names no other host", () => {
  const page = source("index.html");
  assert.doesNotMatch(page, /<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
  const all = [page, ...[...styles, ...modules].map(source)].join("\n");
  const hosts = [...all.matchAll(/https?:\/\/[\w.]+/g)]
    .map(([address]) => address)
    .filter((address) => address !== "http://www.w3.org");
  assert.deepEqual(hosts, []);
});

test("no file of the client is longer than 200 lines, and no line than 120 characters", () => {
  for (const file of ["index.html", ...styles, ...modules]) {
    const lines = source(file).trimEnd().split("\n");
    assert.ok(lines.length <= 200, `${file} has ${lines.length} lines`);
    lines.forEach((line, at) => assert.ok([...line].length <= 120, `${file}:${at + 1}`));
  }
});

const tags = /** @type {const} */ ([
  [["en-US@posix"], "en", "en"],
  [["de-DE", "en-US@posix", "en-GB"], "en", "en-GB"],
  [["en-"], "en", "en"],
  [["ar-EG_x", "ar-EG"], "ar", "ar-EG"],
  [["AR"], "ar", "ar"],
  [["constructor"], "en", "en"],
  [["__proto__", "toString"], "en", "en"],
  [[], "en", "en"],
]);

for (const [wanted, language, region] of tags) {
  test(`${JSON.stringify(wanted)} is read in ${language}`, async () => {
    const root = { lang: "", dir: "" };
    Object.assign(globalThis, { document: { documentElement: root } });
    await setLanguage(wanted);
    assert.deepEqual([root.lang, locale()], [language, region]);
    assert.ok(new Intl.DateTimeFormat(locale()));
    await setLanguage(["en"]);
  });
}
