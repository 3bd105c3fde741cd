/**
 * Where an outbox keeps what is not sent yet.
 *
 * @typedef {import("./outbox.js").Item} Item
 * @typedef {object} OutboxStore
 * @property {() => Promise<Item[]>} load everything kept, in no particular order
 * @property {(item: Item) => Promise<void>} put keep it, in place of one with the same key
 * @property {(key: string) => Promise<void>} remove
 */

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
    load: async () => [...items.values()],
    put: async (item) => void items.set(item.key, item),
    remove: async (key) => void items.delete(key),
  };
}
