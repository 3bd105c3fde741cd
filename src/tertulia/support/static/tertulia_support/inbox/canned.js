import { Emitter } from "#sdk/emitter.js";

/** Milliseconds after which somebody may have changed them. */
const FRESH = 60_000;

/**
 * The answers of each inbox that are ready.
 *
 * @extends {Emitter<{change: void}>}
 */
export class Canned extends Emitter {
  #connection;
  /** @type {Map<string, {replies: import("./variables.js").Reply[], at: number, loading?: Promise<void>}>} by inbox */
  #known = new Map();

  /** @param {import("#sdk").Connection} connection */
  constructor(connection) {
    super();
    this.#connection = connection;
  }

  /**
   * Those at hand; others are asked for, and told when they are here.
   *
   * @param {string} inbox
   */
  of(inbox) {
    const known = this.#known.get(inbox);
    if (!known || Date.now() - known.at > FRESH) this.#load(inbox, known?.replies ?? []);
    return known?.replies ?? [];
  }

  /**
   * The same, for who begins to write before the first of them have come.
   *
   * @param {string} inbox
   */
  async awaited(inbox) {
    const replies = this.of(inbox);
    if (replies.length > 0) return replies;
    await this.#known.get(inbox)?.loading;
    return this.#known.get(inbox)?.replies ?? [];
  }

  /**
   * @param {string} inbox
   * @param {import("./variables.js").Reply[]} before
   */
  #load(inbox, before) {
    // Asked for once in a while, whatever the answer.
    this.#known.set(inbox, { replies: before, at: Date.now(), loading: this.#ask(inbox, before) });
  }

  /**
   * @param {string} inbox
   * @param {import("./variables.js").Reply[]} before
   */
  async #ask(inbox, before) {
    try {
      const { replies } = await this.#connection.request("reply.list", { inbox });
      this.#known.set(inbox, { replies, at: Date.now() });
      this.emit("change", undefined);
    } catch {
      this.#known.set(inbox, { replies: before, at: 0 });
    }
  }
}
