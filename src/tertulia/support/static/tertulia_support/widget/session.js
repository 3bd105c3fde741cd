import { Outbox, openTabs, wakeWith } from "#sdk";
import { VisitorConnection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { visitorStore } from "./store.js";

/**
 * @typedef {object} Introduced what the server says to who introduces himself
 * @property {string} token
 * @property {import("#sdk/types.js").Person} me
 * @property {boolean | null} keep whether this device is to remember the token; null: as it was
 * @property {string} email that he has left; or ""
 */

/** The server has understood, and says no. */
export class Refused extends Error {
  /** @param {number} status */
  constructor(status) {
    super(String(status));
    this.status = status;
  }
}

/**
 * @param {string} base the inbox's address
 * @param {{token: string | null, identity: string | null}} known
 * @returns {Promise<Introduced>}
 */
export async function introduce(base, known) {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const said = { ...known, language: navigator.language, time_zone: timeZone ?? "" };
  const answer = await fetch(`${base}visitor/`, {
    method: "POST",
    credentials: "omit",
    body: JSON.stringify(said),
  });
  if (answer.ok) return answer.json();
  if (answer.status === 429 || answer.status >= 500) throw new TypeError("Later.");
  throw new Refused(answer.status);
}

/** A visitor who is known to the server: his connection, his outbox, his conversation. */
export class Session {
  me;
  token;
  connection;
  outbox;
  conversation;

  /**
   * @param {import("./app.js").App} app
   * @param {Introduced} introduced
   */
  constructor(app, { me, token, email }) {
    this.me = me;
    this.token = token;
    this.email = email;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new VisitorConnection(`${scheme}//${location.host}${app.page.socket}`, {
      token: () => this.token,
      where: () => app.host.page(),
      opened: (conversation) => this.conversation.enter(conversation),
    });
    const tabs = openTabs(`tertulia:outbox:${me.id}`);
    this.outbox = new Outbox(this.connection, { store: visitorStore(app.host, me.id), tabs, owner: me });
    void this.outbox.restore();
    this.conversation = new Conversation(app, this);
  }

  start() {
    wakeWith(this.connection, window, document);
    this.connection.start();
  }

  /** Somebody else is here now. */
  end() {
    this.conversation.close();
    this.connection.stop();
  }
}
