import { Emitter } from "./emitter.js";
import { Disconnected, Refusal } from "./errors.js";
import { bySpeaking, unfit } from "./item.js";
import { newKey } from "./keys.js";
import { memoryStore } from "./store.js";
import { systemClock } from "./types.js";

/** Refusals that say nothing about the message: it is sent again by itself. */
const PASSING = new Set(["rate_limited", "unavailable", "unauthenticated"]);
/** Seconds until such a message is sent again where the server names no time. */
const RETRY_AFTER = 3;
/** Code points of a text, until a welcome names the server's own limit. */
const LIMIT = 10_000;
/** Milliseconds in which the tab that sends answers, or is taken for one that sleeps. */
const SIGN_OF_LIFE = 4_000;
/** Sent messages that are remembered, of rooms whose log no page of this tab reads. */
const REMEMBERED = 200;

/** @typedef {import("./item.js").Item} Item */

/**
 * What I said, until the room's log has it.
 *
 * A message is kept before it is sent and forgotten after it is acknowledged, so it
 * survives a loss of the connection, a reload and the end of the browser; the key makes
 * sending it again safe. In each room one message is under way at a time, and one that is
 * refused holds up those after it until it is retried or discarded: the order is the one in
 * which I spoke, in whichever tab.
 *
 * With `tabs`, the outboxes of all tabs hold the same items, and the one that leads sends
 * them. Only a tab that is online leads. The store is the truth: who begins to lead reads it;
 * what the tabs tell each other only makes it quick.
 *
 * @extends {Emitter<{change: string}>} `change` hands out the room's slug
 */
