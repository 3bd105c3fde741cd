import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import chat from "../../src/tertulia/chat/static/tertulia/page/strings/en.js";
import { belongs, isUnread, order } from "../../src/tertulia/support/static/tertulia_support/inbox/filters.js";
import { ranges } from "../../src/tertulia/support/static/tertulia_support/inbox/marks.js";
import { merged, withoutHoles } from "../../src/tertulia/support/static/tertulia_support/inbox/merge.js";
import { plain } from "../../src/tertulia/support/static/tertulia_support/inbox/plain.js";
import english from "../../src/tertulia/support/static/tertulia_support/inbox/strings/en.js";
import spanish from "../../src/tertulia/support/static/tertulia_support/inbox/strings/es.js";
import { fieldMoment, fieldText, later, momentOf, shownAt } from "../../src/tertulia/support/static/tertulia_support/inbox/times.js";
import { filled, find, ownName, trigger } from "../../src/tertulia/support/static/tertulia_support/inbox/variables.js";

const PAGE = new URL("../../src/tertulia/support/static/tertulia_support/inbox/", import.meta.url);
const MADRID = "Europe/Madrid";

/** A conversation; `fields` in place of what is there. */
function conversation(fields = {}) {
  const client = { id: "marta" };
  const last = { seq: 4, at: "2026-05-04T10:00:00.000Z", author: client, text: "hola" };
  return { room: "r", client, agent: null, status: "open", waiting_since: "2026-05-04T10:00:00.000Z", last, read_seq: 0, ...fields };
}

test("each list has its own conversations", () => {
  const mine = conversation({ agent: { id: "ana" } });
  const answered = conversation({ waiting_since: null });
  const lists = (state) => ["unassigned", "mine", "all", "waiting", "snoozed", "resolved"].filter((each) => belongs(each, state, "ana"));
  assert.deepEqual(lists(conversation()), ["unassigned", "all", "waiting"]);
  assert.deepEqual(lists(mine), ["mine", "all", "waiting"]);
  assert.deepEqual(lists(answered), ["unassigned", "all"]);
  assert.deepEqual(lists(conversation({ status: "snoozed" })), ["snoozed"]);
  assert.deepEqual(lists(conversation({ status: "resolved" })), ["resolved"]);
});

test("the newest stand first, and who has waited longest in the list of those who wait", () => {
  const early = conversation({ room: "early", waiting_since: "2026-05-04T09:00:00.000Z" });
  const late = conversation({ room: "late", last: { ...early.last, at: "2026-05-04T11:00:00.000Z" } });
  const silent = conversation({ room: "silent", last: null, opened_at: "2026-05-04T10:30:00.000Z" });
  const names = (filter) => [early, late, silent].sort(order(filter)).map(({ room }) => room);
  assert.deepEqual(names("all"), ["late", "silent", "early"]);
  assert.deepEqual(names("waiting"), ["early", "late", "silent"]);
});

test("unread is what a visitor said and no agent has read", () => {
  assert.ok(isUnread(conversation()));
  assert.ok(!isUnread(conversation({ read_seq: 4 })));
  assert.ok(!isUnread(conversation({ last: { ...conversation().last, author: { id: "ana" } } })));
});

test("two logs are one by time, and each stays in its own order whatever the clocks did", () => {
  const room = [{ at: 10, is: "a" }, { at: 30, is: "b" }, { at: 20, is: "c" }];
  const notes = [{ at: 15, is: "n" }, { at: 25, is: "o" }];
  assert.equal(merged([room, notes]).map(({ is }) => is).join(""), "anobc");
});

test("nothing is shown from before a log that is not here as a whole", () => {
  const room = { things: [{ at: 10 }, { at: 20 }], more: true };
  const notes = { things: [{ at: 5 }, { at: 15 }], more: false };
  assert.deepEqual(withoutHoles([room, notes]), [room.things, [{ at: 15 }]]);
  assert.deepEqual(withoutHoles([{ ...room, more: false }, notes]), [room.things, notes.things]);
});

test("hits are where the server has seen them, whatever stands before", () => {
  const text = "🎉🎉 café 東京 x";
  const marks = [[0, 1], [3, 7], [8, 10], [11, 12]];
  assert.deepEqual(ranges({ text, marks }).map(([from, to]) => text.slice(from, to)), ["🎉", "café", "東京", "x"]);
  assert.deepEqual(ranges({ text: "", marks: [] }), []);
});

test("a clock in another zone, also on the days on which it is put forward and back", () => {
  for (const text of ["2026-01-15T09:00", "2026-07-15T09:00", "2026-10-25T12:00", "2026-03-29T12:00"]) {
    assert.equal(fieldText(fieldMoment(text, MADRID), MADRID), text);
  }
  assert.equal(new Date(fieldMoment("2026-07-15T09:00", MADRID)).toISOString(), "2026-07-15T07:00:00.000Z");
  // There was no half past two on that day.
  assert.equal(fieldText(fieldMoment("2026-03-29T02:30", MADRID), MADRID), "2026-03-29T03:30");
  assert.equal(shownAt(momentOf(Date.UTC(2026, 4, 4, 9), MADRID), MADRID), Date.UTC(2026, 4, 4, 9));
  assert.equal(fieldMoment("", MADRID), null);
});

