import { Emitter } from "#sdk/emitter.js";
import { Refusal } from "#sdk";
import { visible } from "#page/world.js";
import { belongs, order } from "./filters.js";
import { AGAIN } from "./inboxes.js";

/** Conversations that a list shows at first, and further at a time. */
const PAGE = 50;
/** The most that the server gives at once. */
const MOST = 100;
/** Milliseconds in which news are gathered before anything is asked for. */
const GATHERED = 150;
/** With more conversations than these in the news at once the list is asked for anew. */
const SINGLY = 6;

/**
 * @typedef {import("./filters.js").Conversation} Conversation
 * @typedef {import("./filters.js").Filter} Filter
 * @typedef {import("#sdk/types.js").Person & {external_id: string | null, email: string, language: string,
 *   time_zone: string, url: string, seen_at: string}} Visitor
 * @typedef {{past: Conversation[], visitor: Visitor}} About what is known of a conversation's visitor
 */

/**
 * The conversations that are at hand: one of the lists, and whatever else was asked for.
 *
 * The news name a conversation and no more, so each is asked for again; after a loss of the connection
 * all are. An answer that is older than one that was taken changes nothing.
 *
 * @extends {Emitter<{change: void}>}
 */
export class Conversations extends Emitter {
  /** @type {Filter} */
  filter = "unassigned";
  /** @type {string | null} an inbox; null: all of mine */
  inbox = null;
  /** Whether the list is the one that was chosen, and not still the one before. */
  loaded = false;
  /** Whether there are further ones below. */
  more = false;

