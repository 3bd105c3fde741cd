import { RoomLog } from "../sdk/index.js";
import { Composer } from "./composer.js";
import { DetailsPanel } from "./details.js";
import { confirm } from "./dialog.js";
import { html, nothing } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { attempt, explain, notify } from "./notices.js";
import { kindSign, roomTitle } from "./people.js";
import { Quotes } from "./quotes.js";
import { roomPath } from "./router.js";
import { Timeline } from "./timeline.js";

/** At most this many messages are in the page; more are read again from the server. */
const MOST = 300;
const PAGE = 50;
/** A read mark a second is what the server writes. */
const MARK_EVERY = 1_000;

/** @typedef {import("../sdk/types.js").Message} Message */

/** One room, open: its log, what of it is shown, and what is being written. */
export class RoomView {
  detailsOpen = false;
  /** The line "new" stands after this seq. @type {number | null} */
  newAfter = null;
  /** The seq of the message that was asked for by its address. @type {number | null} */
  marked = null;
  /** @type {import("../sdk/outbox.js").Item[]} mine, on their way to this room */
  items = [];

  #seq;
  #loading = false;
  #markedAt = 0;
  /** @type {any} */
  #markTimer = null;
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
      this.log.on("message", (message) => this.#heard(message)),
      this.app.connection.on("status", () => this.#countDown()),
      () => document.removeEventListener("keydown", onKey),
    ];
    this.log.open();
  }

  close() {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#markTimer);
    this.detailsOpen = false;
    this.details.render();
    this.composer.close();
    this.timeline.close();
    this.log.close();
  }

  get title() {
    const { state } = this.log.room;
    const mine = this.app.rooms.get(this.slug);
    if (state) return roomTitle(state, mine?.people ?? this.#others());
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

  /** How many messages above what is loaded I have not read; 0 when that cannot be far. */
  get unreadAbove() {
    const [first] = this.log.messages;
    const room = this.app.rooms.get(this.slug);
    if (!first || !room || this.newAfter === null || !this.log.window.moreBefore) return 0;
    return first.seq > this.newAfter && this.#unreadAtOpening > this.log.messages.length
      ? this.#unreadAtOpening
      : 0;
  }

  #unreadAtOpening = 0;

  #others() {
    const members = [...this.log.room.members.values()];
    return members.filter((member) => member.id !== this.app.me.id);
  }

  /** The first page is here, or the log began anew. */
  #arrived() {
    const last = this.log.messages.at(-1);
    const { read, room } = this.log;
    const unread = Boolean(room.state?.role) && last !== undefined && last.seq > read;
    this.newAfter = unread ? read : null;
    this.#unreadAtOpening = this.app.rooms.get(this.slug)?.unread ?? 0;
    this.timeline.goToNew();
    const seq = this.#seq;
    this.#seq = null;
    if (seq !== null) void this.jumpTo(seq);
    else if (room.state?.role && matchMedia("(hover: hover)").matches) this.#focusLater();
  }

