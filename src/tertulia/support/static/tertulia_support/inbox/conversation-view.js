import { RoomLog } from "#sdk";
import { computed, effect, signal, untracked } from "#signals";
import { isWriting } from "#page/dom.js";
import { derived, live, soon } from "#page/live.js";
import { t } from "#page/i18n.js";
import { attempt, explain, notify } from "#page/notices.js";
import { Quotes } from "#page/quotes.js";
import { Reading } from "#page/reading.js";
import { Timeline } from "#page/timeline.js";
import { visible } from "#page/world.js";
import { Answer } from "./answer.js";
import { entriesOf } from "./entries.js";
import { Guard } from "./guard.js";
import { Seen } from "./seen.js";
import { Story } from "./story.js";

const PAGE = 50;
/** The most that the server gives at once. */
const MOST = 100;

/**
 * @typedef {import("#sdk/types.js").Message} Message
 * @typedef {import("#sdk/types.js").Person} Person
 */

/**
 * One conversation, open: the log that its visitor reads, that of the notes, and what is being
 * written. To the chat's parts it is what a room is; what they read of it is live.
 */
export class ConversationView {
  /** The notes' log, as soon as it is known where it is. @type {import("#signals").Signal<RoomLog | null>} */
  notes = signal(/** @type {RoomLog | null} */ (null));
  /** The key of the message that was asked for by its address. @type {import("#signals").Signal<string | null>} */
  marked = signal(/** @type {string | null} */ (null));
  /** What is still to be shown of what was asked for. @type {import("#signals").Signal<import("./place.js").Place | null>} */
  #place;

