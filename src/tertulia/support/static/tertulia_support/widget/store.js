import { openStore } from "#sdk";

/**
 * What is written for an inbox in this browser, and not sent: messages as the chat keeps them, and
 * where the browser refuses that to a frame of another site, in the storage of that site, by the
 * page around; and drafts, for as long as the tab.
 *
 * For each message that the chat keeps, and that is to be sent by itself, a mark is kept around: by
 * it the site's next page knows that there is something to send.
 *
 * A message is somebody's. Kept by somebody else under the same key, it is his from then on, in one
 * step; whoever else has it in hand finds it gone.
 */
export class Store {
  #host;
  #inbox;
  #own;
  /** Made when this browser forgot its visitor: what bears another is nobody's any more. */
  #mark = "";

  /**
   * @param {import("./host.js").Host} host
   * @param {string} inbox its public id
   */
  constructor(host, inbox) {
    this.#host = host;
    this.#inbox = inbox;
    this.#own = openStore(`widget:${inbox}`);
  }

  /**
   * @param {string} mark
   * @returns {Promise<void>} when what bears another is gone; from now on it is seen no more
   */
  async begin(mark) {
    this.#mark = mark;
    forgetDrafts(`tertulia:widget:${this.#inbox}:`, this.draftOf(""));
    const kept = /** @type {any[]} */ (await this.#own.load());
    const others = kept.filter((item) => item.mark !== mark);
    await Promise.all(others.map(({ key }) => this.#own.remove(key)));
  }

  /** Put away the marks of what is not kept any more: the browser may have lost it, or another tab sent it. */
  async tidy() {
    // A message is kept before its mark, so what is not found after the mark is gone.
    const around = (await this.#host.ask({ what: "load" })).map(read);
    const kept = new Set((await this.#own.load()).map(({ key }) => key));
    for (const item of around) if (item && item.mark !== this.#mark && !kept.has(item.key)) void this.#around(item.key, null);
  }

  /** @param {string} whose his draft's name */
  draftOf(whose) {
    return `tertulia:widget:${this.#inbox}:${this.#mark}:${whose}`;
  }

  /**
   * @param {string} whose messages they are
   * @returns {import("#sdk/store.js").OutboxStore}
   */
  of(whose) {
    const mark = this.#mark;
    return {
      load: async () => {
        const around = await this.#host.ask({ what: "load" });
        const kept = [...(await this.#own.load()), ...around.map(read)];
        return kept.filter((item) => item?.whose === whose && item.mark === mark);
      },
      put: async (item) => {
        const { key, state, order } = item;
        const record = { ...item, whose, mark };
        try {
          const place = await this.#own.put(record);
          // Without a place, what had one before may be kept around and nowhere else. What was refused waits for the visitor.
          if (order === null || place !== undefined) void this.#around(key, state === "failed" ? null : JSON.stringify({ key }));
          return place;
        } catch {
          if (!(await this.#around(key, JSON.stringify(record)))) throw new Error("Nothing is kept.");
        }
      },
      remove: async (key) => {
        await this.#around(key, null);
        await this.#own.remove(key);
      },
    };
  }

  /**
   * @param {string} key
   * @param {string | null} value
   * @returns {Promise<boolean>} whether it outlasts the page
   */
  #around(key, value) {
    return this.#host.ask({ what: "keep", name: `outbox:${key}`, value });
  }
}

/** @param {string} text */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {string} all how their names begin
 * @param {string} but those that begin like this
 */
function forgetDrafts(all, but) {
  try {
    const names = Object.keys(sessionStorage).filter((name) => name.startsWith(all));
    for (const name of names) if (!name.startsWith(but)) sessionStorage.removeItem(name);
  } catch {
    // The browser forbids it, and so there are none.
  }
}
