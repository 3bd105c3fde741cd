import { Refusal } from "./errors.js";

/**
 * A message on its way.
 *
 * @typedef {object} Item
 * @property {string} key
 * @property {string} room
 * @property {string} text
 * @property {number | null} replyTo
 * @property {number | null} [seen] the seq up to which one had read when one wrote it: where the
 *   server finds that somebody else has spoken since, it refuses with `conflict`
 * @property {number} createdAt in milliseconds; two of one outbox are never equal
 * @property {number | null} order its place among all that this browser keeps, whatever its
 *   clock did; null until it is kept, and so long it is not sent
 * @property {boolean} kept by a store that gives out the places for all tabs
 * @property {boolean} fleeting the browser would not keep it: until it is sent it lasts as long as
 *   the page
 * @property {"waiting" | "sending" | "sent" | "failed"} state
 * @property {number | null} seq once it is sent
 * @property {string | null} error the code with which it was refused
 * @property {number | null} retryAt when it is sent again, in milliseconds
 */

/** What shows nothing, by the server's own rule: a message of these alone is blank. */
const BLANK = /^[\p{Z}\p{C}\u115f\u1160\u2800\u3164\uffa0]*$/u;
const MALFORMED = /\0|\p{Surrogate}/u;

/**
 * The order in which messages are sent: what is not kept yet was said last.
 *
 * @param {Item} a
 * @param {Item} b
 */
export function bySpeaking(a, b) {
  if (a.order === b.order) return a.createdAt - b.createdAt;
  return (a.order ?? Infinity) - (b.order ?? Infinity);
}

/**
 * @param {string} text
 * @param {number} limit in code points
 * @returns {Refusal | null} what the server would say to a text that it cannot take
 */
export function unfit(text, limit) {
  // Nothing has more code points than units, so most texts need not be counted.
  const length = text.length > limit ? Array.from(text).length : 0;
  if (length > limit) {
    const detail = `The text has ${length} characters; ${limit} are allowed.`;
    return new Refusal({ code: "too_large", detail });
  }
  if (MALFORMED.test(text)) {
    const detail = "Text must be valid Unicode without NUL.";
    return new Refusal({ code: "invalid", field: "text", detail });
  }
  if (!BLANK.test(text)) return null;
  return new Refusal({ code: "invalid", field: "text", detail: "The text is blank." });
}