  #state = computed(() => live(this.app.conversations).get(this.slug));
  #messages = computed(() => live(this.log).messages);
  #noted = computed(() => {
    const notes = this.notes.value;
    return notes ? live(notes).messages : [];
  });
  #phase = computed(() => live(this.log).phase);
  #pictures = derived(() => [...this.colleagues, ...(this.state ? [this.state.client] : [])].map(({ id, avatar }) => [id, avatar]));
  #picture = computed(() => new Map(/** @type {[string, string | null][]} */ (this.#pictures.value)));
  /** How far the visitor has read, where that was told since. */
  #clientRead = signal(0);
  /** Whether the keyboard goes to what was said, and not to where one answers. */
  #onlyRead = false;
  #loading = false;
  #closed = false;
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * @param {import("./desk.js").Desk} app
   * @param {string} slug
   * @param {import("./place.js").Place | null} [place] to be shown at first
   */
  constructor(app, slug, place = null) {
    this.app = app;
    this.slug = slug;
    this.#place = signal(place);
    this.log = new RoomLog(app.connection, slug, { limit: PAGE });
    this.quotes = new Quotes(this.log, app.connection);
    this.reading = new Reading(/** @type {any} */ (this));
    this.story = new Story(this);
    this.seen = new Seen(this);
    this.timeline = new Timeline(/** @type {any} */ (this), { entries: entriesOf, tools: false });
    this.answer = new Answer(this);
    this.guard = new Guard(this);
  }

  open() {
    const { app, log, reading, timeline } = this;
    const read = () => {
      reading.mark();
      this.seen.look();
    };
    this.#stops = [
      log.on("reset", () => this.#arrived()),
      log.on("message", (message) => {
        reading.heard(message);
        timeline.heard(message);
      }),
      log.on("change", read),
      log.on("passing", (frame) => this.#passing(frame)),
      app.connection.on("welcome", () => void app.conversations.ask(this.slug)),
      effect(() => {
        if (this.phase === "refused") untracked(() => this.#taken());
      }),
      effect(() => {
        const address = this.state?.notes;
        if (address) untracked(() => this.#follow(address));
      }),
      effect(() => {
        if (visible.value && timeline.atEnd.value) untracked(read);
      }),
      // Both logs are here, so that what is loaded of them can be put in order.
      effect(() => {
        const notes = this.notes.value;
        const here = this.phase === "live" && notes !== null && live(notes).phase === "live";
        if (this.#place.value !== null && here) untracked(() => void this.#showPlace());
      }),
    ];
    this.story.open();
    log.open();
    if (app.connection.online) void app.conversations.ask(this.slug);
  }

  close() {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.seen.close();
    this.reading.close();
    this.answer.close();
    this.log.close();
    this.notes.peek()?.close();
    this.app.conversations.forget(this.slug);
  }

  /** It is open to me no longer, and perhaps others with it. */
  #taken() {
    const { conversations, inboxes } = this.app;
    void conversations.ask(this.slug);
    void conversations.load();
    inboxes.loadSoon();
  }

  /** @param {string} address of the notes */
  #follow(address) {
    if (this.#closed || this.notes.peek() !== null) return;
    const notes = new RoomLog(this.app.connection, address, { limit: PAGE });
    this.#stops.push(notes.on("message", (message) => this.timeline.heard(message)));
    this.notes.value = notes;
    this.story.follow(notes);
    notes.open();
  }

  /** The conversation's state, as it was told last; null until then. */
  get state() {
    return this.#state.value;
  }

  /** Its visitor, and what else he has written about; null until that is known. */
  get about() {
    return live(this.app.conversations).about(this.slug);
  }

  get messages() {
    return this.#messages.value;
  }

  get noted() {
    return this.#noted.value;
  }

  get phase() {
    return this.#phase.value;
  }

  get title() {
    return this.state?.client.name ?? "…";
  }

  /** Whoever may read it may write. */
  get mayWrite() {
    return this.phase !== "refused";
  }

  get composer() {
    return this.answer;
  }

  /** How far its visitor has read. */
  get clientRead() {
    return Math.max(this.#clientRead.value, this.state?.client_read ?? 0);
  }

  /** The agents of its inbox. @returns {import("./inboxes.js").Agent[]} */
  get colleagues() {
    const { state } = this;
    return (state && live(this.app.inboxes).get(state.inbox)?.agents) ?? [];
  }

  /** Colleagues who look at it now, too. @returns {Person[]} */
  get lookingOn() {
    const notes = this.notes.value;
    const here = notes ? live(notes).room.here : [];
    return Array.isArray(here) ? here.filter(({ id }) => id !== this.app.me.id) : [];
  }

  /**
   * Somebody with the picture that he has now.
   *
   * @param {Person} author
   * @returns {Person}
   */
  pictured(author) {
    const avatar = this.#picture.value.get(author.id);
    return avatar === undefined || avatar === author.avatar ? author : { ...author, avatar };
  }

  /**
   * The key of a message's entry: mine keeps the one that it had on its way.
   *
   * @param {Message} message
   * @param {boolean} [noted]
   */
  keyOf(message, noted = false) {
    if (message.author.id === this.app.me.id) return `mine:${message.key}`;
    return `${noted ? "note" : "seq"}:${message.seq}`;
  }

  /**
   * Mine that are on their way, but for those that a log has already, and one that waits for what I
   * say to what others have written meanwhile.
   */
  items() {
    const { me, outbox } = this.app;
    const notes = this.notes.value;
    const keys = new Set();
    for (const { author, key } of [...this.messages, ...this.noted]) if (author.id === me.id) keys.add(key);
    const here = live(outbox).items(this.slug, this.log.head);
    const there = notes ? live(outbox).items(notes.slug, notes.head) : [];
    return [...here, ...there].filter((item) => !keys.has(item.key) && !Guard.holds(item));
  }

  /** @param {any} frame */
  #passing(frame) {
    if (frame.type !== "read.changed" || frame.who.id !== this.state?.client.id) return;
    this.#clientRead.value = Math.max(this.#clientRead.peek(), frame.read);
  }

  /** The first page is here, or the log began anew. */
  #arrived() {
    this.#clientRead.value = 0;
    this.reading.begin();
    this.seen.begin();
    this.timeline.goToNew();
    if (this.#place.peek() !== null) return;
    if (matchMedia("(hover: hover)").matches) soon(() => soon(() => this.#takeKeyboard()));
  }

  /** Whoever opened it has the keyboard for commands, and takes it to the answer by himself. */
  onlyRead() {
    this.#onlyRead = true;
  }

  /** Answering is what most come for; but whoever is elsewhere with the keyboard stays there. */
  #takeKeyboard() {
    const focused = document.activeElement;
    const free = focused === null || focused === document.body || focused.closest(".row, #main");
    if (!free || !this.mayWrite || this.#closed) return;
    if (!this.#onlyRead) this.answer.focus();
    else if (!isWriting(focused)) this.timeline.takeKeyboard();
  }

  /**
   * The log whose loaded part begins latest: above that, what belongs between is not at hand.
   *
   * @returns {RoomLog | null} null where all is here
   */
  get shortest() {
    const notes = this.notes.value;
    const logs = [this.log, ...(notes ? [notes] : [])].map((log) => live(log));
    const begins = (/** @type {RoomLog} */ log) => Date.parse(log.messages[0]?.sent_at ?? "") || 0;
    const cut = logs.filter((log) => log.window.moreBefore).sort((a, b) => begins(b) - begins(a));
    return cut[0] ?? null;
  }

  loadEarlier() {
    const log = this.shortest;
    if (log === null) return;
    void this.#load(async () => {
      await log.loadBefore(PAGE);
      // Told once more: what came with the page may have been painted from already.
      log.emit("change", undefined);
    });
  }

  /** All that is newer is here. */
  loadLater() {}

  /** @param {() => Promise<void>} act one page at a time; one that is refused is asked for by the next scrolling */
  async #load(act) {
    if (this.#loading || this.log.phase !== "live") return;
    this.#loading = true;
    try {
      await act();
    } catch (error) {
      explain(error);
    } finally {
      this.#loading = false;
    }
  }

  /** To the place where somebody of us stopped reading, which is not loaded yet. */
  async goToUnread() {
    const after = this.reading.newAfter.peek() ?? 0;
    this.reading.foundAbove();
    for (let pages = 0; pages < 4 && this.log.window.moreBefore && (this.log.messages[0]?.seq ?? 0) > after; pages += 1) {
      if ((await attempt(this.log.loadBefore(PAGE).then(() => true))) === null) break;
    }
    this.timeline.goToEntry("new", "start");
  }

  /** @param {import("./place.js").Place} place a message or note that may be anywhere */
  goToPlace(place) {
    this.#place.value = place;
  }

  /** What is older than the first page is loaded down to the place, of both logs. */
  async #showPlace() {
    const place = this.#place.peek();
    const log = place?.note ? this.notes.peek() : this.log;
    if (!place || !log) return;
    this.#place.value = null;
    try {
      while (log.window.find(place.seq) === null && goesBeyond(log, place.seq)) await log.loadBefore(MOST);
      const message = log.window.find(place.seq);
      if (message === null || message.deleted) {
        notify(t("notThere"));
        return;
      }
      while (this.#isAbove(message)) await this.shortest?.loadBefore(MOST);
      if (this.#closed) return;
      const key = this.keyOf(message, place.note);
      this.marked.value = key;
      this.timeline.goToEntry(key);
    } catch (error) {
      if (!this.#closed) notify(explain(error));
    }
  }

  /** @param {Message} message whether it is not shown yet, since the other log is not here so far */
  #isAbove({ sent_at }) {
    const first = this.shortest?.messages[0];
    return !this.#closed && first !== undefined && first.sent_at > sent_at;
  }

  async goToFirst() {
    this.loadEarlier();
    const [first] = this.log.messages;
    if (first) this.timeline.goToEntry(this.keyOf(first));
  }

  async goToLatest() {
    this.timeline.goToEnd();
  }
}

/**
 * Whether what is loaded of a log ends below a seq, and goes on above.
 *
 * @param {RoomLog} log
 * @param {number} seq
 */
function goesBeyond(log, seq) {
  const [first] = log.messages;
  return log.window.moreBefore && first !== undefined && first.seq > seq;
}
