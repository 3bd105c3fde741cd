import { Emitter } from "./emitter.js";
import { Disconnected, Refusal } from "./errors.js";
import { Room, TYPING_LASTS } from "./room.js";
import { systemClock } from "./types.js";
import { MessageWindow } from "./window.js";

/** Seconds until a subscription refused without a `retry_after` is tried again. */
const RETRY_AFTER = 5;

/**
 * @typedef {import("./types.js").DurableEvent} DurableEvent
 * @typedef {import("./types.js").Message} Message
 * @typedef {"loading" | "live" | "behind" | "refused"} Phase
 *   `behind`: what is shown may be out of date, since there is no connection or a resume is
 *   under way; `refused`: there is nothing more to come, `refusal` says why
 */

/**
 * One room's log, as this client has applied it: every event once, in the order of `seq`.
 *
 * `head` is the seq of the last event applied. After a loss it resumes from there; where
 * the server cannot, it answers with a reset and the log begins anew.
 *
 * @extends {Emitter<{change: void, reset: void, message: Message, event: DurableEvent,
 *   passing: any}>}
 */
export class RoomLog extends Emitter {
  /** @type {Phase} */
  phase = "loading";
  /** @type {string | null} an error code, or `removed` for one who is a member no longer */
  refusal = null;
  head = 0;
  /** The seq up to which I have read. */
  read = 0;
  room;
  window = new MessageWindow();

  #connection;
  #clock;
  #limit;
  /** @type {string | null} the history that `head` belongs to */
  #epoch = null;
  /** @type {DurableEvent[] | null} events that wait for the reply to `room.subscribe` */
  #held = null;
  #subscription = 0;
  /** @type {any} */
  #retry = null;
  /** @type {(() => void)[]} */
  #stops = [];
  /** @type {Set<any>} */
  #typingTimers = new Set();
  /** How far the server knows that I have read. */
  #marked = 0;
  #pages = 0;
  /** @type {DurableEvent[]} what happened while a page of history was under way */
  #meanwhile = [];

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {string} slug
   * @param {{limit?: number, clock?: import("./types.js").Clock}} [options]
   *   `limit`: how many of the newest messages to begin with
   */
  constructor(connection, slug, options = {}) {
    super();
    this.slug = slug;
    this.room = new Room(slug);
    this.#connection = connection;
    this.#clock = options.clock ?? systemClock;
    this.#limit = options.limit ?? 50;
  }

  get messages() {
    return this.window.messages;
  }

  open() {
    const connection = this.#connection;
    this.#stops = [
      connection.on("welcome", () => void this.#subscribe()),
      connection.on("status", () => this.#statusChanged()),
      connection.on("event", (frame) => this.#receive(frame)),
    ];
    if (connection.online) void this.#subscribe();
  }

  close() {
    for (const stop of this.#stops) stop();
    this.#subscription += 1;
    this.#clock.clearTimeout(this.#retry);
    for (const timer of this.#typingTimers) this.#clock.clearTimeout(timer);
    this.#connection.request("room.unsubscribe", { room: this.slug }).catch(() => {});
  }

  /** Older messages, if there are any. */
  async loadBefore(limit = 50) {
    const [first] = this.messages;
    if (!first || !this.window.moreBefore) return;
    await this.#page({ before: first.seq, limit }, (page) => {
      // A jump elsewhere meanwhile leaves a page that no longer adjoins.
      if (this.messages[0]?.seq !== first.seq) return;
      this.window.prepend(page.messages, Boolean(page.more_before));
    });
  }

  /** Newer messages, after a jump into the past. */
  async loadAfter(limit = 50) {
    const last = this.messages.at(-1);
    if (!last || !this.window.moreAfter) return;
    await this.#page({ after: last.seq, limit }, (page) => {
      if (this.messages.at(-1)?.seq !== last.seq) return;
      this.window.append(page.messages, Boolean(page.more_after));
    });
  }

