import assert from "node:assert/strict";
import { before, test } from "node:test";
import "./document.js";
import { speak } from "../../src/tertulia/chat/static/tertulia/page/i18n.js";
import { complete, members, outsiders } from "../../src/tertulia/chat/static/tertulia/page/suggestions.js";
import { inCode, trigger } from "../../src/tertulia/chat/static/tertulia/page/trigger.js";

before(() => speak("en"));

/** What is completed in a text whose caret is at its end: `@` or `:` and the query. */
function completed(text) {
  const found = trigger(text);
  return found && `${found.kind === "person" ? "@" : ":"}${found.query}${found.closed ? ":" : ""}`;
}

test("people are completed after an @ that begins a word", () => {
  assert.equal(completed("@"), "@");
  assert.equal(completed("hola @an"), "@an");
  assert.equal(completed("(@José"), "@José");
  assert.equal(completed("¿@דנה"), "@דנה");
  assert.equal(completed("hola\n@an"), "@an");
  assert.equal(completed("@Ana María L"), "@Ana María L");
  assert.deepEqual(trigger("hola @an"), { kind: "person", from: 5, query: "an", closed: false });
});

test("nobody is completed in the middle of a word, an address, or after a space", () => {
  for (const text of ["ana@", "ana@example.org", "https://x.org/@ana", "@@ana", "\\@ana", "@ana ", "@ ana", "@ana, b"]) {
    assert.equal(completed(text), null, text);
  }
});

test("emoji are completed after a colon and two letters", () => {
  assert.equal(completed(":ta"), ":ta");
  assert.equal(completed("good :tada"), ":tada");
  assert.equal(completed("❤️:ta"), ":ta");
  assert.equal(completed(":corazón_ro"), ":corazón_ro");
  assert.equal(completed(":+1"), ":+1");
  assert.equal(completed(":-1"), ":-1");
  assert.equal(completed(":tada:"), ":tada:");
});

test("smileys, times, addresses and labels are no emoji", () => {
  for (const text of [":)", ":-)", ":-D", ":D", ":/", ":t", "10:30", "at 10:30", "https://x", "std::move", "nota:si", ": ta", "a :tada: b"]) {
    assert.equal(completed(text), null, text);
  }
});

test("nothing is completed in code", () => {
  for (const text of ["`@an", "``a ` @an", "```\n@an", "~~~ py\nx = 1\n:ta", "    @an", "a\n\n\t:ta", "```\n``\n@an"]) {
    assert.equal(completed(text), null, text);
  }
  for (const text of ["`code` @an", "```\ncode\n```\n@an", "an `open one\n\n@an", "a\n    @an", "```\n```\n:ta"]) {
    assert.notEqual(completed(text), null, text);
  }
  assert.equal(inCode(""), false);
});

/** A room of these people, some of whom are here, and what they said last. */
function viewOf(names, { here = [], spoke = [], more = null, found = [] } = {}) {
  const person = (name) => ({ id: name, name, kind: "member", avatar: null, role: "member" });
  return {
    app: {
      me: person("me"),
      connection: { request: async () => ({ people: found.map(person) }) },
    },
    log: {
      messages: spoke.map((name) => ({ author: person(name) })),
      room: {
        members: new Map(["me", ...names].map((name) => [name, person(name)])),
        here: here.map(person),
        membersMore: more,
      },
    },
  };
}

const inserted = (suggestions) => suggestions.map(({ insert }) => insert);

test("members who are here come first, then those who spoke last; never myself", () => {
  const view = viewOf(["Ana", "Bea", "Carla", "Dora"], { here: ["Carla"], spoke: ["Ana", "Dora"] });
  assert.deepEqual(inserted(members(view, "")), ["@Carla ", "@Dora ", "@Ana ", "@Bea "]);
  assert.deepEqual(inserted(members(view, "m")), []);
});

test("a member is found by the beginning of any word of the name, without accents", () => {
  const view = viewOf(["José Ángel", "Angela", "Evangelina"]);
  assert.deepEqual(inserted(members(view, "ang")), ["@Angela ", "@José Ángel "]);
  assert.deepEqual(inserted(members(view, "jose an")), ["@José Ángel "]);
  // The rest of a sentence names nobody.
  assert.deepEqual(inserted(members(view, "angela jo")), []);
});

test("a name that stands there in full is not completed", () => {
  assert.equal(complete(members(viewOf(["Ana", "Bea"]), "ana"), "ana"), true);
  assert.equal(complete(members(viewOf(["Ana", "Ana María"]), "ana"), "ana"), false);
});

test("others are offered who are not in the room, unless that is not known", async () => {
  const view = viewOf(["Ana"], { found: ["Ana", "Anabel", "Susana"] });
  assert.deepEqual(inserted(await outsiders(view, "an")), ["@Anabel "]);
});
