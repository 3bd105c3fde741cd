import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import english from "../../src/tertulia/chat/static/tertulia/page/strings/en.js";
import spanish from "../../src/tertulia/chat/static/tertulia/page/strings/es.js";

const PAGE = new URL("../../src/tertulia/chat/static/tertulia/page/", import.meta.url);

/** `text` or its plural forms → the names in braces, sorted. */
function names(entry) {
  const texts = typeof entry === "string" ? [entry] : Object.values(entry);
  const found = texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  return [...new Set(found)].sort();
}

test("both languages have the same texts with the same values and plurals", () => {
  assert.deepEqual(Object.keys(spanish).sort(), Object.keys(english).sort());
  for (const [key, entry] of Object.entries(english)) {
    assert.equal(typeof spanish[key], typeof entry, key);
    assert.deepEqual(names(spanish[key]), names(entry), key);
    assert.notEqual(JSON.stringify(spanish[key]), '""', key);
  }
});

test("every text that the page asks for is there, and every text is asked for", () => {
  const all = readdirSync(PAGE, { recursive: true });
  const files = all.filter((name) => name.endsWith(".js") && !name.startsWith("strings"));
  const code = files.map((name) => readFileSync(new URL(name, PAGE), "utf8")).join("\n");
  const asked = [...code.matchAll(/\bt\("([\w.]+)"/g)].map(([, key]) => key);
  for (const key of asked) assert.ok(key in english, key);
  for (const key of Object.keys(english)) {
    const [prefix, rest] = key.split(".");
    const used = rest ? code.includes(`\`${prefix}.\${`) : code.includes(`"${key}"`);
    assert.ok(used, `nobody asks for ${key}`);
  }
});
