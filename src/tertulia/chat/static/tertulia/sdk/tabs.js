import { Emitter } from "./emitter.js";

/**
 * The tabs of one browser that share something, of which one leads at a time.
 *
 * A tab leads from when it is given the lock of that name until it yields, is closed, or has
 * the lead taken from it. What a tab tells, all others hear; nothing is kept of it.
 *
 * @extends {Emitter<{news: any, lead: void}>}
 */
export class Tabs extends Emitter {
  leading = false;
  #name;
  #locks;
  #channel;
  /** Ends the present candidacy, or the lead. @type {AbortController | null} */
  #stop = null;

  /**
   * @param {string} name
   * @param {Pick<LockManager, "request">} locks
   * @param {Pick<BroadcastChannel, "postMessage" | "onmessage">} channel
   */
  constructor(name, locks, channel) {
    super();
    this.#name = name;
    this.#locks = locks;
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.emit("news", data);
  }

  /** @param {any} news */
  tell(news) {
    this.#channel.postMessage(news);
  }

  /**
   * Lead as soon as no other tab does.
   *
   * @param {{steal?: boolean}} [options] `steal`: at once, in place of one that does nothing
   */
  lead({ steal = false } = {}) {
    this.yield();
    const stop = new AbortController();
    this.#stop = stop;
    const options = steal ? { steal } : { signal: stop.signal };
    this.#locks.request(this.#name, options, () => this.#led(stop)).catch(() => {
      if (this.#stop !== stop) return;
      if (this.leading) {
        // Another tab took the lead; this one comes after it.
        this.lead();
      } else {
        // The browser has locks, but not for this page.
        void this.#led(stop);
      }
    });
  }

  /** Let another tab lead. */
  yield() {
    this.leading = false;
    this.#stop?.abort();
    this.#stop = null;
  }

  /**
   * @param {AbortController} stop
   * @returns {Promise<void>} when the lead ends by itself
   */
  async #led({ signal }) {
    if (signal.aborted) return;
    this.leading = true;
    this.emit("lead", undefined);
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
}

/**
 * @param {string} name
 * @returns {Tabs | null} null where the browser has no locks, as on a page by plain HTTP from
 *   another machine: then each tab is on its own
 */
export function openTabs(name) {
  const locks = globalThis.navigator?.locks;
  if (!locks || typeof BroadcastChannel !== "function") return null;
  return new Tabs(name, locks, new BroadcastChannel(name));
}
