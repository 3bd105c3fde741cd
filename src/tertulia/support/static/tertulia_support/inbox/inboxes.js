import { Emitter } from "#sdk/emitter.js";
import { visible } from "#page/world.js";

/** Milliseconds between two countings, whatever happens. */
const EVERY = 1_000;
/** Milliseconds after which they are looked at by themselves: who is here is told by nobody, nor that
 *  an inbox is mine, or no longer. */
export const AGAIN = 60_000;

/**
 * @typedef {import("#sdk/types.js").Person & {available: boolean, here: boolean, open: number}} Agent
 * @typedef {{id: string, name: string, counts: Record<string, number>, agents: Agent[]}} Inbox
 */

/**
 * The inboxes in which I answer: counted anew soon after anything has happened in them.
 *
 * @extends {Emitter<{change: void}>}
 */
export class Inboxes extends Emitter {
  loaded = false;
  /** @type {Inbox[]} */
  all = [];
  /** Those in which I do not answer: for transfers. @type {{id: string, name: string}[]} */
  others = [];

  #connection;
  #asked = 0;
  #askedAt = 0;
  /** @type {any} */
  #timer = null;

  /** @param {import("#sdk").Connection} connection */
  constructor(connection) {
    super();
    this.#connection = connection;
    connection.on("welcome", () => void this.load());
    connection.on("event", ({ type }) => {
      if (type === "conversation.activity") this.loadSoon();
    });
    setInterval(() => {
      if (connection.online && visible.peek()) this.loadSoon();
    }, AGAIN);
  }

  /** @param {string} id */
  get(id) {
    return this.all.find((inbox) => inbox.id === id) ?? null;
  }

  /** @param {string} id also of one that is not mine */
  nameOf(id) {
    return (this.get(id) ?? this.others.find((inbox) => inbox.id === id))?.name ?? null;
  }

  /** @param {string} id the other ones, mine or not */
  besides(id) {
    return [...this.all, ...this.others].filter((inbox) => inbox.id !== id);
  }

  /**
   * @param {string | null} id null: all of mine together
   * @param {string} filter
   * @returns {number | null} null where nobody counts them
   */
  count(id, filter) {
    const counted = this.all.filter((inbox) => id === null || inbox.id === id);
    if (!counted.some(({ counts }) => filter in counts)) return null;
    return counted.reduce((sum, { counts }) => sum + counts[filter], 0);
  }

  loadSoon() {
    this.#timer ??= setTimeout(() => void this.load(), Math.max(100, this.#askedAt + EVERY - Date.now()));
  }

  async load() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#askedAt = Date.now();
    const asked = ++this.#asked;
    try {
      const { inboxes, others = [] } = await this.#connection.request("inbox.list");
      if (asked !== this.#asked) return;
      this.all = inboxes;
      this.others = others;
      this.loaded = true;
      this.emit("change", undefined);
    } catch {
      // Without a connection the next welcome asks again; what was refused is asked for later.
      if (this.#connection.online && asked === this.#asked) this.#timer = setTimeout(() => void this.load(), 3 * EVERY);
    }
  }
}
