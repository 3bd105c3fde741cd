import { signal } from "#signals";

/**
 * The messages that others reply to, where they are not at hand in the window.
 *
 * @typedef {import("../sdk/types.js").Message} Message
 */
export class Quotes {
  #log;
  #connection;
  /** @type {Set<number>} seqs of those that were asked for, there or not */
  #asked = new Set();
  /** By seq; replaced, never changed. */
  #fetched = signal(/** @type {Map<number, Message>} */ (new Map()));

  /**
   * @param {import("../sdk/index.js").RoomLog} log
   * @param {import("../sdk/index.js").Connection} connection
   */
  constructor(log, connection) {
    this.#log = log;
    this.#connection = connection;
    log.on("event", ({ message }) => {
      const known = message && this.#fetched.peek().get(message.seq);
      if (known && known.version < message.version) this.#put(message.seq, message);
    });
    log.on("reset", () => {
      this.#asked.clear();
      this.#fetched.value = new Map();
    });
  }

  /**
   * @param {number} seq
   * @returns {Message | null} null until it is here
   */
  get(seq) {
    const near = this.#log.window.find(seq);
    if (near) return near;
    if (!this.#asked.has(seq)) void this.#fetch(seq);
    return this.#fetched.value.get(seq) ?? null;
  }

  /** @param {number} seq */
  async #fetch(seq) {
    this.#asked.add(seq);
    const fields = { room: this.#log.slug, around: seq, limit: 1 };
    try {
      const { messages } = await this.#connection.request("history.list", fields);
      const found = messages.find((/** @type {Message} */ message) => message.seq === seq);
      if (found) this.#put(seq, found);
    } catch {
      // Asked for again when it is next shown.
      this.#asked.delete(seq);
    }
  }

  /**
   * @param {number} seq
   * @param {Message} message
   */
  #put(seq, message) {
    this.#fetched.value = new Map(this.#fetched.peek()).set(seq, message);
  }
}
