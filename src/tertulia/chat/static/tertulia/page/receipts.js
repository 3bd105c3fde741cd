import { list } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("./room-view.js").RoomView} RoomView */

/**
 * In a direct room: under which of my messages it says who has read up to there. Who has spoken
 * since has plainly read it, so that is said of nobody twice.
 *
 * @param {RoomView} view
 * @returns {Map<number, string>} seq of a message → words
 */
export function receipts(view) {
  const { room } = view.log;
  /** @type {Map<number, string[]>} */
  const readers = new Map();
  if (room.state?.kind !== "direct") return new Map();
  for (const [id, read] of view.reads) {
    const name = room.members.get(id)?.name;
    const seq = lastReadOfMine(view, id, read);
    if (name !== undefined && seq !== null) readers.set(seq, [...(readers.get(seq) ?? []), name]);
  }
  const two = room.members.size <= 2;
  return new Map([...readers].map(([seq, names]) => [seq, two ? t("read") : t("readBy", { names: list(names) })]));
}

/**
 * The newest of my messages that somebody has read, unless he has answered since.
 *
 * @param {RoomView} view
 * @param {string} id whose
 * @param {number} read how far he has read
 */
function lastReadOfMine({ messages, app }, id, read) {
  const { me } = app;
  for (const message of messages.toReversed()) {
    if (message.author.id === id) return null;
    if (message.author.id === me.id && message.seq <= read) return message.seq;
  }
  return null;
}
