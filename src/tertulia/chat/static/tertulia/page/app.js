import { Connection, Rooms, openOutbox, wakeWith } from "#sdk";
import { signal } from "#signals";
import { fetchAhead } from "./ahead.js";
import { keepFocus } from "./focus.js";
import { fillFrame } from "./frame.js";
import { followLinks } from "./links.js";
import { live } from "./live.js";
import { attempt, loaded } from "./notices.js";
import { rememberRoom } from "./recent.js";
import { RoomView } from "./room-view.js";
import { parse, roomPath } from "./router.js";
import { listenToKeys } from "./shortcuts.js";

/**
 * @typedef {object} Page what the server put into the page
 * @property {import("../sdk/types.js").Person} me
 * @property {string | null} room
 * @property {string} [name] of that room
 * @property {number | null} seq of a message in it
 * @property {boolean} open guests are admitted
 * @property {[string, string][]} languages code and own name
 * @property {string} [timeZone] a name of the IANA's; empty: the browser's own
 * @property {Record<string, string | null>} urls
 */

/** The page's state: one connection, one outbox, my rooms, and the room that is open. */
export class App {
  connection;
  rooms;
  outbox;
  /** The room that is open; null: home. @type {import("#signals").Signal<RoomView | null>} */
  view = signal(/** @type {RoomView | null} */ (null));
  /**
   * The open room, if it was unread when it was opened: under the pointer that chose it nothing
   * moves, so it stays where it was in the list until another one is opened.
   *
   * @type {string | null}
   */
  kept = null;

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new Connection(`${scheme}//${location.host}${page.urls.socket}`, { connect: page.connect });
    this.rooms = new Rooms(this.connection);
    this.outbox = openOutbox(this.connection, page.me);
  }

  /** Who I am: the socket may know better than the page. */
  get me() {
    return live(live(this.connection, "welcome"), "me").welcome?.me ?? this.page.me;
  }

  get home() {
    return this.page.urls.home ?? "/";
  }

  start() {
    wakeWith(this.connection, window, document);
    window.addEventListener("popstate", () => this.route());
    followLinks(this);
    // The browser asks before it lets a page go that has what is nowhere else.
    window.addEventListener("beforeunload", (event) => this.outbox.fleeting && event.preventDefault());
    listenToKeys(this);
    keepFocus();
    fetchAhead();
    this.route();
    fillFrame(this);
    this.connection.on("welcome", () => this.#stillMe());
    this.connection.start();
  }

  /** Somebody else has signed in meanwhile, in another tab: nothing of this page is his. */
  #stillMe() {
    const { me } = this;
    if (me.id !== this.page.me.id && me.kind === "member" && this.page.me.kind === "member") location.reload();
  }

  /** @param {string} path */
  go(path) {
    history.pushState(null, "", path);
    this.route();
  }

  /** @param {string} slug */
  goTo(slug) {
    this.go(roomPath(this.home, slug));
  }

  /** @param {{name?: string, offered?: boolean}} [options] */
  async newRoom(options) {
    const create = await loaded(import("./create.js"));
    const slug = await create?.createRoom(this.connection, options);
    if (slug) this.goTo(slug);
  }

  async writeTo() {
    const create = await loaded(import("./create.js"));
    const slug = await create?.writeTo(this.connection, this.me);
    if (slug) this.goTo(slug);
  }

  async openSwitcher() {
    const switcher = await loaded(import("./switcher.js"));
    switcher?.openSwitcher(this);
  }

  /**
   * A command of a button: what the server refuses is said.
   *
   * @param {string} type
   * @param {Record<string, any>} fields
   */
  act(type, fields) {
    return attempt(this.connection.request(type, fields));
  }

  /** Open what the address says; the room that is open already stays as it is. */
  route() {
    const { slug, seq } = parse(this.home, location.pathname);
    const present = this.view.peek();
    if (slug !== null && present?.slug === slug) {
      if (seq !== null) void present.jumpTo(seq);
      return;
    }
    present?.close();
    this.kept = slug !== null && (this.rooms.get(slug)?.unread ?? 0) > 0 ? slug : null;
    this.view.value = slug === null ? null : new RoomView(this, slug, seq);
    this.view.value?.open();
    if (slug !== null) rememberRoom(this.page.me.id, slug);
  }
}
