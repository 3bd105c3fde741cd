const NAME = "tertulia";
const MESSAGES = "outbox";

/**
 * Kept in IndexedDB, where all tabs of this browser find it, also after its end. There is one
 * database for the origin; a record is an item with its owner, and its primary key is the
 * item's `order`, which the database counts up and never gives twice.
 *
 * @param {string} owner the id of the person whose messages these are
 * @param {IDBFactory} [factory]
 * @returns {import("./store.js").OutboxStore}
 */
export function indexedStore(owner, factory = globalThis.indexedDB) {
  /** @type {Promise<IDBDatabase> | null} */
  let database = null;
  const forget = () => {
    database = null;
  };

  /**
   * One transaction, which is on the disk when the promise is fulfilled.
   *
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(messages: IDBObjectStore, give: (result: T) => void) => void} act
   * @returns {Promise<T>} what it gave
   */
  async function transact(mode, act) {
    database ??= opened(factory, forget);
    database.catch(forget);
    const present = await database;
    return new Promise((resolve, reject) => {
      const transaction = present.transaction(MESSAGES, mode, { durability: "strict" });
      /** @type {any} */
      let result;
      transaction.oncomplete = () => resolve(result);
      transaction.onabort = () => reject(transaction.error);
      act(transaction.objectStore(MESSAGES), (value) => {
        result = value;
      });
    });
  }

  return {
    load: () =>
      transact("readonly", (messages, give) => {
        ask(messages.index("owner").getAll(owner), (records) => {
          give(records.map(({ owner: _, ...item }) => item));
        });
      }),

    put: (item) =>
      transact("readwrite", (messages, give) => {
        const { order, ...rest } = item;
        ask(messages.index("key").getKey(item.key), (place) => {
          const record = { ...rest, owner };
          if (place !== undefined) ask(messages.put({ ...record, order: place }), give);
          // One that had a place and has none any more was discarded in another tab.
          else if (order === null) ask(messages.add(record), give);
        });
      }),

    remove: (key) =>
      transact("readwrite", (messages) => {
        ask(messages.index("key").getKey(key), (place) => {
          if (place !== undefined) messages.delete(place);
        });
      }),
  };
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @param {(result: any) => void} then
 */
function ask(request, then) {
  request.onsuccess = () => then(request.result);
}

/**
 * @param {IDBFactory} factory
 * @param {() => void} closed the browser closed it later (site data cleared, a newer page in
 *   another tab): the next transaction opens it again
 * @returns {Promise<IDBDatabase>}
 */
function opened(factory, closed) {
  return new Promise((resolve, reject) => {
    const request = factory.open(NAME, 1);
    request.onupgradeneeded = () => {
      const messages = request.result.createObjectStore(MESSAGES, {
        keyPath: "order",
        autoIncrement: true,
      });
      messages.createIndex("owner", "owner");
      messages.createIndex("key", "key", { unique: true });
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = closed;
      database.onversionchange = () => {
        database.close();
        closed();
      };
      resolve(database);
    };
  });
}
