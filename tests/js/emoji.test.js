import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { find, named, prepare, toned } from "../../src/tertulia/chat/static/tertulia/page/emoji/data.js";
import { cellBeside } from "../../src/tertulia/chat/static/tertulia/page/emoji/grid.js";

const FILES = new URL("../../src/tertulia/chat/static/tertulia/vendor/emoji/", import.meta.url);
const read = (language) => JSON.parse(readFileSync(new URL(`${language}.json`, FILES), "utf8"));
const [english, spanish] = [read("en"), read("es")];
const inEnglish = prepare(english, spanish, "en");
const inSpanish = prepare(english, spanish, "es");
const all = inEnglish.flatMap((group) => group.emoji);

const texts = (found) => found.map(({ text }) => text);

test("both files name the same emoji", () => {
  assert.equal(english.groups.length, spanish.groups.length);
  assert.deepEqual(english.emoji.map((group) => group.length), spanish.emoji.map((group) => group.length));
  const names = Object.fromEntries(inSpanish.flatMap(({ emoji }) => emoji.map(({ text, name }) => [text, name])));
  assert.equal(names["🎉"], "cañón de confeti");
  assert.equal(names["🇪🇸"], "Bandera: España");
});

test("every emoji is there once, has a name, and fits into a reaction", () => {
  assert.equal(new Set(texts(all)).size, all.length);
  for (const { text, name } of all) {
    assert.ok(name, text);
    for (const tone of [0, 3]) assert.ok([...toned({ text, tones: 2 }, tone)].length <= 32, name);
  }
});

test("an emoji is written as keyboards write it, so that reactions meet", () => {
  for (const text of ["👍", "❤️", "😂", "🎉", "😮", "😢", "✅", "👀"]) assert.ok(texts(all).includes(text), text);
});

test("short codes come first, then names, then what else it is found by", () => {
  assert.equal(texts(find(inEnglish, "tada"))[0], "🎉");
  assert.equal(texts(find(inEnglish, "+1"))[0], "👍");
  assert.equal(texts(find(inEnglish, "heart"))[0], "❤️");
  assert.ok(texts(find(inEnglish, "hooray")).includes("🎉"));
  assert.deepEqual(find(inEnglish, "no such emoji"), []);
  assert.deepEqual(find(inEnglish, "  "), []);
  assert.equal(find(inEnglish, "a", 8).length, 8);
});

test("either language finds, with and without accents, its own first", () => {
  for (const groups of [inEnglish, inSpanish]) {
    assert.ok(texts(find(groups, "cañón")).includes("🎉"));
    assert.ok(texts(find(groups, "CORAZON rojo")).includes("❤️"));
    assert.ok(texts(find(groups, "party popper")).includes("🎉"));
  }
  // A heart in one language, and something else's code in the other.
  assert.equal(find(inEnglish, "cor")[0].codes[0].slice(0, 3), "cor");
  assert.equal(find(inSpanish, "cor")[0].name.slice(0, 7), "corazón");
});

test("what stands between two colons is one emoji or none", () => {
  assert.equal(named(inEnglish, "tada")?.text, "🎉");
  assert.equal(named(inEnglish, "party_popper")?.text, "🎉");
  assert.equal(named(inSpanish, "Cañón_de_confeti")?.text, "🎉");
  assert.equal(named(inEnglish, "tad"), null);
  assert.equal(named(inEnglish, "30"), null);
});

test("a skin tone is put where it belongs", () => {
  const emoji = (text) => all.find((each) => each.text === text);
  assert.equal(toned(emoji("👍"), 0), "👍");
  assert.equal(toned(emoji("👍"), 3), "👍🏽");
  assert.equal(toned(emoji("🕵️"), 1), "🕵🏻");
  assert.equal(toned(emoji("🧔‍♂️"), 5), "🧔🏿‍♂️");
  assert.equal(toned(emoji("🧑‍🤝‍🧑"), 2), "🧑🏼‍🤝‍🧑🏼");
  assert.equal(toned(emoji("🎉"), 3), "🎉");
});

test("arrows go through the groups as through one grid", () => {
  // Rows of four: 0-3, 4-5 | 6-8 | 9-12, 13
  const go = (key, at, how) => cellBeside(key, [6, 3, 5], 4, at, how);
  assert.equal(go("ArrowRight", 5), 6);
  assert.equal(go("ArrowLeft", 0), 0);
  assert.equal(go("ArrowRight", 13), 13);
  assert.equal(go("ArrowDown", 3), 5);
  assert.equal(go("ArrowDown", 5), 7);
  assert.equal(go("ArrowUp", 9), 6);
  assert.equal(go("ArrowUp", 2), -1);
  assert.equal(go("ArrowDown", 13), 13);
  assert.equal(go("Home", 8), 6);
  assert.equal(go("End", 10), 12);
  assert.equal(go("Home", 8, { control: true }), 0);
  assert.equal(go("End", 0, { control: true }), 13);
  assert.equal(go("ArrowRight", 5, { rtl: true }), 4);
  assert.equal(go("ArrowLeft", 5, { rtl: true }), 6);
  assert.equal(go("PageDown", 1), 13);
  assert.equal(go("x", 1), null);
});
