import { indexedStore } from "./database.js";

/**
 * Where an outbox keeps what is not sent yet.
 *
 * @typedef {import("./item.js").Item} Item
 * @typedef {object} OutboxStore
 * @property {() => Promise<Item[]>} load everything kept, in no particular order
 * @property {(item: Item) => Promise<number | void>} put keep it, in place of one with the same
 *   key. A store that several tabs share gives a new item (`order` null) its place among all,
 *   and does not take back one that had a place and was removed meanwhile
 * @property {(key: string) => Promise<void>} remove
 */

/**
 * The best store that this browser has: IndexedDB; else `localStorage`; else what lasts as long
 * as the page. What an earlier version or a worse day left in `localStorage` moves to IndexedDB.
 *
 * @param {string} owner the id of the person whose messages these are
 * @returns {OutboxStore} at once; it opens behind its methods
 */
export function openStore(owner) {
  const best = bestStore(owner);
  return {
    load: async () => (await best).load(),
    put: async (item) => (await best).put(item),
    remove: async (key) => (await best).remove(key),
  };
}

/** @param {string} owner */
async function bestStore(owner) {
  const simple = simpleStore(owner);
  try {
    const indexed = indexedStore(owner);
    for (const item of (await simple.load()).sort((a, b) => a.createdAt - b.createdAt)) {
      await indexed.put({ ...item, order: null });
      await simple.remove(item.key);
    }
    await indexed.load();
    return indexed;
  } catch {
    return simple;
  }
}

/** @param {string} owner */
function simpleStore(owner) {
  try {
    return localStore(owner, globalThis.localStorage);
  } catch {
    // The browser forbids it.
    return memoryStore();
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
 * Kept for as long as the page lives: where the browser keeps nothing for us.
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