export class Outbox extends Emitter {
  #connection;
  #store;
  #tabs;
  #owner;
  #clock;
  #newKey;
  /** @type {Item[]} in the order of sending */
  #items = [];
  /** @type {Set<string>} rooms of which messages are being sent, here */
  #busy = new Set();
  /** @type {Set<Item>} those that wait for the server's reply, here */
  #underWay = new Set();
  #lastCreatedAt = 0;
  /** How many readings of the store are not finished: nothing is sent before an older message. */
  #loading = 0;
  /** How often the leading tab was heard. */
  #signs = 0;
  /** @type {string | null} the history in which messages were sent */
  #epoch = null;

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {object} [options]
   * @param {import("./store.js").OutboxStore} [options.store]
   * @param {import("./tabs.js").Tabs | null} [options.tabs] those that share the store
   * @param {import("./types.js").Person | null} [options.owner] whose messages these are: they
   *   wait while somebody else is signed in. Null: whoever is
   * @param {import("./types.js").Clock} [options.clock]
   * @param {() => string} [options.newKey]
   */
  constructor(connection, options = {}) {
    super();
    this.#connection = connection;
    this.#store = options.store ?? memoryStore();
    this.#tabs = options.tabs ?? null;
    this.#owner = options.owner ?? null;
    this.#clock = options.clock ?? systemClock;
    this.#newKey = options.newKey ?? (() => newKey());
    connection.on("welcome", () => this.#welcomed());
    connection.on("event", (frame) => this.#notice(frame));
    connection.on("status", () => {
      if (!connection.online) this.#tabs?.yield();
    });
    this.#tabs?.on("news", (news) => this.#hear(news));
    this.#tabs?.on("lead", () => void this.restore());
  }

  /** Take up what earlier pages and other tabs of this person keep. */
  async restore() {
    this.#loading += 1;
    const known = this.#items.filter((item) => item.kept);
    const kept = await this.#store.load().catch(() => null);
    this.#loading -= 1;
    if (kept) this.#adopt(kept, known);
    if (this.#tabs?.leading) this.#succeed();
    else this.#tabs?.tell({ hello: true });
    this.#pumpAll();
  }

  /**
   * What is on its way to a room, in the order in which it was said.
   *
   * @param {string} room
   * @param {number} [head] of the room's log: what was sent at or below it is in the log, and
   *   is forgotten here
   */
  items(room, head = 0) {
    const here = (/** @type {Item} */ item) => item.seq === null || item.seq > head;
    this.#items = this.#items.filter((item) => item.room !== room || here(item));
    return this.#items.filter((item) => item.room === room);
  }

  /** Those that were refused and hold up the later ones of their rooms, in all rooms. */
  get failed() {
    return this.#items.filter((item) => item.state === "failed");
  }

  /** How many messages are not acknowledged yet, in all rooms. */
  get size() {
    return this.#items.filter((item) => item.state !== "sent").length;
  }

  /** Whether something would be lost if the page ended now: not sent, and not kept (yet). */
  get fleeting() {
    return this.#items.some(({ state, order, fleeting }) => state !== "sent" && (order === null || fleeting));
  }

  /**
   * @param {string} room
   * @param {string} text
   * @param {{replyTo?: number | null, seen?: number | null}} [options]
   * @returns {Item}
   * @throws {Refusal} where the text is one that no server takes; nothing is kept of it
   */
  send(room, text, options = {}) {
    const refusal = unfit(text, this.#connection.welcome?.limits.text ?? LIMIT);
    if (refusal) throw refusal;
    /** @type {Item} */
    const item = {
      key: this.#newKey(),
      room,
      text,
      replyTo: options.replyTo ?? null,
      seen: options.seen ?? null,
      createdAt: this.#nextInstant(),
      order: null,
      kept: false,
      fleeting: false,
      state: "waiting",
      seq: null,
      error: null,
      retryAt: null,
    };
    this.#items.push(item);
    void this.#queue(item);
    this.emit("change", room);
    return item;
  }

  /** @param {string} key of a message that failed, or waits for its next try */
  retry(key) {
    const item = this.#find(key);
    if (!item || (item.state !== "failed" && item.retryAt === null)) return;
    this.#change(item, { state: "waiting", error: null, retryAt: null });
    this.#expectSign();
    void this.#pump(item.room);
  }

  /**
   * Send one that was refused since somebody else had spoken meanwhile.
   *
   * @param {string} key
   * @param {number} seen the seq up to which one has read by now
   */
  insist(key, seen) {
    const item = this.#find(key);
    if (!item) return;
    item.seen = seen;
    this.retry(key);
  }

  /** @param {string} key */
  discard(key) {
    const item = this.#find(key);
    if (!item) return;
    this.#forget(item);
    void this.#pump(item.room);
  }

  /** Discard everything that is not sent, in all tabs: before somebody else uses this browser. */
  async clear() {
    const kept = await this.#store.load().catch(() => []);
    const keys = new Set([...this.#items, ...kept].map((item) => item.key));
    for (const key of keys) {
      this.#drop(key);
      this.#tabs?.tell({ gone: key });
      await this.#store.remove(key).catch(() => {});
    }
  }

  /** @param {string} key */
  #find(key) {
    return this.#items.find((item) => item.key === key);
  }

  #nextInstant() {
    this.#lastCreatedAt = Math.max(this.#clock.now(), this.#lastCreatedAt + 1);
    return this.#lastCreatedAt;
  }

  /**
   * Give a new message its place by keeping it. Where the browser keeps nothing (full,
   * forbidden), it is still sent from memory, after all that was said before it.
   *
   * @param {Item} item
   */
  async #queue(item) {
    let place = null;
    try {
      place = (await this.#store.put(item)) ?? null;
    } catch {
      item.fleeting = true;
    }
    if (!this.#items.includes(item)) {
      void this.#store.remove(item.key).catch(() => {});
      return;
    }
    item.kept = place !== null;
    item.order = place ?? Math.max(0, ...this.#items.map((each) => each.order ?? 0));
    this.#items.sort(bySpeaking);
    this.#tabs?.tell({ item });
    if (item.fleeting) this.#changed(item);
    this.#expectSign();
    void this.#pump(item.room);
  }

  // Sending

  #welcomed() {
    const epoch = this.#connection.welcome?.epoch ?? null;
    // A backup was restored: what was sent is in the log anew, or lost with the history that had it.
    if (this.#epoch !== null && this.#epoch !== epoch) {
      for (const { key, state } of this.#items) if (state === "sent") this.#drop(key);
    }
    this.#epoch = epoch;
    if (this.#isOwner()) this.#tabs?.lead();
    if (this.size > 0) this.#expectSign();
    this.#pumpAll();
  }

  /** Guests come and go under new ids, and are nobody else for that. */
  #isOwner() {
    const me = this.#connection.welcome?.me;
    const owner = this.#owner ?? me;
    return owner?.id === me?.id || (owner?.kind === "guest" && me?.kind === "guest");
  }

  get #sends() {
    const leads = this.#tabs?.leading ?? true;
    return leads && this.#loading === 0 && this.#connection.online && this.#isOwner();
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
      while (item && this.#sends && (await this.#deliver(item))) item = this.#next(room);
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
    const held = item?.order === null || item?.state === "failed" || item?.retryAt != null;
    return item && !held ? item : null;
  }

  /**
   * @param {Item} item
   * @returns {Promise<boolean>} whether the next one may follow
   */
  async #deliver(item) {
    this.#underWay.add(item);
    this.#change(item, { state: "sending" });
    const { room, key, text, replyTo, seen = null } = item;
    try {
      const command = { room, key, text, ...(replyTo !== null && { reply_to: replyTo }), ...(seen !== null && { seen }) };
      const { seq } = await this.#connection.request("message.send", command);
      this.#sent(item, seq);
      return true;
    } catch (error) {
      if (!this.#items.includes(item) || item.state === "sent") return true;
      if (error instanceof Disconnected) this.#change(item, { state: "waiting" });
      else if (error instanceof Refusal) this.#refused(item, error);
      else throw error;
      return false;
    } finally {
      this.#underWay.delete(item);
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
    this.#clock.setTimeout(() => {
      if (item.retryAt === retryAt) this.retry(item.key);
    }, wait);
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
    this.#change(item, { state: "sent", seq, error: null, retryAt: null });
  }

  /**
   * My own message came by as an event: it has arrived, whether a reply comes or not. Other
   * tabs may not have heard of it yet.
   *
   * @param {any} frame
   */
  #notice(frame) {
    if (frame.type !== "message.created" || frame.actor.id !== this.#connection.welcome?.me.id) {
      return;
    }
    const item = this.#find(frame.message.key);
    if (!item) return;
    if (item.state !== "sent") this.#sent(item, frame.seq);
    this.#drop(item.key);
  }

  // What is at hand, here and in the other tabs

  /**
   * @param {Item} item
   * @param {Partial<Item>} changes
   */
  #change(item, changes) {
    const failed = item.state === "failed";
    Object.assign(item, changes);
    // All else is found out anew by who reads it next; and what is sent is kept no longer.
    const kept = item.state !== "sent" && failed !== (item.state === "failed");
    if (kept) void this.#store.put(item).catch(() => {});
    this.#tabs?.tell({ item });
    this.#changed(item);
  }

  /** @param {Item} item */
  #changed(item) {
    const sent = this.#items.filter(({ state }) => state === "sent");
    if (sent.length > REMEMBERED) this.#drop(sent[0].key);
    this.emit("change", item.room);
  }

  /** @param {Item} item */
  #forget(item) {
    this.#drop(item.key);
    this.#tabs?.tell({ gone: item.key });
    void this.#store.remove(item.key).catch(() => {});
  }