  /** Writing is what most come for; but whoever is elsewhere with the keyboard stays there. */
  #focusLater() {
    const focused = document.activeElement;
    const free = focused === document.body || focused === null || focused.closest("#sidebar, #main");
    if (free) requestAnimationFrame(() => requestAnimationFrame(() => this.composer.focus()));
  }

  /** @param {Message} message */
  #heard(message) {
    if (message.author.id === this.app.me.id) {
      this.newAfter = null;
      return;
    }
    const unseen = !this.timeline.atEnd || document.visibilityState !== "visible";
    if (!this.timeline.atEnd) this.timeline.newBelow += 1;
    if (unseen && this.newAfter === null) this.newAfter = message.seq - 1;
  }

  /** What waits for its next try says so by the second. */
  #countDown() {
    this.app.update();
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

  /** @param {Message} message */
  keyOf(message) {
    const mine = message.author.id === this.app.me.id;
    return mine ? `mine:${message.key}` : `seq:${message.seq}`;
  }

  /** To the place where I stopped reading, which is not loaded yet. */
  async goToUnread() {
    const after = this.newAfter ?? 0;
    this.#unreadAtOpening = 0;
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

  /**
   * What I may do with a message; null where I may do nothing here.
   *
   * @param {Message} message
   * @param {string} key of its entry
   * @returns {import("./message.js").Tools | null}
   */
  toolsFor(message, key) {
    if (!this.mayWrite) return null;
    const mine = message.author.id === this.app.me.id;
    return {
      mayEdit: mine,
      mayDelete: mine || this.mayModerate,
      reply: () => this.composer.reply(message),
      edit: () => this.composer.edit(message),
      remove: () => this.#delete(message),
      pick: () => this.timeline.togglePalette(key),
      react: (emoji) => this.#react(message, emoji),
      copyLink: () => this.#copyLink(message),
    };
  }

  /** @param {Message} message */
  async #delete(message) {
    if (!(await confirm(t("deleteAsk"), t("delete")))) return;
    await this.app.act("message.delete", { room: this.slug, seq: message.seq });
  }

  /**
   * @param {Message} message
   * @param {string} emoji
   */
  async #react(message, emoji) {
    this.timeline.closePalette();
    const reaction = message.reactions.find((each) => each.emoji === emoji);
    const type = reaction?.by.includes(this.app.me.id) ? "reaction.remove" : "reaction.add";
    await this.app.act(type, { room: this.slug, seq: message.seq, emoji });
  }

  /** @param {Message} message */
  async #copyLink(message) {
    const path = roomPath(this.app.home, this.slug, message.seq);
    try {
      await navigator.clipboard.writeText(new URL(path, location.href).href);
      notify(t("linkCopied"));
    } catch {
      // Without a secure context there is no clipboard: the address bar has the link then.
      this.app.go(path);
    }
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

  /** After the page was brought up to date. */
  shown() {
    this.items = this.app.outbox.items(this.slug, this.log.head).filter((item) => !this.#has(item));
    if (this.timeline.atEnd) this.log.window.trimStart(MOST);
    if (this.mayWrite) this.composer.render();
    this.timeline.update();
    this.details.render();
    this.#markRead();
    if (this.items.some((item) => item.retryAt !== null)) setTimeout(this.app.update, 500);
  }

  /** @param {import("../sdk/outbox.js").Item} item */
  #has(item) {
    const { me } = this.app;
    return this.log.messages.some((each) => each.key === item.key && each.author.id === me.id);
  }

  /** What is in view has been read. */
  #markRead() {
    const { log } = this;
    const reading = document.visibilityState === "visible" && this.timeline.atEnd;
    if (!reading || log.phase !== "live" || !log.room.state?.role) return;
    const unread = (this.app.rooms.get(this.slug)?.unread ?? 0) > 0;
    if (unread) this.app.rooms.markRead(this.slug, log.head);
    if (log.head <= log.read) return;
    clearTimeout(this.#markTimer);
    const wait = Math.max(0, this.#markedAt + MARK_EVERY - Date.now());
    this.#markTimer = setTimeout(() => {
      this.#markedAt = Date.now();
      log.markRead(log.head).catch(explain);
    }, wait);
  }

  template() {
    if (this.log.phase === "refused") return this.#refused();
    return html`${this.#header()}${this.timeline.element}
      <p class="typing">${this.#typing()}</p>
      ${this.#footer()}`;
  }

  #header() {
    const { state } = this.log.room;
    const here = this.#here();
    return html`<header class="room-header">
      ${this.#back()}
      ${state ? kindSign(state) : nothing}
      <div class="titles">
        <h1><bdi>${this.title}</bdi></h1>
        ${state?.topic ? html`<p class="topic" title=${state.topic}><bdi>${state.topic}</bdi></p>` : nothing}
      </div>
      <button type="button" class="icon-button" id="details-button" aria-expanded=${String(this.detailsOpen)}
        aria-label=${here > 0 ? `${t("details")}, ${t("hereCount", { n: here })}` : t("details")} title=${t("details")}
        @click=${() => this.toggleDetails(!this.detailsOpen)}>
        ${here > 0 ? html`<span>${t("hereCount", { n: here })}</span>` : nothing}${icon("info")}
      </button>
    </header>`;
  }

  #here() {
    const { here } = this.log.room;
    return typeof here === "number" ? here : here.length;
  }

  #back() {
    const label = t("back");
    return html`<a class="icon-button back" href=${this.app.home} aria-label=${label} title=${label}>${icon("back")}</a>`;
  }

  #typing() {
    const names = [...this.log.room.typing.values()]
      .filter(({ who }) => who.id !== this.app.me.id)
      .map(({ who }) => who.name);
    if (names.length === 0) return "";
    if (names.length === 1) return t("typingOne", { a: names[0] });
    if (names.length === 2) return t("typingTwo", { a: names[0], b: names[1] });
    return t("typingMany");
  }

  #footer() {
    const { state } = this.log.room;
    if (!state) return nothing;
    if (state.archived) return html`<div class="room-bar"><p>${t("archivedText")}</p></div>`;
    if (state.role) return this.composer.element;
    const join = () => this.app.act("room.join", { room: this.slug });
    return html`<div class="room-bar">
      <p>${t("joinText")}</p>
      <button type="button" class="button primary" @click=${join}>${t("join")}</button>
    </div>`;
  }

  #refused() {
    const refusal = this.log.refusal;
    const [title, text] =
      refusal === "removed"
        ? ["removedTitle", "removedText"]
        : refusal === "not_found"
          ? ["notFoundTitle", "notFoundText"]
          : ["refusedTitle", `error.${refusal}`];
    return html`<header class="room-header">${this.#back()}</header>
      <div class="room-state">
        <h1>${t(title)}</h1>
        <p>${t(text)}</p>
        <p class="actions"><a class="button primary" href=${this.app.home}>${t("toHome")}</a></p>
      </div>`;
  }
}
