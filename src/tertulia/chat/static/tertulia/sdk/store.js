import { indexedStore } from "./database.js";

/**
 * Where an outbox keeps what is not sent yet.
 *
 * @typedef {import("./item.js").Item} Item
 * @typedef {object} OutboxStore
 * @property {() => Promise<Item[]>} load everything kept, in no particular order
 * @property {(item: Item) => Promise<number | void>} put keep it, in place of one with the same
 *   key; rejects where it is not kept. A store that several tabs share gives a new item (`order` null) its place among all,
 *   and does not take back one that had a place and was removed meanwhile
 * @property {(key: string) => Promise<void>} remove
 */

/** Milliseconds after which a browser that neither opens IndexedDB nor says no is not waited for. */
const OPENING = 4_000;

/**
 * The best store that this browser has: IndexedDB; else `localStorage`. What neither takes, since
 * they are full or forbidden, `put` refuses.
 *
 * @param {string} owner the id of the person whose messages these are
 * @returns {OutboxStore} at once; it opens behind its methods
 */
export function openStore(owner) {
  const simple = simpleStore(owner);
  const late = new Promise((resolve) => setTimeout(resolve, OPENING, simple));
  const best = Promise.race([bestStore(owner, simple), late]);
  return {
    load: async () => (await best).load(),
    put: async (item) => (await best).put(item),
    remove: async (key) => (await best).remove(key),
  };
}

/**
 * @param {string} owner
 * @param {OutboxStore} simple
 * @returns {Promise<OutboxStore>}
 */
async function bestStore(owner, simple) {
  const indexed = indexedStore(owner);
  try {
    await indexed.load();
  } catch {
    return simple;
  }
  return {
    // What an earlier version or a worse day left in `localStorage` moves to IndexedDB, if it can.
    async load() {
      for (const item of (await simple.load()).sort((a, b) => a.createdAt - b.createdAt)) {
        const moved = indexed.put({ ...item, order: null }).then(() => simple.remove(item.key));
        await moved.catch(() => {});
      }
      const left = await simple.load();
      return [...(await indexed.load()), ...left];
    },
    // A browser may have no room for the one and some for the other.
    put: (item) => indexed.put(item).catch(() => simple.put(item)),
    async remove(key) {
      await simple.remove(key);
      await indexed.remove(key);
    },
  };
}

/** @param {string} owner */
function simpleStore(owner) {
  try {
    return localStore(owner, globalThis.localStorage);
  } catch {
    // The browser forbids it.
    return { ...memoryStore(), put: () => Promise.reject(new Error("Nothing is kept.")) };
  }
}

/**
 * Kept in `localStorage`, so a reload or a crash of the tab loses nothing. One entry a
 * message: two tabs of the same person never overwrite each other's.
 *
 * @param {string} owner the id of the person whose messages these are
 * @param {Storage} [storage]
 * @returns {OutboxStore}
 */
export function localStore(owner, storage = globalThis.localStorage) {
  const prefix = `tertulia:outbox:${owner}:`;
  return {
    async load() {
      const names = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      return names
        .filter((name) => name.startsWith(prefix))
        .map((name) => parsed(storage.getItem(name)))
        .filter((item) => item !== null);
    },
    async put(item) {
      storage.setItem(prefix + item.key, JSON.stringify(item));
    },
    async remove(key) {
      storage.removeItem(prefix + key);
    },
  };
}

/**
 * @param {string | null} text
 * @returns {Item | null} null for what is no message
 */
function parsed(text) {
  try {
    const item = JSON.parse(text ?? "null");
    return typeof item?.key === "string" ? item : null;
  } catch {
    return null;
  }
}

/**
 * Kept for as long as the page lives.
 *
 * @returns {OutboxStore}
 */
export function memoryStore() {
  /** @type {Map<string, Item>} */
  const items = new Map();
  return {
    load: async () => [...items.values()].map((item) => ({ ...item })),
    put: async (item) => void items.set(item.key, { ...item }),
    remove: async (key) => void items.delete(key),
  };
}
