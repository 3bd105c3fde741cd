/**
 * Which conversations a list has, and in which order: by the server's own rules, so that a list need
 * not be asked for anew whenever one of them has changed. Nothing of the page is known here.
 *
 * @typedef {import("#sdk/types.js").Person} Person
 * @typedef {object} Conversation a conversation's state, as the protocol has it
 * @property {string} room
 * @property {string | null} notes
 * @property {string} inbox
 * @property {Person} client
 * @property {Person | null} agent
 * @property {string} url
 * @property {"open" | "snoozed" | "resolved"} status
 * @property {string | null} snoozed_until
 * @property {string | null} waiting_since
 * @property {string} opened_at
 * @property {string | null} resolved_at
 * @property {{seq: number, at: string, author: Person, text: string} | null} last
 * @property {number} head
 * @property {number} delivered_seq
 * @property {number} read_seq
 * @property {number} client_read
 * @property {number | null} rating
 * @property {string} rating_text
 * @property {{state: "waiting" | "sent" | "failed", at: string, address: string, seq: number} | null} mail how
 *   the answers fare that go to the visitor by mail; the last of them has this seq
 */

/** In the order in which they are offered. */
export const FILTERS = /** @type {const} */ (["unassigned", "mine", "all", "waiting", "snoozed", "resolved"]);

/** @typedef {typeof FILTERS[number]} Filter */

/**
 * @param {Filter} filter
 * @param {Conversation} conversation
 * @param {string} me my id
 */
export function belongs(filter, conversation, me) {
  const { status, agent, waiting_since } = conversation;
  if (filter === "snoozed" || filter === "resolved") return status === filter;
  if (status !== "open") return false;
  if (filter === "unassigned") return agent === null;
  if (filter === "mine") return agent?.id === me;
  return filter === "all" || waiting_since !== null;
}

/**
 * The order of a list: who has waited longest first, or what was said last.
 *
 * @param {Filter} filter
 * @returns {(a: Conversation, b: Conversation) => number}
 */
export function order(filter) {
  if (filter === "waiting") return (a, b) => compare(a.waiting_since ?? "", b.waiting_since ?? "") || compare(a.room, b.room);
  return (a, b) => compare(lastSaid(b), lastSaid(a)) || compare(a.room, b.room);
}

/** @param {Conversation} conversation times of one form, so that their order is that of the texts */
function lastSaid(conversation) {
  return conversation.last?.at ?? conversation.opened_at;
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** @param {Conversation} conversation whether its visitor has said something that no agent has read */
export function isUnread({ last, read_seq, client }) {
  return last !== null && last.author.id === client.id && last.seq > read_seq;
}
