import { spoken } from "./i18n.js";
import { roomTitle } from "./people.js";

/** @typedef {import("../sdk/types.js").MyRoom} MyRoom */

/**
 * My rooms as the list at the left shows them; each is in one of the sections.
 *
 * @param {MyRoom[]} rooms
 * @param {string | null} [kept] the slug of one that stays among the unread while it is read
 */
export function sections(rooms, kept = null) {
  const sorted = [...rooms].sort(byTitle);
  const open = sorted.filter((room) => !room.archived);
  const isUnread = (/** @type {MyRoom} */ room) => room.unread > 0 || room.room === kept;
  const read = open.filter((room) => !isUnread(room));
  const others = read.filter((room) => !room.favourite);
  return {
    unread: open.filter(isUnread),
    favourites: read.filter((room) => room.favourite),
    rooms: others.filter((room) => room.kind !== "direct"),
    direct: others.filter((room) => room.kind === "direct"),
    archived: sorted.filter((room) => room.archived),
  };
}

/**
 * Those that one goes through by key, from top to bottom.
 *
 * @param {MyRoom[]} rooms
 * @param {string | null} [kept] as in `sections`
 */
export function inOrder(rooms, kept = null) {
  const { unread, favourites, rooms: others, direct } = sections(rooms, kept);
  return [...unread, ...favourites, ...others, ...direct];
}

/**
 * @param {MyRoom} a
 * @param {MyRoom} b
 */
function byTitle(a, b) {
  return roomTitle(a).localeCompare(roomTitle(b), spoken()) || (a.room < b.room ? -1 : 1);
}
