/** A read mark a second is what the server writes. */
const MARK_EVERY = 1_000;

/** @typedef {import("../sdk/types.js").Message} Message */

/** How far I have read a room: what is marked, and where the line "new" stands. */
export class Reading {
  /** The line "new" stands after this seq. @type {number | null} */
  newAfter = null;

  #view;
  #unreadAtOpening = 0;
  #markedAt = 0;
  /** @type {any} */
  #timer = null;

  /** @param {import("./room-view.js").RoomView} view */
  constructor(view) {
    this.#view = view;
  }

  close() {
    clearTimeout(this.#timer);
  }

  /** The first page is here, or the log began anew. */
  begin() {
    const { log, app, slug } = this.#view;
    const last = log.messages.at(-1);
    const unread = Boolean(log.room.state?.role) && last !== undefined && last.seq > log.read;
    this.newAfter = unread ? log.read : null;
    this.#unreadAtOpening = unread ? (app.rooms.get(slug)?.unread ?? 0) : 0;
  }

  /**
   * Somebody spoke, perhaps while nobody was looking.
   *
   * @param {Message} message
   */
  heard(message) {
    const { app, timeline } = this.#view;
    if (message.author.id === app.me.id) {
      this.newAfter = null;
      return;
    }
    if (!timeline.atEnd) timeline.newBelow += 1;
    const unseen = !timeline.atEnd || document.visibilityState !== "visible";
    if (unseen && this.newAfter === null) this.newAfter = message.seq - 1;
  }

  /** How many messages were unread, while the first of them is above what is loaded; else 0. */
  get above() {
    const { log } = this.#view;
    const [first] = log.messages;
    if (!first || this.newAfter === null || !log.window.moreBefore) return 0;
    return first.seq > this.newAfter ? this.#unreadAtOpening : 0;
  }

  /** I went there: nobody needs to be led there again. */
  foundAbove() {
    this.#unreadAtOpening = 0;
  }

  /** What is in view has been read. */
  mark() {
    const { app, log, slug, timeline } = this.#view;
    const reading = document.visibilityState === "visible" && timeline.atEnd;
    if (!reading || log.phase !== "live" || !log.room.state?.role) return;
    if ((app.rooms.get(slug)?.unread ?? 0) > 0) app.rooms.markRead(slug, log.head);
    if (log.head <= log.read) return;
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#markedAt + MARK_EVERY - Date.now());
    this.#timer = setTimeout(() => {
      this.#markedAt = Date.now();
      void log.markRead(log.head);
    }, wait);
  }
}
