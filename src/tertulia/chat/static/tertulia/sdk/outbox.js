import { Emitter } from "./emitter.js";
import { Disconnected, Refusal } from "./errors.js";
import { newKey } from "./keys.js";
import { memoryStore } from "./store.js";
import { systemClock } from "./types.js";

/** Refusals that say nothing about the message: it is sent again by itself. */
const PASSING = new Set(["rate_limited", "unavailable", "unauthenticated"]);
/** Seconds until such a message is sent again where the server names no time. */
const RETRY_AFTER = 3;

/**
 * @typedef {object} Item a message on its way
 * @property {string} key
 * @property {string} room
 * @property {string} text
 * @property {number | null} replyTo
 * @property {number} createdAt in milliseconds; two of one outbox are never equal
 * @property {"waiting" | "sending" | "sent" | "failed"} state
 * @property {number | null} seq once it is sent
 * @property {string | null} error the code with which it was refused
 * @property {number | null} retryAt when it is sent again, in milliseconds
 */

/**
 * What I said, until the room's log has it.
 *
 * A message is kept before it is sent and forgotten after it is acknowledged, so it
 * survives a loss of the connection and a reload; the key makes sending it again safe. In
 * each room one message is under way at a time, and one that is refused holds up those
 * after it until it is retried or discarded: the order is the one in which I spoke.
 *
 * @extends {Emitter<{change: string}>} `change` hands out the room's slug
 */
