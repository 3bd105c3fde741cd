import assert from "node:assert/strict";
import { test } from "node:test";

// All that the templates' library asks for when it is loaded.
globalThis.document = { createTreeWalker: () => null };
const { inOrder, sections } = await import(
  "../../src/tertulia/chat/static/tertulia/page/order.js"
);

test("rooms stand in the order of their news, and each of them once", () => {
  const room = (slug, changes = {}) => ({
    room: slug, name: slug, kind: "public", unread: 0, archived: false, favourite: false, ...changes,
  });
  const rooms = [
    room("zoo"),
    room("direct", { kind: "direct" }),
    room("old", { archived: true, unread: 2 }),
    room("loved", { favourite: true }),
    room("loud", { favourite: true, unread: 1 }),
    room("attic"),
  ];
  const slugs = Object.entries(sections(rooms)).map(([name, each]) => [name, each.map(({ room }) => room)]);
  assert.deepEqual(Object.fromEntries(slugs), {
    unread: ["loud"],
    favourites: ["loved"],
    rooms: ["attic", "zoo"],
    direct: ["direct"],
    archived: ["old"],
  });
  assert.deepEqual(inOrder(rooms).map(({ room }) => room), ["loud", "loved", "attic", "zoo", "direct"]);
});

test("the room that is being read stays among the unread ones", () => {
  const room = (slug, changes = {}) => ({
    room: slug, name: slug, kind: "public", unread: 0, archived: false, favourite: false, ...changes,
  });
  const rooms = [room("a"), room("b", { unread: 1 }), room("c", { favourite: true }), room("old", { archived: true })];
  assert.deepEqual(sections(rooms, "c").unread.map(({ room: slug }) => slug), ["b", "c"]);
  assert.deepEqual(sections(rooms, "c").favourites, []);
  assert.deepEqual(inOrder(rooms, "c").map(({ room: slug }) => slug), ["b", "c", "a"]);
  // An archived one is with its kind.
  assert.deepEqual(sections(rooms, "old").unread.map(({ room: slug }) => slug), ["b"]);
});
