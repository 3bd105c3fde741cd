import { signal } from "#signals";
import { draftOf, keepDraft } from "#page/drafts.js";
import { Panel } from "./panel.js";
import { Host } from "./host.js";
import { Presence } from "./presence.js";
import { Refused, Session, introduce } from "./session.js";

/** Milliseconds until the server is asked again, where it could not be reached. */
const AGAIN = 3_000;
/** A token that is refused is asked for anew, but not in a circle: this many milliseconds apart. */
const RENEW = 60_000;

/**
 * @typedef {object} Page what the server put into the page
 * @property {string} inbox
 * @property {string} name of the inbox
 * @property {{title: string, greeting: string, away: string}} texts empty: those of the widget
 * @property {string[]} sites
 * @property {string} socket
 * @property {string} base address of the inbox
 * @property {string} colour
 * @property {string} ink
 * @property {boolean} here
 * @property {string | null} opens
 */

/** The page in the frame. Nobody is made known to the server before he writes, or has written. */
export class App {
  host;
  presence;
  /** @type {import("#signals").Signal<Session | null>} */
  session = signal(/** @type {Session | null} */ (null));
  /** Whether the panel is open; and how often it was opened. */
  shown = signal(false);
  /** Why there is no session, though one is wanted: `unreachable` or `refused`. */
  trouble = signal("");
  /** What was said before the server knew who says it. @type {import("#signals").Signal<string[]>} */
  said = signal(/** @type {string[]} */ ([]));
  /** @type {{token: string | null, identity: string | null}} */
  #known = { token: null, identity: null };
  /** @type {Promise<Session> | null} */
  #beginning = null;
  #run = 0;
  #renewed = -Infinity;

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.host = new Host(page.sites);
    this.presence = new Presence(page);
    this.said.value = JSON.parse(draftOf(this.#saidName) || "[]");
  }

  start() {
    const { style } = document.documentElement;
    style.setProperty("--brand", this.page.colour);
    style.setProperty("--ink", this.page.ink);
    const panel = new Panel(this);
    document.getElementById("panel")?.replaceChildren(panel);
    this.host.on("start", ({ token, identity }) => {
      this.#known = { token, identity };
      if (token || identity || this.said.peek().length > 0) void this.begin();
    });
    this.host.on("shown", ({ focus }) => {
      this.shown.value = true;
      this.presence.look();
      if (focus) panel.takeKeyboard();
    });
    this.host.on("hidden", () => {
      this.shown.value = false;
    });
    this.host.on("identity", ({ identity }) => void this.#identified(identity));
    // Another page of the site has got one meanwhile.
    this.host.on("token", ({ token }) => {
      this.#known.token = token;
      if (token && !this.#beginning) void this.begin();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) this.host.close();
    });
    this.host.start();
  }

  /** @returns {Promise<Session>} of who is here; it comes as soon as the server can be reached */
  begin() {
    this.#beginning ??= this.#begin(++this.#run);
    return this.#beginning;
  }

  /**
   * Say something; somebody new is made known to the server first.
   *
   * @param {string} text
   * @throws {import("#sdk").Refusal} where the text is one that no server takes
   */
  say(text) {
    const session = this.session.peek();
    if (session) {
      session.conversation.send(text);
      return;
    }
    this.#keepSaid([...this.said.peek(), text]);
    void this.begin();
  }

  get #saidName() {
    return `tertulia:said:${this.page.inbox}`;
  }

  /** @param {string[]} said */
  #keepSaid(said) {
    this.said.value = said;
    keepDraft(this.#saidName, said.length > 0 ? JSON.stringify(said) : "");
  }

  /** @param {number} run which is not the present one once somebody else is here */
  async #begin(run) {
    /** @type {import("./session.js").Introduced | null} */
    let introduced = null;
    while (introduced === null) {
      introduced = await this.#introduce();
      if (introduced === null) await later(AGAIN);
      if (run !== this.#run) return this.begin();
    }
    this.trouble.value = "";
    if (introduced.keep !== null) {
      this.#known.token = introduced.keep ? introduced.token : null;
      this.host.keep(this.#known.token);
    }
    const session = new Session(this, introduced);
    session.connection.on("status", ({ state, code }) => state === "ended" && this.#ended(code));
    for (const text of this.said.peek()) session.conversation.send(text);
    this.#keepSaid([]);
    this.session.value = session;
    session.start();
    return session;
  }

  /** @returns {Promise<import("./session.js").Introduced | null>} null: to be tried again */
  async #introduce() {
    try {
      return await introduce(this.page.base, this.#known);
    } catch (error) {
      if (error instanceof Refused && this.#known.identity) {
        console.warn("Tertulia: the signed identity was refused; is it older than a day, or of another inbox?");
        this.#known.identity = null;
        return this.#introduce();
      }
      this.trouble.value = error instanceof Refused ? "refused" : "unreachable";
      return null;
    }
  }

  /** @param {number | null} code */
  #ended(code) {
    const now = performance.now();
    if (code !== 4401 || now - this.#renewed < RENEW) {
      this.trouble.value = "refused";
      return;
    }
    this.#renewed = now;
    this.#endSession();
    void this.begin();
  }

  /** @param {string | null} identity */
  async #identified(identity) {
    if (identity === this.#known.identity) return;
    this.#known.identity = identity;
    const begun = this.#beginning !== null;
    this.#endSession();
    if (identity || this.#known.token || begun) void this.begin();
  }

  #endSession() {
    this.#run += 1;
    this.#beginning = null;
    this.session.peek()?.end();
    this.session.value = null;
    this.host.count(0);
  }
}

/** @param {number} ms or until the browser finds a network */
function later(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    window.addEventListener("online", () => {
      clearTimeout(timer);
      resolve(undefined);
    }, { once: true });
  });
}