export class Outbox extends Emitter {
  #connection;
  #store;
  #clock;
  #newKey;
  /** @type {Item[]} by `createdAt` */
  #items = [];
  /** @type {Set<string>} rooms of which a message is under way */
  #busy = new Set();
  #lastCreatedAt = 0;

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {object} [options]
   * @param {import("./store.js").OutboxStore} [options.store]
   * @param {import("./types.js").Clock} [options.clock]
   * @param {() => string} [options.newKey]
   */
  constructor(connection, options = {}) {
    super();
    this.#connection = connection;
    this.#store = options.store ?? memoryStore();
    this.#clock = options.clock ?? systemClock;
    this.#newKey = options.newKey ?? (() => newKey());
    connection.on("welcome", () => this.#pumpAll());
    connection.on("event", (frame) => this.#notice(frame));
  }

  /** Take up what an earlier page of this person left behind. */
  async restore() {
    const kept = await this.#store.load().catch(() => []);
    const known = new Set(this.#items.map((item) => item.key));
    const back = kept.filter((item) => !known.has(item.key));
    for (const item of back) if (item.state !== "failed") item.state = "waiting";
    for (const item of back) item.retryAt = null;
    this.#items = [...this.#items, ...back].sort((a, b) => a.createdAt - b.createdAt);
    for (const item of back) this.emit("change", item.room);
    this.#pumpAll();
  }

  /**
   * What is on its way to a room, in the order in which it was said.
   *
   * @param {string} room
   * @param {number} [head] of the room's log: what was sent at or below it is in the log
   */
  items(room, head = 0) {
    const arrived = (/** @type {Item} */ item) => item.seq !== null && item.seq <= head;
    return this.#items.filter((item) => item.room === room && !arrived(item));
  }

  /** How many messages are not acknowledged yet, in all rooms. */
  get size() {
    return this.#items.filter((item) => item.state !== "sent").length;
  }

  /**
   * @param {string} room
   * @param {string} text
   * @param {{replyTo?: number | null}} [options]
   * @returns {Item}
   */
  send(room, text, options = {}) {
    /** @type {Item} */
    const item = {
      key: this.#newKey(),
      room,
      text,
      replyTo: options.replyTo ?? null,
      createdAt: this.#nextInstant(),
      state: "waiting",
      seq: null,
      error: null,
      retryAt: null,
    };
    this.#items.push(item);
    void this.#keep(item).then(() => this.#pump(room));
    this.emit("change", room);
    return item;
  }

  /** @param {string} key of a message that failed */
  retry(key) {
    const item = this.#items.find((each) => each.key === key);
    if (!item || item.state === "sent") return;
    this.#change(item, { state: "waiting", error: null, retryAt: null });
    void this.#pump(item.room);
  }

  /** @param {string} key */
  discard(key) {
    const item = this.#items.find((each) => each.key === key);
    if (!item) return;
    this.#forget(item);
    void this.#pump(item.room);
  }

  /** Discard everything that is not sent: before somebody else uses this browser. */
  async clear() {
    const kept = await this.#store.load().catch(() => []);
    for (const { key } of [...this.#items, ...kept]) await this.#store.remove(key).catch(() => {});
    this.#items = [];
  }

  #nextInstant() {
    this.#lastCreatedAt = Math.max(this.#clock.now(), this.#lastCreatedAt + 1);
    return this.#lastCreatedAt;
  }

  #pumpAll() {
    for (const room of new Set(this.#items.map((item) => item.room))) void this.#pump(room);
  }

  /**
   * Send what waits in a room, one after the other.
   *
   * @param {string} room
   */
  async #pump(room) {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    try {
      let item = this.#next(room);
      while (item && this.#connection.online && (await this.#deliver(item))) {
        item = this.#next(room);
      }
    } finally {
      this.#busy.delete(room);
    }
  }

  /**
   * @param {string} room
   * @returns {Item | null} the first message not sent, unless it has to wait
   */
  #next(room) {
    const item = this.#items.find((each) => each.room === room && each.state !== "sent");
    const held = item?.state === "failed" || (item?.retryAt ?? 0) > this.#clock.now();
    return item && !held ? item : null;
  }

  /**
   * @param {Item} item
   * @returns {Promise<boolean>} whether the next one may follow
   */
  async #deliver(item) {
    this.#change(item, { state: "sending", retryAt: null });
    const { room, key, text, replyTo } = item;
    try {
      const command = { room, key, text, ...(replyTo !== null && { reply_to: replyTo }) };
      const { seq } = await this.#connection.request("message.send", command);
      this.#sent(item, seq);
      return true;
    } catch (error) {
      if (!this.#items.includes(item) || item.state === "sent") return true;
      if (error instanceof Disconnected) this.#change(item, { state: "waiting" });
      else if (error instanceof Refusal) this.#refused(item, error);
      else throw error;
      return false;
    }
  }

  /**
   * @param {Item} item
   * @param {Refusal} refusal
   */
  #refused(item, refusal) {
    if (!PASSING.has(refusal.code) && refusal.retryAfter === null) {
      this.#change(item, { state: "failed", error: refusal.code });
      return;
    }
    const wait = 1000 * (refusal.retryAfter ?? RETRY_AFTER);
    const retryAt = this.#clock.now() + wait;
    this.#change(item, { state: "waiting", error: refusal.code, retryAt });
    this.#clock.setTimeout(() => void this.#pump(item.room), wait);
  }

  /**
   * It is in the log. It stays at hand, but is kept no longer: its event may still be on
   * its way, and until then whoever shows the room must not lose sight of it.
   *
   * @param {Item} item
   * @param {number} seq
   */
  #sent(item, seq) {
    void this.#store.remove(item.key).catch(() => {});
    Object.assign(item, { state: "sent", seq, error: null, retryAt: null });
    this.emit("change", item.room);
  }

  /**
   * My own message came by as an event: it has arrived, whether a reply comes or not.
   *
   * @param {any} frame
   */
  #notice(frame) {
    if (frame.type !== "message.created" || frame.actor.id !== this.#connection.welcome?.me.id) {
      return;
    }
    const item = this.#items.find((each) => each.key === frame.message.key);
    if (item) this.#forget(item);
  }

  /**
   * @param {Item} item
   * @param {Partial<Item>} changes
   */
  #change(item, changes) {
    Object.assign(item, changes);
    void this.#keep(item);
    this.emit("change", item.room);
  }

  /** @param {Item} item */
  #forget(item) {
    this.#items = this.#items.filter((each) => each !== item);
    void this.#store.remove(item.key).catch(() => {});
    this.emit("change", item.room);
  }

  /**
   * Where the browser keeps nothing (full, forbidden), the message is still sent from memory.
   *
   * @param {Item} item
   */
  async #keep(item) {
    await this.#store.put(item).catch(() => {});
  }
}