  #connection;
  #me;
  /** @type {Map<string, Conversation>} by room */
  #states = new Map();
  /** @type {Map<string, About>} by room */
  #about = new Map();
  /** @type {Set<string>} rooms of the list */
  #listed = new Set();
  /** @type {string | null} */
  #cursor = null;
  /** Counts what was asked for; of each room, the last whose answer was taken. */
  #asked = 0;
  /** @type {Map<string, number>} */
  #taken = new Map();
  /** Of each room, up to where the server knows from here that it has come. @type {Map<string, number>} */
  #received = new Map();
  /** The number of the list that is wanted. */
  #list = 0;
  /** @type {Set<string>} rooms of which there are news */
  #news = new Set();
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("#sdk").Connection} connection
   * @param {string} me my id
   */
  constructor(connection, me) {
    super();
    this.#connection = connection;
    this.#me = me;
    connection.on("welcome", () => {
      // It may be another history, after a restore.
      this.#received.clear();
      void this.load();
    });
    connection.on("event", (frame) => {
      if (frame.type === "conversation.activity") this.#heard(frame.room);
    });
    // News are hints: of what a process did just before it was killed there may be none.
    setInterval(() => {
      if (connection.online && visible.peek() && this.#listed.size <= MOST) void this.load();
    }, AGAIN);
  }

  /** The list, in its order. */
  get list() {
    return [...this.#listed].flatMap((room) => this.#states.get(room) ?? []).sort(order(this.filter));
  }

  /** @param {string} room */
  get(room) {
    return this.#states.get(room) ?? null;
  }

  /** @param {string} room */
  about(room) {
    return this.#about.get(room) ?? null;
  }

  /**
   * Another list.
   *
   * @param {Filter} filter
   * @param {string | null} inbox
   */
  choose(filter, inbox) {
    if (filter === this.filter && inbox === this.inbox) return;
    this.filter = filter;
    this.inbox = inbox;
    this.loaded = false;
    this.more = false;
    this.#listed = new Set();
    this.emit("change", undefined);
    void this.load();
  }

  /** Ask for the list, as far as it was shown. */
  async load() {
    const list = ++this.#list;
    const asked = ++this.#asked;
    const limit = Math.min(MOST, Math.max(PAGE, this.#listed.size));
    const page = await this.#page({ limit }, list);
    if (page === null) return;
    this.#listed = new Set(page.conversations.map(({ room }) => room));
    this.#cursor = page.more;
    this.#shown(page, asked);
  }

  /** The next page of it. */
  async loadMore() {
    if (!this.more) return;
    const asked = ++this.#asked;
    const page = await this.#page({ limit: PAGE, cursor: this.#cursor }, this.#list);
    if (page === null) return;
    for (const { room } of page.conversations) this.#listed.add(room);
    this.#cursor = page.more;
    this.#shown(page, asked);
  }

  /**
   * @param {Record<string, any>} fields
   * @param {number} list
   * @returns {Promise<{conversations: Conversation[], more: string | null} | null>} null: nobody wants it
   *   any more, or it is asked for again with the next welcome
   */
  async #page(fields, list) {
    const { filter, inbox } = this;
    const where = inbox === null ? {} : { inbox };
    try {
      const page = await this.#connection.request("conversation.list", { filter, ...where, ...fields });
      return list === this.#list ? page : null;
    } catch (error) {
      if (!(error instanceof Refusal) || list !== this.#list) return null;
      if (error.retryAfter !== null) setTimeout(() => list === this.#list && this.load(), 1000 * error.retryAfter);
      return null;
    }
  }

  /**
   * @param {{conversations: Conversation[]}} page
   * @param {number} asked
   */
  #shown(page, asked) {
    this.more = this.#cursor !== null;
    this.loaded = true;
    for (const state of page.conversations) this.#take(state, asked);
    this.emit("change", undefined);
  }

  /**
   * Ask how a conversation stands, and who its visitor is.
   *
   * @param {string} room
   * @returns {Promise<Conversation | null>} null: it is none of mine, or could not be asked for
   */
  async ask(room) {
    const asked = ++this.#asked;
    try {
      const { conversation, past, visitor } = await this.#connection.request("conversation.get", { room });
      this.#about.set(room, { past, visitor });
      this.#take(conversation, asked);
      this.emit("change", undefined);
      return conversation;
    } catch (error) {
      if (!(error instanceof Refusal)) return null;
      if (error.code === "not_found" || error.code === "forbidden") this.#remove(room, asked);
      else this.#heard(room, 1000 * (error.retryAfter ?? 3));
      return null;
    }
  }

  /**
   * @param {string} room
   * @param {number} [wait] in milliseconds
   */
  #heard(room, wait = GATHERED) {
    this.#news.add(room);
    this.#timer ??= setTimeout(() => this.#follow(), wait);
  }

  #follow() {
    const rooms = [...this.#news];
    this.#news.clear();
    this.#timer = null;
    if (!this.#connection.online) return;
    // What is being looked at is more than its line in the list.
    const single = rooms.length > SINGLY ? rooms.filter((room) => this.#about.has(room)) : rooms;
    for (const room of single) void this.ask(room);
    if (rooms.length > SINGLY) void this.load();
  }

  /** @param {string} room that is open no longer: nobody asks who its visitor is */
  forget(room) {
    this.#about.delete(room);
  }

  /**
   * @param {Conversation} state
   * @param {number} asked
   */
  #take(state, asked) {
    const { room } = state;
    if ((this.#taken.get(room) ?? 0) <= asked) {
      this.#taken.set(room, asked);
      this.#states.set(room, state);
      void this.#acknowledge(state);
    }
    // A list may have been asked for before what is known of one that is in it.
    const known = this.#states.get(room);
    if (known && this.#isListed(known)) this.#listed.add(room);
    else this.#listed.delete(room);
  }

  /**
   * The visitor sees that what he has said has come to somebody.
   *
   * @param {Conversation} state
   */
  async #acknowledge({ room, last, client, delivered_seq }) {
    if (last?.author.id !== client.id || last.seq <= Math.max(delivered_seq, this.#received.get(room) ?? 0)) return;
    this.#received.set(room, last.seq);
    try {
      await this.#connection.request("conversation.received", { room, seq: last.seq });
    } catch {
      // Said again with the next answer that shows it: without a connection that is after the welcome.
      this.#received.delete(room);
    }
  }

  /** @param {Conversation} state */
  #isListed(state) {
    const here = this.inbox === null || state.inbox === this.inbox;
    if (!here || !belongs(this.filter, state, this.#me)) return false;
    if (this.#listed.has(state.room) || !this.more) return true;
    // Below what is shown the server knows better what comes next.
    const last = this.list.at(-1);
    return last === undefined || order(this.filter)(state, last) < 0;
  }

  /**
   * @param {string} room
   * @param {number} asked
   */
  #remove(room, asked) {
    this.#taken.set(room, Math.max(asked, this.#taken.get(room) ?? 0));
    this.#states.delete(room);
    this.#about.delete(room);
    this.#listed.delete(room);
    this.emit("change", undefined);
  }
}
