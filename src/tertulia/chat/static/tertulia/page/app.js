import { Connection, Outbox, Rooms, localStore, memoryStore, wakeWith } from "../sdk/index.js";
import { createRoom, writeTo } from "./create.js";
import { render, soon } from "./dom.js";
import { HomeView } from "./home.js";
import { attempt } from "./notices.js";
import { RoomView } from "./room-view.js";
import { parse, roomPath, samePage } from "./router.js";
import { Sidebar } from "./sidebar.js";
import { StatusLine } from "./status.js";

/**
 * @typedef {object} Page what the server put into the page
 * @property {import("../sdk/types.js").Person} me
 * @property {string | null} room
 * @property {string} [name] of that room
 * @property {number | null} seq of a message in it
 * @property {boolean} open guests are admitted
 * @property {[string, string][]} languages code and own name
 * @property {Record<string, string | null>} urls
 */

/** The page: one connection, one outbox, my rooms, and the part that is open. */
export class App {
  connection;
  rooms;
  outbox;
  /** @type {HomeView | RoomView | null} */
  view = null;
  update = soon(() => this.#render());

  #sidebar;
  #status;
  #path = "";

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new Connection(`${scheme}//${location.host}${page.urls.socket}`);
    this.rooms = new Rooms(this.connection);
    this.outbox = new Outbox(this.connection, { store: storeOf(page.me.id) });
    this.#sidebar = new Sidebar(this);
    this.#status = new StatusLine(this);
  }

  /** Who I am: a guest's socket may know better than the page. */
  get me() {
    return this.connection.welcome?.me ?? this.page.me;
  }

  get home() {
    return this.page.urls.home ?? "/";
  }

  async start() {
    this.rooms.on("change", this.update);
    this.outbox.on("change", this.update);
    this.connection.on("status", this.update);
    this.connection.on("event", (frame) => this.#react(frame));
    wakeWith(this.connection, window, document);
    window.addEventListener("popstate", () => this.#route());
    for (const name of ["online", "offline"]) window.addEventListener(name, this.update);
    document.addEventListener("click", (event) => this.#followLink(event));
    document.addEventListener("visibilitychange", this.update);
    // What the server showed meanwhile.
    document.getElementById("main")?.replaceChildren();
    this.#route();
    this.connection.start();
    await this.outbox.restore();
  }

  /** @param {string} path */
  go(path) {
    history.pushState(null, "", path);
    this.#route();
  }

  /** @param {string} slug */
  goTo(slug) {
    this.go(roomPath(this.home, slug));
  }

  /** @param {{name?: string, offered?: boolean}} [options] */
  async newRoom(options) {
    const slug = await createRoom(this.connection, options);
    if (slug !== null) this.goTo(slug);
  }

  async writeTo() {
    const slug = await writeTo(this.connection, this.me);
    if (slug !== null) this.goTo(slug);
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

  #route() {
    const { pathname, search } = location;
    const { slug, seq } = parse(this.home, pathname);
    const again = this.view instanceof RoomView && this.view.slug === slug;
    if (again && this.view instanceof RoomView) {
      if (seq !== null) void this.view.jumpTo(seq);
    } else if (this.#path !== pathname || this.view === null) {
      this.view?.close();
      this.view = slug === null ? new HomeView(this) : new RoomView(this, slug, seq);
      this.view.open(new URLSearchParams(search));
    }
    this.#path = pathname;
    this.update();
  }

  /** @param {any} frame */
  #react(frame) {
    // A room that I entered on another device, or was added to, is in the list by itself.
    if (frame.type === "room.entered" && this.view instanceof HomeView) void this.view.refresh();
  }

  /** @param {MouseEvent} event */
  #followLink(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || !plainClick(event)) return;
    if (samePage(link, this.home)) {
      event.preventDefault();
      if (link.pathname === location.pathname) this.#route();
      else this.go(link.pathname);
    } else if (link.origin !== location.origin && link.closest(".text")) {
      // Whoever follows a link in a message keeps the room.
      event.preventDefault();
      window.open(link.href, "_blank", "noopener,noreferrer");
    }
  }

  #render() {
    const frame = document.getElementById("app");
    const inRoom = this.view instanceof RoomView;
    if (frame) {
      frame.dataset.part = inRoom ? "room" : "home";
      frame.classList.toggle("with-details", inRoom && this.view instanceof RoomView && this.view.detailsOpen);
    }
    this.#status.render();
    this.#sidebar.render();
    const main = document.getElementById("main");
    if (main && this.view) render(this.view.template(), main);
    this.view?.shown();
    this.#title();
  }

  #title() {
    const { unread } = this.rooms;
    const count = unread > 0 ? `(${unread}) ` : "";
    const name = this.view?.title ? `${this.view.title} · ` : "";
    document.title = `${count}${name}Tertulia`;
    const link = document.querySelector('link[rel="icon"]');
    const file = unread > 0 ? "icon-unread.svg" : "icon.svg";
    const href = link?.getAttribute("href")?.replace(/icon(-unread)?\.svg/, file);
    if (href && href !== link?.getAttribute("href")) link?.setAttribute("href", href);
  }
}

/** @param {string} owner */
function storeOf(owner) {
  try {
    return localStore(owner, localStorage);
  } catch {
    // The browser forbids it: messages last as long as the page.
    return memoryStore();
  }
}

/** @param {MouseEvent} event */
function plainClick(event) {
  const { button, metaKey, ctrlKey, shiftKey, altKey, defaultPrevented } = event;
  return button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey && !defaultPrevented;
}
