import { Emitter } from "#sdk/emitter.js";
import { Refusal } from "#sdk";

/** Milliseconds after the last key before the server is asked. */
const PATIENCE = 250;
/** Results that are shown at first, and further at a time. */
const PAGE = 30;

/**
 * @typedef {import("./filters.js").Conversation} Conversation
 * @typedef {{text: string, marks: [number, number][]}} Snippet `marks` in code points
 * @typedef {Snippet & {room: string, seq: number, at: string, author: import("#sdk/types.js").Person, note: boolean}} Found
 * @typedef {{conversation: Conversation, found: Found | null, visitor: Snippet | null}} Result
 */

/**
 * What is looked for, and what was found: of the inbox that the list is of, whatever the status.
 *
 * @extends {Emitter<{change: void}>}
 */
export class Search extends Emitter {
  /** As it stands in the field. */
  text = "";
  /** The text that the results answer; null: none was answered yet. @type {string | null} */
  answered = null;
  /** @type {Result[]} */
  results = [];
  more = false;
  /** Why the last question was not answered. @type {unknown} */
  failure = null;

  #connection;
  #inbox;
  /** @type {string | null} */
  #cursor = null;
  /** Counts the questions. */
  #asked = 0;
  #loading = false;
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("#sdk").Connection} connection
   * @param {() => string | null} inbox the one that is looked in; null: all of mine
   */
  constructor(connection, inbox) {
    super();
    this.#connection = connection;
    this.#inbox = inbox;
    // What was asked without a connection, and what may have changed meanwhile.
    connection.on("welcome", () => this.again());
  }

  /** What is asked; empty where nothing is. */
  get query() {
    return this.text.trim();
  }

  get active() {
    return this.query !== "";
  }

  /** @param {string} text */
  type(text) {
    if (text === this.text) return;
    const before = this.query;
    this.text = text;
    if (this.query === before) return;
    this.#ask(PATIENCE);
    this.emit("change", undefined);
  }

  clear() {
    this.type("");
  }

  /** The same question once more. */
  again() {
    if (this.active) this.#ask(0);
  }

  /** @param {number} wait in milliseconds */
  #ask(wait) {
    clearTimeout(this.#timer);
    this.#asked += 1;
    if (this.active) {
      this.#timer = setTimeout(() => void this.#fetch(), wait);
      return;
    }
    this.answered = null;
    this.#show({ results: [], more: null });
  }

  async #fetch() {
    const { query } = this;
    const asked = ++this.#asked;
    const page = await this.#page({ query }, asked);
    if (page === null) return;
    this.answered = query;
    this.#show(page);
    this.emit("change", undefined);
  }

  /** The next page; one that is refused is asked for by the next press. */
  async loadMore() {
    if (!this.more || this.#loading || this.answered !== this.query) return;
    this.#loading = true;
    const page = await this.#page({ query: this.query, cursor: this.#cursor }, this.#asked);
    this.#loading = false;
    if (page === null) return;
    const known = new Set(this.results.map(({ conversation }) => conversation.room));
    const results = page.results.filter(({ conversation }) => !known.has(conversation.room));
    this.#show({ results: [...this.results, ...results], more: page.more });
    this.emit("change", undefined);
  }

  /**
   * @param {Record<string, any>} fields
   * @param {number} asked
   * @returns {Promise<{results: Result[], more: string | null} | null>} null: it was not answered, or
   *   nobody wants the answer any more
   */
  async #page(fields, asked) {
    const inbox = this.#inbox();
    const where = inbox === null ? {} : { inbox };
    try {
      const page = await this.#connection.request("conversation.search", { limit: PAGE, ...where, ...fields });
      return asked === this.#asked ? page : null;
    } catch (error) {
      if (asked !== this.#asked) return null;
      if (error instanceof Refusal && error.retryAfter !== null && !("cursor" in fields)) this.#ask(1000 * error.retryAfter);
      // What answers another question is no answer to this one.
      if (this.answered !== this.query) this.#show({ results: [], more: null });
      this.failure = error;
      this.emit("change", undefined);
      return null;
    }
  }

  /** @param {{results: Result[], more: string | null}} page */
  #show({ results, more }) {
    this.results = results;
    this.#cursor = more;
    this.more = more !== null;
    this.failure = null;
  }
}