  /** @param {string} key */
  #drop(key) {
    const item = this.#find(key);
    if (!item) return;
    this.#items = this.#items.filter((each) => each !== item);
    this.emit("change", item.room);
  }

  /**
   * @param {Item[]} kept by the store
   * @param {Item[]} known to be kept before it was read: one that is missing was sent or
   *   discarded by another tab
   */
  #adopt(kept, known) {
    const keys = new Set(kept.map((item) => item.key));
    const gone = known.filter((item) => !keys.has(item.key) && item.state !== "sent");
    for (const item of gone) this.#drop(item.key);
    for (const item of kept) {
      const state = item.state === "failed" ? "failed" : "waiting";
      const shared = typeof item.order === "number";
      this.#take({ ...item, order: item.order ?? 0, kept: shared, fleeting: false, state, retryAt: null });
    }
  }

  /** What the tab that led before was about to do is this one's now. */
  #succeed() {
    for (const item of this.#items) {
      const begun = item.state === "sending" || item.retryAt !== null;
      if (begun && !this.#underWay.has(item)) Object.assign(item, { state: "waiting", retryAt: null });
    }
    this.#tellAll();
  }

  /**
   * How it stands with a message, by the store or another tab.
   *
   * @param {Item} item
   */
  #take(item) {
    const known = this.#find(item.key);
    if (known?.state === "sent") return;
    if (known && this.#underWay.has(known) && item.state !== "sent") return;
    if (known) Object.assign(known, item);
    else if (item.state !== "sent") this.#items.push(item);
    this.#items.sort(bySpeaking);
    this.#lastCreatedAt = Math.max(this.#lastCreatedAt, item.createdAt);
    this.#changed(item);
  }

  /** @param {{item?: Item, items?: Item[], gone?: string, hello?: boolean}} news */
  #hear({ item, items, gone, hello }) {
    if (hello && this.#tabs?.leading) this.#tellAll();
    if (items) this.#signs += 1;
    for (const each of [...(items ?? []), ...(item ? [item] : [])]) this.#take(each);
    if (gone) this.#drop(gone);
    this.#pumpAll();
  }

  #tellAll() {
    const items = this.#items.filter((item) => item.order !== null && item.state !== "sent");
    this.#tabs?.tell({ items });
  }

  /** A tab can hold the lead and sleep (frozen by the browser): then this one takes it. */
  #expectSign() {
    const tabs = this.#tabs;
    if (!tabs || tabs.leading || !this.#connection.online || !this.#isOwner()) return;
    const signs = this.#signs;
    tabs.tell({ hello: true });
    this.#clock.setTimeout(() => {
      const silent = signs === this.#signs && !tabs.leading;
      if (silent && this.#connection.online && this.#isOwner()) tabs.lead({ steal: true });
    }, SIGN_OF_LIFE);
  }
}
