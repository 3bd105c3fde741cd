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
  /** @type {Map<string, {replies: import("./variables.js").Reply[], at: number}>} by inbox */
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
    if (!known || Date.now() - known.at > FRESH) void this.#load(inbox, known?.replies ?? []);
    return known?.replies ?? [];
  }

  /**
   * @param {string} inbox
   * @param {import("./variables.js").Reply[]} before
   */
  async #load(inbox, before) {
    // Asked for once in a while, whatever the answer.
    this.#known.set(inbox, { replies: before, at: Date.now() });
    try {
      const { replies } = await this.#connection.request("reply.list", { inbox });
      this.#known.set(inbox, { replies, at: Date.now() });
      this.emit("change", undefined);
    } catch {
      this.#known.set(inbox, { replies: before, at: 0 });
    }
  }
}
