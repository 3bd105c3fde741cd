import { parse, roomPath } from "#page/router.js";

/**
 * A message of a conversation, or of its notes, which count for themselves.
 *
 * @typedef {{seq: number, note: boolean}} Place
 */

const NOTE = /^note-(\d+)$/;

/**
 * The address of a conversation, or of a place in it.
 *
 * @param {string} home
 * @param {string} room
 * @param {Place | null} [place]
 */
export function placePath(home, room, place = null) {
  if (place?.note) return `${roomPath(home, room)}note-${place.seq}/`;
  return roomPath(home, room, place?.seq ?? null);
}

/**
 * What an address of this page means.
 *
 * @param {string} home
 * @param {string} path
 * @returns {{slug: string | null, place: Place | null}}
 */
export function placeIn(home, path) {
  const { slug, seq } = parse(home, path);
  const note = NOTE.exec(path.slice(home.length).split("/")[1] ?? "");
  if (note) return { slug, place: { seq: Number(note[1]), note: true } };
  return { slug, place: seq === null ? null : { seq, note: false } };
}
