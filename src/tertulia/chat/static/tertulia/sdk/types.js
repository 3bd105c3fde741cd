/**
 * The objects of the protocol, version 1, as they travel.
 *
 * @typedef {{id: string, name: string, kind: "member" | "guest" | "bot" | "visitor",
 *   avatar: string | null}} Person
 * @typedef {"owner" | "moderator" | "member"} Role
 * @typedef {Person & {role: Role, read?: number}} Member `read` in direct rooms only
 * @typedef {{emoji: string, count: number, by: string[]}} Reaction `by` holds at most 50 ids
 * @typedef {{seq: number, version: number, number: number, key: string, author: Person,
 *   text: string, html: string, sent_at: string, edited_at: string | null, deleted: boolean,
 *   reply_to: number | null, mentions: string[], attachments: any[],
 *   reactions: Reaction[]}} Message `version` is the seq of the last event that touched it
 * @typedef {{room: string, name: string, kind: "public" | "private" | "direct" | "support",
 *   topic: string, archived: boolean, messages: number, role?: Role | null}} RoomState
 * @typedef {RoomState & {head: number, read: number, unread: number, mentions: number,
 *   favourite: boolean, people?: Person[]}} MyRoom `people` are the others of a direct room
 * @typedef {{type: string, room: string, seq: number, at: string, actor: Person,
 *   message?: Message, target?: number, emoji?: string, count?: number, member?: Person,
 *   role?: Role | null, state?: RoomState}} DurableEvent
 * @typedef {{type: "welcome", protocol: number, epoch: string, me: Person, heartbeat: number,
 *   limits: {frame: number, text: number, page: number, resume: number},
 *   guest_token?: string}} Welcome `heartbeat` in seconds
 * @typedef {{setTimeout: (act: () => void, ms: number) => any,
 *   clearTimeout: (timer: any) => void, now: () => number}} Clock `now` in milliseconds
 */

/** @type {Clock} */
export const systemClock = {
  setTimeout: (act, ms) => setTimeout(act, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
};
