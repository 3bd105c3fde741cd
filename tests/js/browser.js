/** What the tabs of one browser share: a lock, a channel and a store that counts its items up. */
export class FakeBrowser {
  #channels = new Set();
  /** The requests for the lock; the first holds it. */
  #queue = [];
  #records = new Map();
  #lastOrder = 0;
  /** False: the browser is full, and nothing more is kept. */
  keeps = true;

  get locks() {
    return {
      request: (name, { signal, steal }, act) =>
        new Promise((resolve, reject) => {
          const entry = { act, reject, granted: false };
          entry.end = (settle) => {
            this.#queue = this.#queue.filter((each) => each !== entry);
            settle?.();
            this.#grant();
          };
          entry.resolve = () => entry.end(resolve);
          signal?.addEventListener("abort", () => {
            if (!entry.granted) entry.end(() => reject(new Error("AbortError")));
          });
          if (steal) this.#queue.shift()?.reject(new Error("AbortError"));
          if (steal) this.#queue.unshift(entry);
          else this.#queue.push(entry);
          this.#grant();
        }),
    };
  }

  #grant() {
    const [first] = this.#queue;
    if (!first || first.granted) return;
    first.granted = true;
    queueMicrotask(() => void Promise.resolve(first.act()).then(first.resolve));
  }

  channel() {
    const channel = {
      onmessage: null,
      deaf: false,
      postMessage: (news) => {
        const data = structuredClone(news);
        for (const other of this.#channels) {
          if (other === channel || other.deaf || channel.deaf) continue;
          queueMicrotask(() => other.onmessage?.({ data: structuredClone(data) }));
        }
      },
    };
    this.#channels.add(channel);
    return channel;
  }

  /** As the store in IndexedDB does it; see `database.js`. */
  store() {
    const records = this.#records;
    return {
      load: async () => [...records.values()].map((item) => structuredClone(item)),
      put: async (item) => {
        if (!this.keeps) throw new Error("QuotaExceededError");
        const order = records.get(item.key)?.order ?? (item.order === null ? ++this.#lastOrder : null);
        if (order === null) return undefined;
        records.set(item.key, { ...structuredClone(item), order });
        return order;
      },
      remove: async (key) => void records.delete(key),
    };
  }
}
