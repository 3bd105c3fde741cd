import { Outbox, newKey, openTabs, wakeWith } from "#sdk";
import { VisitorConnection } from "./connection.js";
import { Conversation } from "./conversation.js";

/** Milliseconds after which an introduction without an answer is given up. */
const DEADLINE = 20_000;
/** Milliseconds for which another tab is waited for, which may sleep. */
const TURN = 5_000;

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

/** The server cannot be reached, or has too much to do. */
export class Later extends Error {
  /** @param {number} seconds after which it wishes to be asked again; 0: it has not said */
  constructor(seconds) {
    super("Later.");
    this.seconds = seconds;
  }
}

/**
 * One tab after the other: of two that have somebody new, the second finds whom the first has made
 * known. Where the browser has no locks, all at once.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} act does not reject
 * @returns {Promise<T>}
 */
export async function inTurn(name, act) {
  try {
    return await navigator.locks.request(name, { signal: AbortSignal.timeout(TURN) }, act);
  } catch {
    return act();
  }
}

/**
 * Rejects with `Later` or `Refused`.
 *
 * @param {string} base the inbox's address
 * @param {{token: string | null, identity: string | null, link: string | null}} known
 * @returns {Promise<Introduced>}
 */
export async function introduce(base, known) {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const said = { ...known, language: navigator.language, time_zone: timeZone ?? "" };
  const answer = await fetch(`${base}visitor/`, {
    method: "POST",
    credentials: "omit",
    body: JSON.stringify(said),
    signal: AbortSignal.timeout(DEADLINE),
  }).catch(() => null);
  const introduced = answer?.ok ? await answer.json().catch(() => null) : null;
  if (introduced) return introduced;
  if (!answer || answer.ok || answer.status === 429 || answer.status >= 500) {
    throw new Later(Number(answer?.headers.get("Retry-After")) || 0);
  }
  throw new Refused(answer.status);
}

/** A visitor who is known to the server: his connection, his outbox, his conversation. */
export class Session {
  me;
  token;
  connection;
  outbox;
  conversation;
  /** @type {string[]} of what was said before he was known, and is given to the outbox now */
  #keys = [];

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
    const store = app.store.of(me.id);
    this.outbox = new Outbox(this.connection, { store, tabs, owner: me, newKey: () => this.#keys.shift() ?? newKey() });
    void this.outbox.restore();
    this.conversation = new Conversation(app, this);
  }

  /** @param {import("#sdk/item.js").Item[]} said by him before he was known: under its keys it is his */
  takeOver(said) {
    for (const { key, text } of said) {
      this.#keys = [key];
      this.conversation.send(text);
    }
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
