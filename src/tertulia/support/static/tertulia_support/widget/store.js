import { openStore } from "#sdk";

/**
 * Where the widget keeps what is not sent: as the chat does, and what the browser refuses to a frame
 * of another site goes to the storage of that site, by the page around.
 *
 * @param {import("./host.js").Host} host
 * @param {string} owner the visitor's id
 * @returns {import("#sdk/store.js").OutboxStore}
 */
export function visitorStore(host, owner) {
  const own = openStore(owner);
  return {
    async load() {
      const texts = await host.ask({ what: "load" });
      const around = texts.map(read).filter((/** @type {any} */ each) => each?.owner === owner);
      return [...(await own.load().catch(() => [])), ...around.map((/** @type {any} */ each) => each.item)];
    },
    put: (item) =>
      own.put(item).catch(async () => {
        const value = JSON.stringify({ owner, item });
        if (!(await host.ask({ what: "put", key: item.key, value }))) throw new Error("Nothing is kept.");
      }),
    async remove(key) {
      await host.ask({ what: "remove", key });
      await own.remove(key);
    },
  };
}

/** @param {string} text */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
