import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  codePoints,
  dateAndTime,
  day,
  dayOf,
  excerpt,
  time,
  useTimeZone,
} from "../../src/tertulia/chat/static/tertulia/page/format.js";
import { speak, t } from "../../src/tertulia/chat/static/tertulia/page/i18n.js";
import { parse, roomPath } from "../../src/tertulia/chat/static/tertulia/page/router.js";

before(() => speak("en"));

test("addresses are what the server makes of them", () => {
  assert.equal(roomPath("/chat/", "café"), "/chat/caf%C3%A9/");
  assert.equal(roomPath("/talk/chat/", "lobby", 413), "/talk/chat/lobby/413/");
  assert.deepEqual(parse("/chat/", "/chat/"), { slug: null, seq: null });
  assert.deepEqual(parse("/chat/", "/chat/caf%C3%A9/"), { slug: "café", seq: null });
  assert.deepEqual(parse("/chat/", "/chat/lobby/413/"), { slug: "lobby", seq: 413 });
});

test("plurals and values are put into the texts of both languages", async () => {
  assert.equal(t("newBelow", { n: 1 }), "1 new ↓");
  assert.equal(t("wait", { n: 2 }), "2 messages wait");
  assert.equal(t("typingTwo", { a: "ana", b: "bea" }), "ana and bea are typing…");
  await speak("es-MX");
  assert.equal(t("newBelow", { n: 2 }), "2 nuevos ↓");
  assert.equal(t("wait", { n: 1_000_000 }), "1.000.000 mensajes esperan");
  await speak("en");
});

test("a name that is written from right to left does not turn the text around it", () => {
  assert.equal(t("removeName", { name: "דנה" }), "Remove \u2068דנה\u2069");
  assert.equal(t("removeName", { name: "ana" }), "Remove ana");
});

test("days are those of the reader", () => {
  const now = new Date(2026, 10, 21, 0, 5);
  assert.equal(day(new Date(2026, 10, 21, 0, 1), now), "Today");
  assert.equal(day(new Date(2026, 10, 20, 23, 59), now), "Yesterday");
  assert.match(day(new Date(2026, 10, 15, 12, 0), now), /Sunday/);
  assert.doesNotMatch(day(new Date(2026, 10, 15), now), /2026/);
  assert.match(day(new Date(2025, 10, 15), now), /2025/);
});

test("times and days are those of the zone that somebody has chosen", () => {
  const instant = new Date("2026-03-29T22:30:00Z");
  useTimeZone("Asia/Kathmandu");
  assert.equal(time(instant), "04:15");
  assert.equal(day(instant, new Date("2026-03-30T12:00:00Z")), "Today");
  useTimeZone("America/Lima");
  assert.equal(time(instant), "17:30");
  assert.equal(day(instant, new Date("2026-03-30T12:00:00Z")), "Yesterday");
  assert.match(dateAndTime(instant), /29 March|March 29/);
  // In Madrid the clocks were put forward that day, which had 23 hours.
  useTimeZone("Europe/Madrid");
  assert.equal(dayOf(new Date("2026-03-29T21:59:59Z")) - dayOf(new Date("2026-03-28T23:00:00Z")), 0);
  assert.equal(dayOf(new Date("2026-03-29T22:00:00Z")) - dayOf(new Date("2026-03-28T23:00:00Z")), 1);
  useTimeZone("Nowhere/At_All");
  assert.match(time(instant), /^\d\d:\d\d$/);
  useTimeZone("");
});

test("letters are counted as the server counts them", () => {
  assert.equal(codePoints("hola"), 4);
  assert.equal(codePoints("👍🏽"), 2);
});

test("an excerpt is one line and cuts no letter in two", () => {
  assert.equal(excerpt(" a\n\nb  c "), "a b c");
  assert.equal(excerpt("👍👍👍", 2), "👍👍…");
});
