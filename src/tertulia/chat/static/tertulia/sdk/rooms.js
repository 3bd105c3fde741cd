import { Emitter } from "./emitter.js";
import { systemClock } from "./types.js";

/** Milliseconds in which several reasons to ask the server again become one. */
const PATIENCE = 300;

/** @typedef {import("./types.js").MyRoom} MyRoom */

/**
 * My rooms with what is unread in them, kept live.
 *
 * The list is asked for at each welcome. Between two lists it follows the events of the
 * subscribed rooms and `room.activity` of the others; where these do not tell the exact
 * figure, it asks again.
 *
 * @extends {Emitter<{change: void}>}
 */
export class Rooms extends Emitter {
  loaded = false;
  /** @type {Map<string, MyRoom>} by slug */
  #rooms = new Map();
  #connection;
  #clock;
  /** @type {any} */
  #timer = null;
  #refreshedAt = -Infinity;
  #listing = 0;

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {{clock?: import("./types.js").Clock}} [options]
   */
  constructor(connection, options = {}) {
    super();
    this.#connection = connection;
    this.#clock = options.clock ?? systemClock;
    connection.on("welcome", () => void this.refresh());
    connection.on("event", (frame) => this.#receive(frame));
  }

  get all() {
    return [...this.#rooms.values()];
  }

  /** @param {string} slug */
  get(slug) {
    return this.#rooms.get(slug) ?? null;
  }

  get unread() {
    return this.all.reduce((sum, room) => sum + room.unread, 0);
  }

  /** Ask for the whole list. */
  async refresh() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#refreshedAt = this.#clock.now();
    const listing = ++this.#listing;
    /** @type {MyRoom[]} */
    const rooms = [];
    let cursor = null;
    try {
      do {
        const fields = cursor === null ? { limit: 100 } : { limit: 100, cursor };
        const page = await this.#connection.request("room.list", fields);
        rooms.push(...page.rooms);
        cursor = page.more;
      } while (cursor !== null);
    } catch {
      // Lost: the next welcome asks again. Refused: what is at hand stays.
      return;
    }
    if (listing !== this.#listing) return;
    // A reply can come after events that it does not know of yet.
    const late = rooms.some((room) => room.head < (this.#rooms.get(room.room)?.head ?? 0));
    if (late) this.refreshSoon();
    this.#rooms = new Map(rooms.map((room) => [room.room, room]));
    this.loaded = true;
    this.emit("change", undefined);
  }

  /** Ask for the list in a moment: something changed that only the server can count. */
  refreshSoon() {
    this.#timer ??= this.#clock.setTimeout(() => void this.refresh(), PATIENCE);
  }

  /**
   * I have read a room up to its head, here.
   *
   * @param {string} slug
   * @param {number} read
   */
  markRead(slug, read) {
    this.#update(slug, { read, unread: 0, mentions: 0 });
  }

  /**
   * Keep a room at the top of the list, or no longer. It shows at once; what the server refuses
   * is undone and thrown on.
   *
   * @param {string} slug
   * @param {boolean} favourite
   */
  async setFavourite(slug, favourite) {
    const before = this.get(slug)?.favourite ?? false;
    this.#update(slug, { favourite });
    try {
      await this.#connection.request("room.favourite", { room: slug, favourite });
    } catch (error) {
      this.#update(slug, { favourite: before });
      throw error;
    }
  }

  /** A room more is in the list at once; of many at a time, the others come together. */
  #entered() {
    if (this.#clock.now() - this.#refreshedAt < PATIENCE) this.refreshSoon();
    else void this.refresh();
  }

  /** @param {any} frame */
  #receive(frame) {
    const room = this.#rooms.get(frame.room);
    if (frame.type === "room.entered") this.#entered();
    else if (frame.type === "room.left") this.#remove(frame.room);
    else if (room) this.#follow(room, frame);
  }

  /**
   * @param {MyRoom} room
   * @param {any} frame
   */
  #follow(room, frame) {
    const me = this.#connection.welcome?.me.id ?? "";
    if (frame.type === "room.activity") this.#active(room, frame, frame.mentioned.includes(me));
    else if (frame.type === "message.created") this.#spoken(room, frame, me);
    else if (frame.type === "room.updated") this.#update(room.room, { ...frame.state });
    else if (frame.type === "message.edited" || frame.type === "message.deleted") this.#changed(room, frame);
    else if (frame.type === "person.changed") this.#renamed(room, frame.who);
    else if (frame.type === "favourite.changed") this.#update(room.room, { favourite: frame.favourite });
    else if (frame.type === "read.changed" && frame.who.id === me) this.#readElsewhere(room, frame);
    else if (frame.type === "member.changed" && frame.member.id === me) {
      this.#update(room.room, { role: frame.role });
    }
  }

  /**
   * @param {MyRoom} room
   * @param {{head: number, messages: number}} activity
   * @param {boolean} mentioned
   */
  #active(room, activity, mentioned) {
    const { head, messages } = activity;
    // Older than what its events, or the list, have told.
    if (head <= room.head) return;
    if (head <= room.read) {
      // I have read it on another device, whose news were faster.
      this.#update(room.room, { head, messages, unread: 0, mentions: 0 });
      return;
    }
    const unread = room.unread + Math.max(0, messages - room.messages);
    this.#update(room.room, { head, messages, unread });
    // Several mentions can be in one activity, a new name or topic is in none, and of what has
    // grown a part may be read.
    if (mentioned || unread === room.unread || room.read > room.head) this.refreshSoon();
  }

  /**
   * @param {MyRoom} room
   * @param {any} event
   * @param {string} me
   */
  #spoken(room, event, me) {
    if (event.message.number <= room.messages) return;
    const read = event.actor.id === me ? event.seq : room.read;
    const mentioned = event.message.mentions.includes(me);
    // That I have read it on another device may be told before it comes itself.
    const known = read >= event.seq;
    this.#update(room.room, {
      head: event.seq,
      messages: event.message.number,
      read,
      unread: known ? 0 : room.unread + 1,
      mentions: known ? 0 : room.mentions + (mentioned ? 1 : 0),
    });
  }

  /**
   * A direct room is called after its people.
   *
   * @param {MyRoom} room
   * @param {import("./types.js").Person} who
   */
  #renamed(room, who) {
    if (!room.people) return;
    const people = room.people.map((person) => (person.id === who.id ? who : person));
    this.#update(room.room, { people });
  }

  /**
   * An unread message may name me now, or no longer.
   *
   * @param {MyRoom} room
   * @param {any} event
   */
  #changed(room, event) {
    if (event.message.seq > room.read) this.refreshSoon();
  }

  /**
   * @param {MyRoom} room
   * @param {{read: number}} frame
   */
  #readElsewhere(room, frame) {
    if (frame.read <= room.read) return;
    if (frame.read >= room.head) this.markRead(room.room, frame.read);
    else this.refreshSoon();
  }

  /**
   * @param {string} slug
   * @param {Partial<MyRoom>} changes
   */
  #update(slug, changes) {
    const room = this.#rooms.get(slug);
    if (!room) return;
    this.#rooms.set(slug, { ...room, ...changes });
    this.emit("change", undefined);
  }

  /** @param {string} slug */
  #remove(slug) {
    if (this.#rooms.delete(slug)) this.emit("change", undefined);
  }
}
