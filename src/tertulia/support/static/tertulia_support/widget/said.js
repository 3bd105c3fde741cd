import { newKey } from "#sdk";
import { bySpeaking } from "#sdk/item.js";
import { signal } from "#signals";
import { NEWEST } from "./connection.js";

/** @typedef {import("#sdk/item.js").Item} Item its key is the same in each tab, so that it is one message */

/**
 * What was said before the server knew who says it. It is kept like any other message, and is
 * here until the outbox of the visitor has it.
 */
export class Said {
  /** In the order in which it was said. */
  items = signal(/** @type {Item[]} */ ([]));
  /** @type {import("#sdk/store.js").OutboxStore[]} */
  #stores = [];

  /**
   * @param {import("#sdk/store.js").OutboxStore[]} stores where it is kept; what is said from now on,
   *   in the first
   */
  async open(stores) {
    this.#stores = stores;
    await this.look();
  }

  /** @param {string} text */
  say(text) {
    /** @type {Item} */
    const item = {
      ...{ key: newKey(), room: NEWEST, text, createdAt: Date.now(), order: null, kept: false, fleeting: false },
      ...{ replyTo: null, seen: null, state: "waiting", seq: null, error: null, retryAt: null },
    };
    this.items.value = [...this.items.peek(), item];
    void this.#keep(item);
  }

  /** See what is kept: another tab may have said something, or have given it to the visitor. */
  async look() {
    const known = new Set(this.items.peek().filter(({ kept }) => kept).map(({ key }) => key));
    const loaded = await Promise.all(this.#stores.map((store) => store.load())).catch(() => null);
    if (loaded === null) return;
    const found = loaded.flat().map((item) => ({ ...item, kept: true, fleeting: false }));
    const keys = new Set([...known, ...found.map(({ key }) => key)]);
    const rest = this.items.peek().filter(({ key }) => !keys.has(key));
    this.items.value = [...found, ...rest].sort(bySpeaking);
  }

  /**
   * Make it somebody's: whoever looks after this finds it gone.
   *
   * @param {import("#sdk/store.js").OutboxStore} store what his outbox keeps
   */
  async give(store) {
    await this.look();
    await Promise.all(this.items.peek().filter(({ kept }) => kept).map((item) => store.put(item).catch(() => {})));
  }

  /** @returns {Item[]} all of it */
  take() {
    const items = this.items.peek();
    this.items.value = [];
    return items;
  }

  /** @param {Item} item */
  async #keep(item) {
    let kept = true;
    try {
      await this.#stores[0].put(item);
    } catch {
      kept = false;
    }
    this.items.value = this.items.peek().map((each) => (each.key === item.key ? { ...each, kept, fleeting: !kept } : each));
  }
}
