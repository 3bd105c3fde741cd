import { signal } from "#signals";
import { Panel, notHere } from "./panel.js";
import { Host } from "./host.js";
import { Presence } from "./presence.js";
import { Said } from "./said.js";
import { Later, Refused, Session, inTurn, introduce } from "./session.js";
import { Store } from "./store.js";

/** Milliseconds until the server is asked again, where it could not be reached: at first, and at most. */
const AGAIN = 2_000;
const AGAIN_AT_MOST = 15_000;
/** Each such pause to the one before. */
const GROWTH = 1.6;
/** A token that is refused is asked for anew, but not in a circle: this many milliseconds apart. */
const RENEW = 60_000;
/** Milliseconds in which a page that has the loader begins. */
const PATIENCE = 5_000;

/**
 * @typedef {object} Page what the server put into the page
 * @property {string} inbox
 * @property {string} name of the inbox
 * @property {{title: string, greeting: string, away: string}} texts empty: those of the widget
 * @property {string[]} sites
 * @property {boolean} mail whether he can be answered by mail
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
  /** Why there is no session, though one is wanted: `unreachable`, `refused`, `linkOld` or `identityOld`. */
  trouble = signal("");
  /** What was said before the server knew who says it. */
  said = new Said();
  store;
  /** Where the draft is kept: elsewhere for each customer of the site, who takes along that of nobody. */
  draft = signal({ name: "", from: "" });
  #panel;
  /** @type {{token: string | null, identity: string | null, link: string | null}} */
  #known = { token: null, identity: null, link: null };
  /** Whether the server has believed the identity. */
  #believed = false;
  /** @type {Promise<Session> | null} */
  #beginning = null;
  #run = 0;
  /** Seconds for which the server wishes to be left alone. */
  #quiet = 0;
  #hurry = () => {};
  #renewed = -Infinity;

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.host = new Host(page.sites);
    this.presence = new Presence(page);
    this.store = new Store(this.host, page.inbox);
    this.#panel = new Panel(this);
  }

  start() {
    const { style } = document.documentElement;
    style.setProperty("--brand", this.page.colour);
    style.setProperty("--ink", this.page.ink);
    const place = document.getElementById("panel");
    place?.replaceChildren(this.#panel);
    // In a tab of its own nobody begins it, nor in a page without the loader: what is said there goes nowhere.
    const alone = setTimeout(() => place?.replaceChildren(notHere()), window.parent === window ? 0 : PATIENCE);
    this.host.on("start", ({ token, identity, link, mark }) => {
      clearTimeout(alone);
      place?.replaceChildren(this.#panel);
      this.#known = { token, identity, link };
      // What it cannot put away now is none of the next visitor's all the same.
      void this.store.begin(mark).then(() => this.store.tidy()).catch(() => {});
      void this.#enter();
    });
    this.host.on("shown", ({ focus }) => {
      this.shown.value = true;
      this.presence.look();
      if (focus) this.takeKeyboard();
    });
    this.host.on("hidden", () => {
      this.shown.value = false;
    });
    this.host.on("identity", ({ identity }) => this.#identified(identity));
    this.host.on("token", ({ token }) => this.#told(token));
    this.host.on("forget", ({ mark }) => void this.#forget(mark));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) this.host.close();
    });
    this.host.start();
  }

  takeKeyboard() {
    this.#panel.takeKeyboard();
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
    this.said.say(text);
    void this.begin();
  }

  /** Somebody may be here: whoever the page says, or this device; or who has written on it. */
  async #enter() {
    const run = this.#run;
    const whose = idIn(this.#known.identity);
    this.draft.value = { name: this.store.draftOf(whose), from: this.store.draftOf("") };
    // What nobody has said, and was not sent, is the next one's; what a customer has, is his alone.
    await this.said.open([...new Set([`?${whose}`, "?"])].map((each) => this.store.of(each)));
    const token = await this.host.known();
    if (run !== this.#run) return;
    const { identity, link } = this.#known;
    if (token || identity || link || this.said.items.peek().length > 0) void this.begin();
  }

  /** @param {number} run which is not the present one once somebody else is here */
  async #begin(run) {
    /** @type {import("./session.js").Introduced | null} */
    let introduced = null;
    for (let pause = AGAIN; introduced === null; pause = Math.min(AGAIN_AT_MOST, GROWTH * pause)) {
      introduced = await inTurn(`tertulia:widget:${this.page.inbox}`, () => this.#introduceAndGive(run));
      if (introduced === null && run === this.#run) await this.#later(pause);
      // Somebody else is here, or nobody until he writes.
      if (run !== this.#run) return this.#beginning ?? new Promise(() => {});
    }
    this.trouble.value = "";
    const session = new Session(this, introduced);
    session.connection.on("status", ({ state, code }) => state === "ended" && this.#ended(code));
    session.takeOver(this.said.take());
    this.session.value = session;
    session.start();
    return session;
  }

  /**
   * What was said is his before another tab has its turn.
   *
   * @param {number} run
   */
  async #introduceAndGive(run) {
    const introduced = await this.#introduce(run);
    if (introduced && run === this.#run) await this.said.give(this.store.of(introduced.me.id));
    return introduced;
  }

  /**
   * @param {number} run
   * @returns {Promise<import("./session.js").Introduced | null>} null: to be tried again
   */
  async #introduce(run) {
    try {
      if (run !== this.#run) return null;
      this.#known.token = await this.host.known();
      const introduced = await introduce(this.page.base, this.#known);
      if (run === this.#run) this.#believed = this.#known.identity !== null;
      return introduced.keep === null || (await this.#keep(introduced, run)) ? introduced : await this.#introduce(run);
    } catch (error) {
      if (error instanceof Refused && this.#known.identity) {
        // Who was a customer here does not become a stranger without a word.
        if (this.#believed) return this.#stop("identityOld", run);
        console.warn("Tertulia: the signed identity was refused, so the visitor is a stranger: is the secret the one on the inbox's page, is `expires` within a day, and is it this inbox?");
        this.#known.identity = null;
        return this.#introduce(run);
      }
      if (error instanceof Refused && this.#known.link) return this.#withoutLink(run);
      this.trouble.value = error instanceof Refused ? "refused" : "unreachable";
      this.#quiet = error instanceof Later ? error.seconds : 0;
      return null;
    }
  }

  /**
   * @param {import("./session.js").Introduced} introduced
   * @param {number} run
   * @returns {Promise<boolean>} false: another tab has had somebody made known meanwhile, and that is he
   */
  async #keep({ keep, token }, run) {
    const known = await this.host.known();
    if (keep && known && known !== this.#known.token) return false;
    if (run !== this.#run) return true;
    this.#unlink();
    this.#known.token = keep ? token : null;
    await this.host.keep(this.#known.token);
    return true;
  }

  /**
   * Ends sooner when there is reason to think that the server can be reached.
   *
   * @param {number} pause milliseconds, not all of them: many pages may wait for the same
   */
  #later(pause) {
    const wished = 1_000 * this.#quiet;
    return new Promise((resolve) => {
      this.#hurry = () => resolve(undefined);
      setTimeout(this.#hurry, wished + pause * (0.5 + Math.random() / 2));
      if (!wished) window.addEventListener("online", this.#hurry, { once: true });
    });
  }

  /**
   * What the link in a mail led to is open to him no more. Whom this device knows is here all the same.
   *
   * @param {number} run
   */
  async #withoutLink(run) {
    if (run !== this.#run) return null;
    this.#unlink();
    if (this.#known.token || this.said.items.peek().length > 0) return this.#introduce(run);
    return this.#stop("linkOld", run);
  }

  /**
   * Nobody is here until something else is known.
   *
   * @param {string} why
   * @param {number} run
   */
  #stop(why, run) {
    if (run === this.#run) {
      this.#endSession();
      this.trouble.value = why;
    }
    return null;
  }

  #unlink() {
    this.#known.link = null;
    this.host.unlink();
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
    void this.#enter();
  }

  /** @param {string | null} identity */
  #identified(identity) {
    if (identity === this.#known.identity) return;
    // What a customer has said stays his; what nobody has said goes on as the customer's.
    if (this.#known.identity !== null) this.said.take();
    this.#known.identity = identity;
    this.#known.link = null;
    this.#believed = false;
    this.#endSession();
    void this.#enter();
  }

  /** @param {string | null} token by another page of the site, which has got one, or has put it away */
  #told(token) {
    this.#known.token = token;
    if (token !== null) {
      if (this.#beginning) this.#hurry();
      else void this.begin();
    } else if (!this.#known.identity && !this.#known.link) {
      // Whoever was here has signed in there, or is gone.
      this.#endSession();
      void this.#enter();
    }
  }

  /**
   * Nobody was here. The page around takes this frame away as soon as that is so.
   *
   * @param {string} mark
   */
  async #forget(mark) {
    this.#known = { token: null, identity: null, link: null };
    this.#believed = false;
    this.#endSession();
    this.said.take();
    await this.store.begin(mark).catch(() => {});
    this.host.forgotten();
  }

  #endSession() {
    this.#run += 1;
    this.#beginning = null;
    this.session.peek()?.end();
    this.session.value = null;
    this.trouble.value = "";
    this.host.count(0);
  }
}

/**
 * @param {string | null} identity signed by the site: what stands before the dot is JSON in base64
 * @returns {string} whom it names, unchecked; "" for nobody
 */
function idIn(identity) {
  try {
    return String(JSON.parse(atob((identity ?? "").split(".")[0].replaceAll("-", "+").replaceAll("_", "/"))).id);
  } catch {
    return "";
  }
}