test("what is put away comes back when work begins", () => {
  const at = (text) => later(Date.parse(text), MADRID).map(({ name, at }) => `${name} ${fieldText(at, MADRID)}`);
  // A Wednesday, at noon, in the evening, and a Sunday.
  assert.deepEqual(at("2026-05-06T10:10:00Z"), ["laterToday 2026-05-06T15:30", "tomorrow 2026-05-07T09:00", "nextWeek 2026-05-11T09:00"]);
  assert.deepEqual(at("2026-05-06T13:30:00Z"), ["laterToday 2026-05-06T18:00", "tomorrow 2026-05-07T09:00", "nextWeek 2026-05-11T09:00"]);
  assert.deepEqual(at("2026-05-06T17:00:00Z"), ["tomorrow 2026-05-07T09:00", "nextWeek 2026-05-11T09:00"]);
  assert.deepEqual(at("2026-05-10T17:00:00Z"), ["tomorrow 2026-05-11T09:00"]);
});

test("a shortcut begins at the beginning or after a space", () => {
  assert.deepEqual(trigger("/"), { kind: "further", from: 0, query: "", closed: false });
  assert.deepEqual(trigger("hola /adi"), { kind: "further", from: 5, query: "adi", closed: false });
  for (const text of ["https://x.example/a", "4/5", "/adi ", "a/"]) assert.equal(trigger(text), null, text);
});

test("answers are found by their shortcut first, then by a word", () => {
  const replies = [
    { shortcut: "bye", text: "Thank you for writing" },
    { shortcut: "thanks", text: "You are welcome" },
    { shortcut: "más", text: "Un momento" },
  ];
  assert.deepEqual(find(replies, "tha", 8).map(({ shortcut }) => shortcut), ["thanks", "bye"]);
  assert.deepEqual(find(replies, "mas", 8).map(({ shortcut }) => shortcut), ["más"]);
  assert.equal(find(replies, "", 2).length, 2);
});

test("variables that are not known stay to be seen", () => {
  assert.equal(filled("Hi {{name}}, {{ agent }}: {{order}} {{toString}}", { name: "Marta", agent: "Ana" }), "Hi Marta, Ana: {{order}} {{toString}}");
});

test("a name that the server made is none to greet somebody by", () => {
  assert.equal(ownName("Marta"), "Marta");
  assert.equal(ownName("visitor-a1a267"), "");
  assert.equal(ownName("visitor-information"), "visitor-information");
  assert.equal(ownName("[A *gift*](https://x.example) <b>"), "A gift(https://x.example) b");
});

test("where there is no name, the sentence closes over it", () => {
  const cases = {
    "Hello {{name}}, this is {{agent}}": "Hello, this is Ana",
    "Hi {{ name }}!": "Hi!",
    "Thank you, {{name}}.": "Thank you.",
    "¿Qué tal, {{name}}?": "¿Qué tal?",
    "Hello {{name}}": "Hello",
    "Dear {{name}},\n\nit is done": "Dear,\n\nit is done",
    "Hello {{name}} and welcome": "Hello and welcome",
    "{{name}}, your order is here.\n{{name}}: bye": "Your order is here.\nBye",
    "No name here , as written": "No name here , as written",
  };
  for (const [text, wanted] of Object.entries(cases)) assert.equal(filled(text, { name: "", agent: "Ana" }), wanted);
});

test("the marks of a text are left away, and what only looks like one stays", () => {
  const cases = {
    "**bold** and __bold__, *slanted* and _slanted_, ~~gone~~": "bold and bold, slanted and slanted, gone",
    "***both***, **a *b* c**": "both, a b c",
    "see [the page](https://x.example/a_b_c) or <https://y.example>": "see the page or https://y.example",
    "`a * b * c` and ``a`b``": "a * b * c and a`b",
    "```js\nconst a = 1;\n```": "const a = 1;",
    "# Title\n> said\n- one\n* two\n3. three": "Title\nsaid\none\ntwo\n3. three",
    "2 * 3 * 4, snake_case_name, a*, 5 > 4, [x], #1": "2 * 3 * 4, snake_case_name, a*, 5 > 4, [x], #1",
    "https://x.example/_a_/b_c": "https://x.example/_a_/b_c",
    "\\*no\\*": "*no*",
    "https://x.example/a\\_b and https://x.example/`c`": "https://x.example/a_b and https://x.example/c",
  };
  for (const [text, wanted] of Object.entries(cases)) assert.equal(plain(text), wanted);
});

test("both languages have the same texts, every text is asked for, and none stands for one of the chat's", () => {
  assert.deepEqual(Object.keys(spanish), Object.keys(english));
  const files = readdirSync(PAGE).filter((name) => name.endsWith(".js"));
  const code = files.map((name) => readFileSync(new URL(name, PAGE), "utf8")).join("\n");
  for (const [, key] of code.matchAll(/\bt\("([\w.]+)"/g)) assert.ok(key in english || key in chat, key);
  for (const [key, entry] of Object.entries(english)) {
    assert.equal(typeof spanish[key], typeof entry, key);
    assert.ok(!(key in chat), key);
    const [prefix, rest] = key.split(".");
    const used = rest ? code.includes(`\`${prefix}.\${`) || code.includes(`"${key}"`) : code.includes(`"${key}"`) || code.includes(`name: /** @type {const} */ ("${key}")`);
    assert.ok(used, `nobody asks for ${key}`);
  }
});
