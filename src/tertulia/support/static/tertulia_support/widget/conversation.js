import { RoomLog, newKey } from "#sdk";
import { signal } from "#signals";
import { live } from "#page/live.js";
import { visible } from "#page/world.js";
import { newPlace } from "./connection.js";

/** How many messages are asked for at once. */
const PAGE = 30;
/** Milliseconds between two marks of what has been read: more often the server writes none. */
const MARK_EVERY = 1_000;

/**
 * @typedef {import("#sdk/types.js").Message} Message
 * @typedef {import("#sdk/types.js").Person} Person
 * @typedef {object} State what the server says of the conversation, as far as the visitor sees it
 * @property {string} status
 * @property {Person | null} agent
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
  #app;
  #session;
  #place;
  #markedAt = -Infinity;
  /** What has been in view, whether it is marked already or not. */
  #seen = 0;
  /** @type {any} */
  #marking = null;
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * @param {import("./app.js").App} app
   * @param {import("./session.js").Session} session
   */
  constructor(app, session) {
    this.#app = app;
    this.#session = session;
    this.#place = newPlace(session.me.id);
    const { connection } = session;
    connection.on("welcome", () => void this.#look());
    connection.on("event", (frame) => {
      if (frame.type === "room.entered" && this.log.peek() === null) void this.#look();
    });
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
    const first = outbox.items(this.#place, head);
    return log ? [...first, ...outbox.items(log.slug, head)] : first;
  }

  /** @param {string} text */
  send(text) {
    const { outbox } = this.#session;
    const log = this.log.peek();
    // Nothing overtakes what was said before the conversation was there.
    const waits = outbox.items(this.#place).some(({ state }) => state !== "sent");
    outbox.send(log && !waits ? log.slug : this.#place, text);
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
    const read = Math.max(state.read_seq, this.state.peek()?.read_seq ?? 0);
    this.state.value = { ...state, read_seq: this.log.peek()?.slug === room ? read : state.read_seq };
    if (this.log.peek()?.slug === room) return;
    this.log.peek()?.close();
    const log = new RoomLog(this.#session.connection, room, { limit: PAGE });
    log.on("event", (event) => this.#happened(event));
    log.on("passing", (frame) => this.#passed(frame));
    log.on("reset", () => {
      this.#seen = 0;
    });
    log.on("change", () => this.#follow());
    this.log.value = log;
    log.open();
  }

  close() {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#marking);
    this.log.peek()?.close();
  }

  /** Whether there is one: nothing is made for who only looks. */
  async #look() {
    const { connection } = this.#session;
    try {
      const { rooms } = await connection.request("room.list", { limit: 1 });
      // Any key will do: there is one to be found.
      if (rooms.length > 0) this.enter(await connection.openConversation(newKey()));
      this.known.value = true;
    } catch {
      // Without a connection the next welcome looks again; what is refused stays unknown.
    }
  }

  /** @param {any} event of the log */
  #happened(event) {
    if (event.type === "conversation.changed") {
      const { agent, status, rating } = event;
      this.#change({ agent, status, rating });
    } else if (event.type === "message.created" && event.actor.id !== this.#session.me.id) {
      // Who answers is there, and has read what was said before.
      this.#app.presence.somebody();
      this.#readBy(event.actor, event.seq);
    }
  }

  /** @param {any} frame of the room, neither kept nor replayed */
  #passed(frame) {
    if (frame.type === "typing.started" && frame.who.id !== this.#session.me.id) this.#app.presence.somebody();
    if (frame.type === "read.changed") this.#readBy(frame.who, frame.read);
  }

  /**
   * @param {Person} who
   * @param {number} seq
   */
  #readBy(who, seq) {
    if (who.id === this.#session.me.id || seq <= (this.state.peek()?.read_seq ?? 0)) return;
    this.#change({ read_seq: seq });
  }

  /** @param {Partial<State>} changes */
  #change(changes) {
    const state = this.state.peek();
    if (state) this.state.value = { ...state, ...changes };
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