  /**
   * The surroundings of one message, in place of what was at hand.
   *
   * @param {number} seq
   * @returns {Promise<boolean>} whether that message exists
   */
  async loadAround(seq, limit = 50) {
    await this.#page({ around: seq, limit }, (page) => this.#replace(page));
    return this.window.find(seq) !== null;
  }

  /** Back to the newest messages. */
  async loadLatest(limit = 50) {
    await this.#page({ before: this.head + 1, limit }, (page) => this.#replace(page));
  }

  /**
   * Mark as read, here and on my other devices. A lower `seq` changes nothing.
   *
   * @param {number} seq
   */
  async markRead(seq) {
    if (seq <= this.read) return;
    this.read = seq;
    this.emit("change", undefined);
    await this.#mark();
  }

  /** What cannot be told now is told after the next resume. */
  async #mark() {
    const seq = this.read;
    try {
      await this.#connection.request("read.mark", { room: this.slug, seq });
      this.#marked = Math.max(this.#marked, seq);
    } catch (error) {
      if (error instanceof Refusal && error.retryAfter === null) throw error;
    }
  }

  /** @param {any} page */
  #replace(page) {
    this.window.replace(page.messages, Boolean(page.more_before), Boolean(page.more_after));
  }

  /**
   * One page of history, put into the window. What happens between the request and the
   * page is not in the page, and was not in the window: it is applied once more after it.
   *
   * @param {Record<string, number>} fields
   * @param {(page: any) => void} merge
   */
  async #page(fields, merge) {
    const run = this.#subscription;
    this.#pages += 1;
    try {
      const page = await this.#connection.request("history.list", { room: this.slug, ...fields });
      // The log has begun anew or resumed meanwhile: the page may not fit any more.
      if (run !== this.#subscription) throw new Disconnected();
      merge(page);
      for (const event of this.#meanwhile) this.window.apply(event);
    } finally {
      this.#pages -= 1;
      if (this.#pages === 0) this.#meanwhile = [];
    }
    this.emit("change", undefined);
  }

  async #subscribe() {
    this.#clock.clearTimeout(this.#retry);
    const subscription = ++this.#subscription;
    this.#held = [];
    const epoch = this.#connection.welcome?.epoch ?? null;
    // In another history lower seqs may be right.
    if (this.#epoch !== null && this.#epoch !== epoch) this.room.reads.clear();
    const fields =
      this.#epoch === null ? { limit: this.#limit } : { after: this.head, epoch: this.#epoch };
    try {
      const request = { room: this.slug, ...fields };
      const result = await this.#connection.request("room.subscribe", request);
      if (subscription !== this.#subscription) return;
      this.#subscribed(result, epoch);
    } catch (error) {
      // Without a connection the next welcome subscribes again.
      if (subscription === this.#subscription && error instanceof Refusal) this.#refused(error);
    }
  }

  /**
   * @param {any} result of `room.subscribe`
   * @param {string | null} epoch
   */
  #subscribed(result, epoch) {
    const held = this.#held ?? [];
    this.#held = null;
    this.phase = "live";
    this.refusal = null;
    if (result.events) {
      for (const event of result.events) this.#apply(event);
      this.#catchUpReads(result.reads ?? {});
    } else {
      this.#begin(result);
    }
    this.#epoch = epoch;
    for (const event of held) this.#take(event);
    if (this.read > this.#marked && this.room.state?.role) void this.#mark();
    this.emit("change", undefined);
  }

  /** @param {Record<string, number>} reads of a direct room: the news of them are not replayed */
  #catchUpReads(reads) {
    for (const [id, seq] of Object.entries(reads)) {
      this.room.hasRead(id, seq);
      if (id === this.#connection.welcome?.me.id) this.#readByMyself(seq);
    }
  }

  /** @param {any} snapshot the result of `room.subscribe` without a resume */
  #begin(snapshot) {
    this.head = snapshot.head;
    this.read = snapshot.read ?? 0;
    this.#marked = this.read;
    this.room.begin(snapshot);
    this.window.replace(snapshot.messages, Boolean(snapshot.messages_more), false);
    this.emit("reset", undefined);
  }

  /** @param {Refusal} refusal */
  #refused(refusal) {
    const known = this.#epoch !== null || this.refusal === "removed";
    if (refusal.code === "not_found" && known) {
      this.#end("removed");
    } else if (["not_found", "forbidden", "invalid"].includes(refusal.code)) {
      this.#end(refusal.code);
    } else {
      const seconds = refusal.retryAfter ?? RETRY_AFTER;
      this.#retry = this.#clock.setTimeout(() => void this.#subscribe(), 1000 * seconds);
    }
  }

  /** @param {string} refusal */
  #end(refusal) {
    this.phase = "refused";
    this.refusal = refusal;
    this.#epoch = null;
    this.#held = null;
    this.emit("change", undefined);
  }

  #statusChanged() {
    if (this.#connection.online || this.phase !== "live") return;
    this.phase = "behind";
    this.room.leaveAll();
    this.emit("change", undefined);
  }

  /** @param {any} frame */
  #receive(frame) {
    if (frame.room !== this.slug) return;
    if (typeof frame.seq === "number") {
      if (this.phase !== "refused" && this.#take(frame)) this.emit("change", undefined);
    } else {
      this.#passing(frame);
    }
  }

  /**
   * Apply `event` if it is the next one. One that was applied before is left out; one that
   * comes too early shows a gap, and the log resumes from where it is. While a subscription
   * is under way, events wait for its reply.
   *
   * @param {DurableEvent} event
   * @returns {boolean} whether anything changed
   */
  #take(event) {
    if (this.#held) {
      this.#held.push(event);
      return false;
    }
    if (event.seq <= this.head) return false;
    if (event.seq > this.head + 1) {
      this.phase = "behind";
      void this.#subscribe();
      return true;
    }
    this.#apply(event);
    return true;
  }

  /** @param {DurableEvent} event */
  #apply(event) {
    if (event.seq !== this.head + 1) return;
    this.head = event.seq;
    if (this.#pages > 0) this.#meanwhile.push(event);
    this.window.apply(event);
    this.room.apply(event);
    const mine = event.actor.id === this.#connection.welcome?.me.id;
    if (event.type === "message.created" && event.message) {
      if (mine) this.#readByMyself(event.seq);
      this.emit("message", event.message);
    }
    this.#noticeMyself(event);
    this.emit("event", event);
  }

  /** @param {DurableEvent} event */
  #noticeMyself(event) {
    if (!event.member || event.member.id !== this.#connection.welcome?.me.id) return;
    const left = event.type === "member.left";
    this.room.setMyRole(left ? null : (event.role ?? null));
    if (left && this.room.state?.kind !== "public") this.#end("removed");
  }

  /** @param {any} frame an event without a seq: neither kept nor replayed */
  #passing(frame) {
    if (frame.type === "room.entered" && this.phase === "refused") {
      this.phase = "loading";
      void this.#subscribe();
    } else if (frame.type === "room.left" && this.room.state?.kind !== "public") {
      if (this.phase !== "refused") this.#end("removed");
    } else if (frame.type === "read.changed") {
      if (frame.who.id === this.#connection.welcome?.me.id) {
        this.#readByMyself(frame.read);
      }
    }
    this.room.pass(frame, this.#clock.now());
    if (frame.type === "typing.started") this.#expireTyping();
    this.emit("passing", frame);
    this.emit("change", undefined);
  }

  /** @param {number} seq up to which the server has me down as having read */
  #readByMyself(seq) {
    this.read = Math.max(this.read, seq);
    this.#marked = Math.max(this.#marked, seq);
  }

  /** Whoever closed his laptop while typing sends no `typing.stopped`. */
  #expireTyping() {
    const timer = this.#clock.setTimeout(() => {
      this.#typingTimers.delete(timer);
      this.room.expireTyping(this.#clock.now());
      this.emit("change", undefined);
    }, TYPING_LASTS);
    this.#typingTimers.add(timer);
  }
}
