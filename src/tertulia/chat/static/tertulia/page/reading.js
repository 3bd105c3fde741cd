import { Refusal } from "#sdk";
import { computed, signal } from "#signals";

/** A read mark a second is what the server writes. */
const MARK_EVERY = 1_000;
/** What the server says to somebody who is in the room no longer. */
const OUT = new Set(["forbidden", "not_found"]);

/** @typedef {import("../sdk/types.js").Message} Message */

/** How far I have read a room: what is marked, and where the line "new" stands. */
export class Reading {
  /** The line "new" stands after this seq. @type {import("#signals").Signal<number | null>} */
  newAfter = signal(/** @type {number | null} */ (null));
  /** How many messages were unread, while the first of them is above what is loaded; else 0. */
  above = computed(() => this.#above());

  #view;
  #unreadAtOpening = signal(0);
  #markedAt = 0;
  /** What has been seen and is not marked yet; 0: nothing. */
  #seen = 0;
  /** @type {any} */
  #timer = null;
  #leave = () => this.#tell();

  /** @param {import("./room-view.js").RoomView} view */
  constructor(view) {
    this.#view = view;
    window.addEventListener("pagehide", this.#leave);
  }

  /** Who goes on within the second has read it none the less. */
  close() {
    window.removeEventListener("pagehide", this.#leave);
    this.#tell();
  }

  /** The first page is here, or the log began anew. */
  begin() {
    const { log, app, slug } = this.#view;
    // Of another history, perhaps.
    this.#seen = 0;
    const last = log.messages.at(-1);
    const unread = Boolean(log.room.state?.role) && last !== undefined && last.seq > log.read;
    this.newAfter.value = unread ? log.read : null;
    this.#unreadAtOpening.value = unread ? (app.rooms.get(slug)?.unread ?? 0) : 0;
  }

  /**
   * Somebody spoke, perhaps while nobody was looking.
   *
   * @param {Message} message
   */
  heard(message) {
    const { app, timeline } = this.#view;
    const mine = message.author.id === app.me.id;
    const unseen = !timeline.atEnd.peek() || document.hidden;
    if (mine) this.newAfter.value = null;
    else if (unseen && this.newAfter.peek() === null) this.newAfter.value = message.seq - 1;
  }

  #above() {
    const { messages, log } = this.#view;
    const after = this.newAfter.value;
    if (messages.length === 0 || after === null || !log.window.moreBefore) return 0;
    return messages[0].seq > after ? this.#unreadAtOpening.value : 0;
  }

  /** I went there: nobody needs to be led there again. */
  foundAbove() {
    this.#unreadAtOpening.value = 0;
  }

  /** What is in view has been read. */
  mark() {
    const { app, log, slug, timeline } = this.#view;
    if (document.hidden || !timeline.atEnd.peek()) return;
    if (log.phase !== "live" || !log.room.state?.role) return;
    const mine = app.rooms.get(slug);
    // The list may know of a message that the log is only about to be told.
    if (mine && mine.unread > 0 && mine.head <= log.head) app.rooms.markRead(slug, log.head);
    if (log.head <= log.read) return;
    this.#seen = log.head;
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#markedAt + MARK_EVERY - Date.now());
    this.#timer = setTimeout(() => this.#tell(), wait);
  }

  #tell() {
    const { log } = this.#view;
    clearTimeout(this.#timer);
    if (this.#seen <= log.read || log.phase === "refused") return;
    this.#markedAt = Date.now();
    log.markRead(this.#seen).catch((error) => {
      // Put out of the room a moment ago: there is nothing to mark any more.
      if (!(error instanceof Refusal && OUT.has(error.code))) throw error;
    });
  }
}
