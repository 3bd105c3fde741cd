/**
 * The messages that others reply to, where they are not at hand in the window.
 *
 * @typedef {import("../sdk/types.js").Message} Message
 */
export class Quotes {
  #log;
  #connection;
  #update;
  /** @type {Map<number, Message | null>} by seq; null: asked for, or not there */
  #fetched = new Map();

  /**
   * @param {import("../sdk/index.js").RoomLog} log
   * @param {import("../sdk/index.js").Connection} connection
   * @param {() => void} update
   */
  constructor(log, connection, update) {
    this.#log = log;
    this.#connection = connection;
    this.#update = update;
    log.on("event", ({ message }) => {
      const known = message && this.#fetched.get(message.seq);
      if (known && known.version < message.version) this.#fetched.set(message.seq, message);
    });
    log.on("reset", () => this.#fetched.clear());
  }

  /**
   * @param {number} seq
   * @returns {Message | null} null until it is here
   */
  get(seq) {
    const near = this.#log.window.find(seq);
    if (near) return near;
    if (!this.#fetched.has(seq)) void this.#fetch(seq);
    return this.#fetched.get(seq) ?? null;
  }

  /** @param {number} seq */
  async #fetch(seq) {
    this.#fetched.set(seq, null);
    const fields = { room: this.#log.slug, around: seq, limit: 1 };
    try {
      const { messages } = await this.#connection.request("history.list", fields);
      const found = messages.find((/** @type {Message} */ message) => message.seq === seq);
      if (found) this.#fetched.set(seq, found);
      this.#update();
    } catch {
      // Asked for again when it is next shown.
      this.#fetched.delete(seq);
    }
  }
}
