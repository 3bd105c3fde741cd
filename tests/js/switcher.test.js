import assert from "node:assert/strict";
import { before, test } from "node:test";
import "./document.js";
import { destinations } from "../../src/tertulia/chat/static/tertulia/page/destinations.js";
import { speak } from "../../src/tertulia/chat/static/tertulia/page/i18n.js";
import { match, pieces } from "../../src/tertulia/chat/static/tertulia/page/match.js";

before(() => speak("en"));

/** The text with what was matched in brackets, or null. */
function shown(query, text) {
  const found = match(query, text);
  return found && pieces(text, found.ranges).map((piece) => (piece.marked ? `[${piece.text}]` : piece.text)).join("");
}

test("what was matched is marked, whatever folding does to it", () => {
  assert.equal(shown("gen", "General"), "[Gen]eral");
  assert.equal(shown("canon", "Él cañón"), "Él [cañón]");
  assert.equal(shown("canon", "Él can\u0303o\u0301n"), "Él [can\u0303o\u0301n]");
  assert.equal(shown("istan", "İstanbul"), "[İstan]bul");
  assert.equal(shown("two one", "One two"), "[One] [two]");
  assert.equal(shown("gnl", "General"), "[G]e[n]era[l]");
  assert.equal(shown("eral", "General"), "Gen[eral]");
  assert.equal(shown("", "General"), "General");
});

test("what does not match is not found", () => {
  assert.equal(shown("x", "General"), null);
  assert.equal(shown("general x", "General"), null);
  assert.equal(shown("nrl", "General"), null, "the first letter begins no word");
});

test("the whole is better than its beginning, a word better than what is within", () => {
  const qualities = ["General", "General talk", "The general", "Degeneral", "Ginger nerd area"].map(
    (text) => match("general", text)?.quality ?? 0,
  );
  assert.deepEqual(qualities, [5, 4, 3, 2, 0]);
  assert.equal(match("gna", "Ginger nerd area")?.quality, 1);
});

const room = (slug, more = {}) => ({
  room: slug, name: slug, kind: "public", archived: false, unread: 0, mentions: 0, favourite: false, ...more,
});
const bea = { id: "b", name: "Bea", kind: "member", avatar: null };
const direct = (person, more = {}) => room(`d-${person.id}`, { name: "", kind: "direct", people: [person], ...more });

function go(query, known) {
  const sections = destinations(query, { rooms: [], recent: [], present: null, people: [], offered: [], ...known });
  return Object.fromEntries(sections.map(({ name, destinations: each }) => [name, each.map(({ title }) => title)]));
}

test("without a query: unread, then where I was last, and not where I am", () => {
  const rooms = [room("Alpha"), room("Beta"), room("Gamma", { unread: 2 }), room("Old", { archived: true }),
    room("Delta", { unread: 1, mentions: 1 }), room("Here"), direct(bea)];
  assert.deepEqual(go("", { rooms, recent: ["Here", "Beta"], present: "Here" }), {
    unreadRooms: ["Delta", "Gamma"],
    rooms: ["Beta", "Alpha"],
    directRooms: ["Bea"],
  });
});

test("with one: by quality, then by use, archived last; a new room at the end", () => {
  const rooms = [room("Team lunch"), room("Lunch"), room("Lunar"), room("Lunacy"), room("Lunch 2019", { archived: true })];
  assert.deepEqual(go("lun", { rooms, recent: ["Team lunch", "Lunar"] }), {
    rooms: ["Lunar", "Lunacy", "Lunch", "Team lunch", "Lunch 2019"],
    newRoom: ["lun"],
  });
});

test("what the server found stands below, without what is there already", () => {
  const ben = { ...bea, id: "n", name: "Ben" };
  const rooms = [direct(bea), room("beach")];
  const offered = [{ room: "beach", name: "beach", topic: "" }, { room: "bears", name: "Bears", topic: "" }];
  assert.deepEqual(go("be", { rooms, people: [bea, ben], offered }), {
    rooms: ["Bea", "beach"],
    people: ["Ben"],
    publicRooms: ["Bears"],
    newRoom: ["be"],
  });
});
