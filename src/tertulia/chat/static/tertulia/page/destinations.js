import { match } from "./match.js";
import { roomTitle } from "./people.js";

/** At most so many of a kind are offered. */
const MOST = { rooms: 30, people: 8, publicRooms: 8 };

/**
 * @typedef {import("../sdk/types.js").MyRoom} MyRoom
 * @typedef {import("../sdk/types.js").Person} Person
 * @typedef {import("./match.js").Ranges} Ranges
 * @typedef {{room: string, name: string, topic: string}} Offered a public room
 *
 * @typedef {object} Destination somewhere to go
 * @property {string} key
 * @property {"room" | "person" | "public" | "create"} kind
 * @property {string} title
 * @property {Ranges} ranges what of the title was typed
 * @property {MyRoom} [room]
 * @property {Person} [person]
 * @property {Offered} [offered]
 * @typedef {{name: string, destinations: Destination[]}} Section `name`: a key of the texts
 */

/**
 * Where somebody means to go who typed `query`, from the best to the least.
 *
 * What the server knows stands below what was at hand, so that nothing moves when it comes.
 *
 * @param {string} query
 * @param {{rooms: MyRoom[], recent: string[], present: string | null, people: Person[],
 *   offered: Offered[]}} known `recent`: slugs, the last one first; `present`: the slug of the
 *   room that is open; `people` and `offered`: what the server found
 * @returns {Section[]} none is empty
 */
export function destinations(query, { rooms, recent, present, people, offered }) {
  const text = query.trim();
  const mine = text ? meant(text, rooms, recent) : atRest(rooms, recent, present);
  const all = text ? [...mine, ...further(text, rooms, people, offered)] : mine;
  return all.filter((section) => section.destinations.length > 0);
}

/**
 * Without a query: what is unread, then where I was last, the room that is open at the end.
 *
 * @param {MyRoom[]} rooms
 * @param {string[]} recent
 * @param {string | null} present
 * @returns {Section[]}
 */
function atRest(rooms, recent, present) {
  const others = rooms
    .filter((room) => !room.archived && room.room !== present)
    .map((room) => destination(room, []))
    .sort(byUse(recent));
  const unread = others.filter(({ room }) => Number(room?.unread) > 0);
  const read = others.filter(({ room }) => room?.unread === 0);
  const [direct, named] = [true, false].map((wanted) =>
    read.filter(({ room }) => (room?.kind === "direct") === wanted),
  );
  return [
    { name: "unreadRooms", destinations: unread },
    { name: "rooms", destinations: named.slice(0, MOST.rooms) },
    { name: "directRooms", destinations: direct.slice(0, MOST.rooms) },
  ];
}

/**
 * @param {string} text
 * @param {MyRoom[]} rooms
 * @param {string[]} recent
 * @returns {Section[]}
 */
function meant(text, rooms, recent) {
  const order = byUse(recent);
  const found = rooms.flatMap((room) => {
    const how = match(text, roomTitle(room));
    return how ? [{ quality: how.quality, each: destination(room, how.ranges) }] : [];
  });
  found.sort(
    (a, b) =>
      Number(a.each.room?.archived) - Number(b.each.room?.archived) ||
      b.quality - a.quality ||
      order(a.each, b.each),
  );
  return [{ name: "rooms", destinations: found.slice(0, MOST.rooms).map(({ each }) => each) }];
}

/**
 * @param {string} text
 * @param {MyRoom[]} rooms
 * @param {Person[]} people
 * @param {Offered[]} offered
 * @returns {Section[]}
 */
function further(text, rooms, people, offered) {
  const known = new Set(rooms.map((room) => room.room));
  // Whom I write with already has a room of his own above.
  const met = new Set(rooms.flatMap(({ people: others }) => (others?.length === 1 ? [others[0].id] : [])));
  return [
    {
      name: "people",
      destinations: people
        .filter((person) => !met.has(person.id))
        .slice(0, MOST.people)
        .map((person) => ({
          key: `person:${person.id}`,
          kind: "person",
          title: person.name,
          ranges: match(text, person.name)?.ranges ?? [],
          person,
        })),
    },
    {
      name: "publicRooms",
      destinations: offered
        .filter((each) => !known.has(each.room))
        .slice(0, MOST.publicRooms)
        .map((each) => ({
          key: `room:${each.room}`,
          kind: "public",
          title: each.name || each.room,
          ranges: match(text, each.name || each.room)?.ranges ?? [],
          offered: each,
        })),
    },
    {
      name: "newRoom",
      destinations: [{ key: "create", kind: "create", title: text, ranges: [] }],
    },
  ];
}

/**
 * @param {MyRoom} room
 * @param {Ranges} ranges
 * @returns {Destination}
 */
function destination(room, ranges) {
  return { key: `room:${room.room}`, kind: "room", title: roomTitle(room), ranges, room };
}

/**
 * Mentions first, then unread, then where I was last, then favourites, then by title.
 *
 * @param {string[]} recent
 */
function byUse(recent) {
  const places = new Map(recent.map((slug, i) => [slug, i]));
  const place = (/** @type {MyRoom} */ { room }) => places.get(room) ?? Infinity;
  return (/** @type {Destination} */ { room: a, title }, /** @type {Destination} */ { room: b, title: other }) => {
    if (!a || !b) return 0;
    return (
      Number(b.mentions > 0) - Number(a.mentions > 0) ||
      Number(b.unread > 0) - Number(a.unread > 0) ||
      (place(a) === place(b) ? 0 : place(a) - place(b)) ||
      Number(Boolean(b.favourite)) - Number(Boolean(a.favourite)) ||
      title.localeCompare(other)
    );
  };
}
