import { Refusal, RoomLog } from "#sdk";
import { bySpeaking } from "#sdk/item.js";
import { signal } from "#signals";
import { live } from "#page/live.js";
import { visible } from "#page/world.js";
import { ANOTHER, NEWEST } from "./connection.js";

/** How many messages are asked for at once. */
const PAGE = 30;
/** Milliseconds between two marks of what has been read: more often the server writes none. */
const MARK_EVERY = 1_000;
/** Seconds until the server is asked again for what it refused, where it names no time. */
const LOOK_AGAIN = 30;

/**
 * @typedef {import("#sdk/types.js").Message} Message
 * @typedef {import("#sdk/types.js").Person} Person
 * @typedef {object} State what the server says of the conversation, as far as the visitor sees it
 * @property {string} status
 * @property {Person | null} agent
 * @property {number} delivered_seq the highest seq that has come to an agent
 * @property {number} read_seq the highest seq that an agent has read
 * @property {number | null} rating
 */

/** What the visitor and the agents say to each other; there is none before the first message. */
export class Conversation {
  /** @type {import("#signals").Signal<RoomLog | null>} */
  log = signal(/** @type {RoomLog | null} */ (null));
  /** @type {import("#signals").Signal<State | null>} */
  state = signal(/** @type {State | null} */ (null));
  /** Whether the server has said if there is one. */
  known = signal(false);
  /** Why what was said before is not shown: `unopened`. */
  trouble = signal("");
  /** The address of one that is resolved, and was left for another, which begins with the next message. */
  left = signal(/** @type {string | null} */ (null));
  #app;
  #session;
  #markedAt = -Infinity;
  /** What has been in view, whether it is marked already or not. */
  #seen = 0;
  /** @type {any} */
  #marking = null;
  /** @type {any} */
  #lookingAgain = null;
  /** Up to where the agents are known to have read. */
  #read = { room: "", seq: 0 };
  /** Up to where it is known to have come to one of them. */
  #delivered = { room: "", seq: 0 };
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * @param {import("./app.js").App} app
   * @param {import("./session.js").Session} session
   */
  constructor(app, session) {
    this.#app = app;
    this.#session = session;
    const { connection } = session;
    connection.on("welcome", () => void this.#look());
    connection.on("event", (frame) => {
      if (frame.type === "room.entered" && frame.room !== this.log.peek()?.slug) void this.#look();
      // Also before the log is there, or while it catches up.
      else if (frame.type === "read.changed") this.#readBy(frame.room, frame.who, frame.read);
      else if (frame.type === "conversation.delivered") this.#deliveredTo(frame.room, frame.seq);
    });
    session.outbox.on("change", () => this.#arrived());
    const follow = () => this.#follow();
    this.#stops = [app.shown.subscribe(follow), visible.subscribe(follow)];
  }

  /** Messages at hand, from the oldest. */
  get messages() {
    const log = this.log.value;
    return log ? live(log).messages : [];
  }

  /** What is on its way, in the order in which it was said. */
  get items() {
    const outbox = live(this.#session.outbox);
    const log = this.log.value;
    const head = log ? live(log).head : 0;
    const places = log ? [NEWEST, log.slug, ANOTHER] : [NEWEST, ANOTHER];
    return places.flatMap((place) => outbox.items(place, head)).sort(bySpeaking);
  }

  /** @param {string} text */
  send(text) {
    this.#session.outbox.send(this.#place, text);
  }

  /** Where the next message goes. Nothing overtakes what was said before the conversation was there. */
  get #place() {
    const { outbox } = this.#session;
    const waits = (/** @type {string} */ place) => outbox.items(place).some(({ state }) => state !== "sent");
    if (this.left.peek() !== null || waits(ANOTHER)) return ANOTHER;
    const log = this.log.peek();
    return log && !waits(NEWEST) ? log.slug : NEWEST;
  }

  /** Leave the resolved one. The server is asked for another with the first message of it. */
  beginAnother() {
    const log = this.log.peek();
    if (!log || this.state.peek()?.status !== "resolved") return;
    this.left.value = log.slug;
    this.#leave();
    this.#app.host.count(0);
  }

  /** To the one that was left. */
  goBack() {
    this.left.value = null;
    void this.#look();
  }

  /**
   * How well the visitor was helped.
   *
   * @param {number} rating from 1 to 5
   * @param {string} text
   */
  async rate(rating, text) {
    const room = this.log.peek()?.slug ?? "";
    await this.#session.connection.request("conversation.rate", { room, rating, text });
    this.#change({ rating });
  }

  /** @param {any} conversation the result of `conversation.open` */
  enter({ room, state }) {
    this.known.value = true;
    // It was left, and nobody has opened it again since.
    if (this.left.peek() === room && state.status === "resolved") return;
    this.left.value = null;
    // What was told meanwhile may be newer than the answer.
    this.state.value = {
      ...state,
      delivered_seq: Math.max(state.delivered_seq, upTo(this.#delivered, room)),
      read_seq: Math.max(state.read_seq, upTo(this.#read, room)),
    };
    if (this.log.peek()?.slug === room) return;
    this.log.peek()?.close();
    const log = new RoomLog(this.#session.connection, room, { limit: PAGE });
    log.on("event", (event) => this.#happened(event));
    log.on("passing", (frame) => this.#passed(frame));
    log.on("reset", () => {
      this.#seen = 0;
    });
    log.on("change", () => {
      this.#arrived();
      this.#follow();
    });
    this.log.value = log;
    log.open();
  }

  close() {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#lookingAgain);
    this.#leave();
  }

  #leave() {
    clearTimeout(this.#marking);
    this.#marking = null;
    this.log.peek()?.close();
    this.log.value = null;
    this.state.value = null;
  }

  /** Whether there is one: nothing is made for who only looks. */
  async #look() {
    const { connection } = this.#session;
    clearTimeout(this.#lookingAgain);
    try {
      const { rooms } = await connection.request("room.list", { limit: 1 });
      // There is one to be found.
      if (rooms.length > 0) this.enter(await connection.openConversation());
      this.known.value = true;
      this.trouble.value = "";
    } catch (error) {
      // Without a connection the next welcome looks again.
      if (error instanceof Refusal) this.#refused(error);
    }
  }

  /** @param {Refusal} refusal of what was said before: it is there, and cannot be shown */
  #refused(refusal) {
    console.warn(`Tertulia: the conversation cannot be opened: ${refusal.code}, ${refusal.message}`);
    this.trouble.value = "unopened";
    this.#lookingAgain = setTimeout(() => void this.#look(), 1000 * (refusal.retryAfter ?? LOOK_AGAIN));
  }

  /** @param {any} event of the log */
  #happened(event) {
    if (event.type === "conversation.changed") {
      const { agent, status, rating } = event;
      this.#change({ agent, status, rating });
    } else if (event.type === "message.created" && event.actor.id !== this.#session.me.id) {
      // Who answers is there, and has read what was said before.
      this.#app.presence.somebody();
      this.#readBy(event.room, event.actor, event.seq);
    }
  }

  /** @param {any} frame of the room, neither kept nor replayed */
  #passed(frame) {
    if (frame.type === "typing.started" && frame.who.id !== this.#session.me.id) this.#app.presence.somebody();
  }

  /**
   * @param {string} room
   * @param {Person} who
   * @param {number} seq
   */
  #readBy(room, who, seq) {
    if (who.id === this.#session.me.id) return;
    this.#read = { room, seq: Math.max(seq, upTo(this.#read, room)) };
    if (room === this.log.peek()?.slug && this.#read.seq > (this.state.peek()?.read_seq ?? 0)) this.#change({ read_seq: this.#read.seq });
  }

  /**
   * @param {string} room
   * @param {number} seq
   */
  #deliveredTo(room, seq) {
    void this.#app.presence.delivered();
    this.#delivered = { room, seq: Math.max(seq, upTo(this.#delivered, room)) };
    if (room === this.log.peek()?.slug && seq > (this.state.peek()?.delivered_seq ?? 0)) this.#change({ delivered_seq: seq });
  }

  /** @param {Partial<State>} changes */
  #change(changes) {
    const state = this.state.peek();
    if (state) this.state.value = { ...state, ...changes };
  }

  /** What another tab has sent while this one read what is kept is in the log, and on its way no more. */
  #arrived() {
    const { outbox } = this.#session;
    const log = this.log.peek();
    if (!log || outbox.size === 0) return;
    const keys = new Set(log.messages.map(({ key }) => key));
    const items = [NEWEST, log.slug, ANOTHER].flatMap((place) => outbox.items(place));
    for (const { key, state } of items) if (state !== "sent" && keys.has(key)) outbox.discard(key);
  }

  // What has been read, and what has not

  #follow() {
    const log = this.log.peek();
    if (!log) return;
    if (this.#app.shown.peek() && visible.peek()) this.#mark(log);
    const me = this.#session.me.id;
    const read = Math.max(log.read, this.#seen);
    const unread = log.messages.filter(({ author, seq, deleted }) => seq > read && author.id !== me && !deleted);
    this.#app.host.count(unread.length);
  }

  /** @param {RoomLog} log */
  #mark(log) {
    if (log.phase !== "live") return;
    this.#seen = log.head;
    if (log.head <= log.read || this.#marking !== null) return;
    const wait = Math.max(0, this.#markedAt + MARK_EVERY - performance.now());
    this.#marking = setTimeout(() => {
      this.#marking = null;
      this.#markedAt = performance.now();
      void log.markRead(this.#seen).catch(() => {});
    }, wait);
  }
}

/**
 * @param {{room: string, seq: number}} mark
 * @param {string} room
 * @returns {number} 0 for a mark of another one
 */
function upTo(mark, room) {
  return mark.room === room ? mark.seq : 0;
}
