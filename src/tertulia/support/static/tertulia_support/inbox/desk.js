import { Connection, Rooms, openOutbox, wakeWith } from "#sdk";
import { computed, signal } from "#signals";
import { keepFocus } from "#page/focus.js";
import { followLinks } from "#page/links.js";
import { live } from "#page/live.js";
import { attempt } from "#page/notices.js";
import { roomPath } from "#page/router.js";
import { now } from "#page/world.js";
import { Canned } from "./canned.js";
import { keepChoice, keptChoice } from "./choice.js";
import { ConversationView } from "./conversation-view.js";
import { Conversations } from "./conversations.js";
import { fillFrame } from "./frame.js";
import { Inboxes } from "./inboxes.js";
import { placeIn } from "./place.js";
import { Search } from "./search.js";
import { listenToKeys } from "./shortcuts.js";

/** How often what says how long somebody waits is looked at, in milliseconds. */
const TICK = 5_000;

/** Where there is room for all three parts. */
export const wide = matchMedia("(min-width: 1100px)");

/** The page's state: one connection, one outbox, my inboxes, a list, and the conversation that is open. */
export class Desk {
  connection;
  /** My rooms in the chat, for what is unread there. */
  rooms;
  outbox;
  inboxes;
  conversations;
  search;
  canned;
  /** @type {import("#signals").Signal<ConversationView | null>} */
  view = signal(/** @type {ConversationView | null} */ (null));
  /** Whether the visitor's details are shown: for all conversations at once. */
  detailsOpen = signal(wide.matches);
  /** My inboxes, as they were known last. @type {string | null} */
  #mine = null;
  /** The time to some seconds, in milliseconds. */
  #time = computed(() => Math.floor(now() / TICK) * TICK);

  /** @param {import("#page/app.js").Page} page `urls.home` is that of this page */
  constructor(page) {
    this.page = page;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new Connection(`${scheme}//${location.host}${page.urls.socket}`, { connect: page.connect });
    this.rooms = new Rooms(this.connection);
    this.outbox = openOutbox(this.connection, page.me);
    this.inboxes = new Inboxes(this.connection);
    this.conversations = new Conversations(this.connection, page.me.id);
    this.search = new Search(this.connection, () => this.conversations.inbox);
    this.canned = new Canned(this.connection);
    const { filter, inbox } = keptChoice(page.me.id);
    Object.assign(this.conversations, { filter, inbox });
  }

  get me() {
    return live(live(this.connection, "welcome"), "me").welcome?.me ?? this.page.me;
  }

  get home() {
    return this.page.urls.home ?? "/";
  }

  /** Reading it is what makes a painter be painted again as time goes on. */
  get time() {
    return this.#time.value;
  }

  start() {
    wakeWith(this.connection, window, document);
    window.addEventListener("popstate", () => this.route());
    window.addEventListener("beforeunload", (event) => this.outbox.fleeting && event.preventDefault());
    wide.addEventListener("change", () => {
      this.detailsOpen.value = wide.matches;
    });
    followLinks(this);
    listenToKeys(this);
    keepFocus();
    this.route();
    fillFrame(this);
    this.inboxes.on("change", () => this.#stillMine());
    this.connection.on("welcome", () => this.#stillMe());
    this.connection.start();
  }

  /** Somebody else has signed in meanwhile, in another tab: nothing of this page is his. */
  #stillMe() {
    if (this.me.id !== this.page.me.id) location.reload();
  }

  /** An inbox that is not mine any more has no list; one that is mine by now has. */
  #stillMine() {
    const { inbox, filter } = this.conversations;
    const mine = this.inboxes.all.map(({ id }) => id).join();
    if (this.#mine !== null && this.#mine !== mine) void this.conversations.load();
    this.#mine = mine;
    if (inbox !== null && this.inboxes.get(inbox) === null) this.choose(filter, null);
  }

  /**
   * @param {import("./filters.js").Filter} filter
   * @param {string | null} inbox null: all of mine
   */
  choose(filter, inbox) {
    const same = inbox === this.conversations.inbox;
    this.conversations.choose(filter, inbox);
    if (!same) this.search.again();
    keepChoice(this.page.me.id, { filter, inbox });
  }

  /** @param {string} path */
  go(path) {
    // A page of its own, though it lies below this one.
    if (path === this.page.urls.figures) {
      location.assign(path);
      return;
    }
    history.pushState(null, "", path);
    this.route();
  }

  /** @param {string} room */
  goTo(room) {
    this.go(roomPath(this.home, room));
  }

  /** Open what the address says. */
  route() {
    const { slug, place } = placeIn(this.home, location.pathname);
    const present = this.view.peek();
    if ((present?.slug ?? null) === slug) {
      if (place) present?.goToPlace(place);
      return;
    }
    present?.close();
    if (!wide.matches) this.detailsOpen.value = false;
    this.view.value = slug === null ? null : new ConversationView(this, slug, place);
    this.view.value?.open();
  }

  /**
   * A command of a button: what the server refuses is said.
   *
   * @param {string} type
   * @param {Record<string, any>} fields
   * @returns {Promise<any>} null where it was refused
   */
  act(type, fields) {
    return attempt(this.connection.request(type, fields));
  }

  /** @param {boolean} open */
  toggleDetails(open) {
    this.detailsOpen.value = open;
    // The panel takes the keyboard by itself where it comes over the conversation.
    if (!open) document.getElementById("details-button")?.focus();
  }
}
