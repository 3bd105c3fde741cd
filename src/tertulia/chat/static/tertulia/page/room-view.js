import { RoomLog } from "../sdk/index.js";
import { Composer } from "./composer.js";
import { DetailsPanel } from "./details.js";
import { html } from "./dom.js";
import { t } from "./i18n.js";
import { attempt, explain, notify } from "./notices.js";
import { roomTitle } from "./people.js";
import { Quotes } from "./quotes.js";
import { Reading } from "./reading.js";
import { footer, header, refused, typing } from "./room-parts.js";
import { Timeline } from "./timeline.js";

/** At most this many messages are in the page; more are read again from the server. */
const MOST = 300;
const PAGE = 50;

/** @typedef {import("../sdk/types.js").Message} Message */

/** One room, open: its log, what of it is shown, and what is being written. */
export class RoomView {
  detailsOpen = false;
  /** The seq of the message that was asked for by its address. @type {number | null} */
  marked = null;
  /** @type {import("../sdk/outbox.js").Item[]} mine, on their way to this room */
  items = [];

  #seq;
  #loading = false;
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * @param {import("./app.js").App} app
   * @param {string} slug
   * @param {number | null} seq of a message to be shown
   */
  constructor(app, slug, seq) {
    this.app = app;
    this.slug = slug;
    this.#seq = seq;
    this.log = new RoomLog(app.connection, slug, { limit: PAGE });
    this.quotes = new Quotes(this.log, app.connection, app.update);
    this.reading = new Reading(this);
    this.timeline = new Timeline(this);
    this.composer = new Composer(this);
    this.details = new DetailsPanel(this);
  }

  open() {
    const onKey = (/** @type {KeyboardEvent} */ event) => this.#keydown(event);
    document.addEventListener("keydown", onKey);
    this.#stops = [
      this.log.on("change", this.app.update),
      this.log.on("reset", () => this.#arrived()),
      this.log.on("message", (message) => this.reading.heard(message)),
      () => document.removeEventListener("keydown", onKey),
    ];
    this.log.open();
  }

  close() {
    for (const stop of this.#stops) stop();
    this.detailsOpen = false;
    this.details.render();
    this.reading.close();
    this.composer.close();
    this.timeline.close();
    this.log.close();
  }

  get title() {
    const { state, members } = this.log.room;
    const mine = this.app.rooms.get(this.slug);
    const others = [...members.values()].filter((member) => member.id !== this.app.me.id);
    if (state) return roomTitle(state, mine?.people ?? others);
    if (mine) return roomTitle(mine);
    return (this.app.page.room === this.slug && this.app.page.name) || this.slug;
  }

  get mayWrite() {
    const { state } = this.log.room;
    return Boolean(state?.role) && !state?.archived && this.log.phase !== "refused";
  }

  get mayModerate() {
    return ["owner", "moderator"].includes(this.log.room.state?.role ?? "");
  }

  get isOwner() {
    return this.log.room.state?.role === "owner";
  }

  /** The first page is here, or the log began anew. */
  #arrived() {
    this.reading.begin();
    this.timeline.goToNew();
    const seq = this.#seq;
    this.#seq = null;
    if (seq !== null) void this.jumpTo(seq);
    else if (this.mayWrite && matchMedia("(hover: hover)").matches) this.#focusLater();
  }

  /** Writing is what most come for; but whoever is elsewhere with the keyboard stays there. */
  #focusLater() {
    const focused = document.activeElement;
    const free = focused === null || focused === document.body || focused.closest("#sidebar, #main");
    if (free) requestAnimationFrame(() => requestAnimationFrame(() => this.composer.focus()));
  }

  /**
   * Show a message that may be anywhere in the log, and mark it.
   *
   * @param {number} seq
   */
  async jumpTo(seq) {
    try {
      const there = this.log.window.find(seq) !== null || (await this.log.loadAround(seq, PAGE));
      if (!there) notify(t("notThere"));
      const message = this.log.window.find(seq);
      if (message) {
        this.marked = seq;
        this.timeline.goToEntry(this.keyOf(message));
      }
    } catch (error) {
      notify(explain(error));
    }
    this.app.update();
  }

  /**
   * The key of a message's entry: mine keeps the one that it had on its way.
   *
   * @param {Message} message
   */
  keyOf(message) {
    const mine = message.author.id === this.app.me.id;
    return mine ? `mine:${message.key}` : `seq:${message.seq}`;
  }

  /** To the place where I stopped reading, which is not loaded yet. */
  async goToUnread() {
    const after = this.reading.newAfter ?? 0;
    this.reading.foundAbove();
    await attempt(this.log.loadAround(Math.max(1, after), PAGE));
    this.timeline.goToEntry("new", "start");
    this.app.update();
  }

  async goToLatest() {
    if (this.log.window.moreAfter) await attempt(this.log.loadLatest(PAGE));
    this.timeline.goToEnd();
    this.app.update();
  }

  loadEarlier() {
    const { log } = this;
    if (!log.window.moreBefore) return;
    void this.#load(async () => {
      await log.loadBefore(PAGE);
      if (!this.timeline.atEnd) log.window.trimEnd(MOST);
    });
  }

  loadLater() {
    const { log } = this;
    if (!log.window.moreAfter) return;
    void this.#load(async () => {
      await log.loadAfter(PAGE);
      log.window.trimStart(MOST);
    });
  }

  /**
   * One page at a time; one that is refused is asked for again by the next scrolling.
   *
   * @param {() => Promise<void>} act
   */
  async #load(act) {
    if (this.#loading || this.log.phase !== "live") return;
    this.#loading = true;
    try {
      await act();
    } catch (error) {
      explain(error);
    } finally {
      this.#loading = false;
      this.app.update();
    }
  }

  /**
   * @param {string} text
   * @param {number | null} replyTo
   */
  send(text, replyTo) {
    this.app.outbox.send(this.slug, text, { replyTo });
    void this.goToLatest();
  }

  /** The newest of my messages that I could edit. */
  myLastMessage() {
    const { me } = this.app;
    return this.log.messages.findLast((each) => each.author.id === me.id && !each.deleted) ?? null;
  }

  /** @param {boolean} open */
  toggleDetails(open) {
    this.detailsOpen = open;
    this.app.update();
    const id = open ? "details-title" : "details-button";
    requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(id)?.focus()));
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && this.detailsOpen) this.toggleDetails(false);
  }

  template() {
    if (this.log.phase === "refused") return refused(this);
    return html`${header(this)}${this.timeline.element}
      <p class="typing">${typing(this)}</p>
      ${footer(this)}`;
  }

  /** After the page was brought up to date. */
  shown() {
    this.items = this.app.outbox.items(this.slug, this.log.head).filter((item) => !this.#has(item));
    if (this.timeline.atEnd) this.log.window.trimStart(MOST);
    if (this.mayWrite) this.composer.render();
    this.timeline.update();
    this.details.render();
    this.reading.mark();
    // What waits for its next try says so by the second.
    if (this.items.some((item) => item.retryAt !== null)) setTimeout(this.app.update, 500);
  }

  /** @param {import("../sdk/outbox.js").Item} item */
  #has(item) {
    const { me } = this.app;
    return this.log.messages.some((each) => each.key === item.key && each.author.id === me.id);
  }
}
