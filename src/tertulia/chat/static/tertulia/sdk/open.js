import { Outbox } from "./outbox.js";
import { openStore } from "./store.js";
import { openTabs } from "./tabs.js";

/**
 * The outbox of a page: kept as well as the browser can, shared with its other tabs, and with
 * what is left from before already in it. To be opened before the connection starts.
 *
 * @param {import("./connection.js").Connection} connection
 * @param {import("./types.js").Person} owner who is signed in
 * @returns {Outbox}
 */
export function openOutbox(connection, owner) {
  const tabs = openTabs(`tertulia:outbox:${owner.id}`);
  const outbox = new Outbox(connection, { store: openStore(owner.id), tabs, owner });
  void outbox.restore();
  return outbox;
}
