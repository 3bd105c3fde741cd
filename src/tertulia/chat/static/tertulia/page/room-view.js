import { RoomLog } from "#sdk";
import { computed, effect, signal, untracked } from "#signals";
import { Composer } from "./composer.js";
import { t } from "./i18n.js";
import { derived, live, soon } from "./live.js";
import { attempt, explain, loaded, notify } from "./notices.js";
import { roomTitle } from "./people.js";
import { Quotes } from "./quotes.js";
import { Reading } from "./reading.js";
import { Timeline } from "./timeline.js";
import { visible } from "./world.js";

/** At most this many messages are in the page; more are read again from the server. */
const MOST = 300;
const PAGE = 50;

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("../sdk/types.js").Person} Person
 */

/**
 * One room, open: its log, what of it is shown, and what is being written. What the parts read
 * of it is live: a part that asks `mayWrite` is painted again when that has changed.
 */
export class RoomView {
  detailsOpen = signal(false);
  /** Whether the newest messages are to be loaded as soon as that is possible. */
  #owesLatest = false;
  /** The seq of the message that was asked for by its address. @type {import("#signals").Signal<number | null>} */
  marked = signal(/** @type {number | null} */ (null));

  #messages = computed(() => live(this.log).messages);
  #phase = computed(() => live(this.log).phase);
  /** As the list of my rooms has it, until the room itself has answered. */
  #state = computed(() => live(this.log).room.state ?? live(this.app.rooms).get(this.slug) ?? null);
  #role = computed(() => this.#state.value?.role ?? null);
  #mayWrite = computed(() => {
    const state = this.#state.value;
    return Boolean(state?.role) && !state?.archived && live(this.log).phase !== "refused";
  });
  #title = computed(() => this.#titleNow());
  #pictures = derived(() => [...live(this.log).room.members.values()].map(({ id, avatar }) => [id, avatar]));
  #reads = derived(() => [...live(this.log).room.reads].filter(([id]) => id !== this.app.me.id));
  #picture = computed(() => new Map(/** @type {[string, string | null][]} */ (this.#pictures.value)));

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
    this.quotes = new Quotes(this.log, app.connection);
    this.reading = new Reading(this);
    this.timeline = new Timeline(this);
    this.composer = new Composer(this);
  }

  open() {
    const { log, reading, timeline } = this;
    const read = () => reading.mark();
    this.#stops = [
      log.on("reset", () => this.#arrived()),
      log.on("message", (message) => {
        reading.heard(message);
        timeline.heard(message);
      }),
      log.on("change", () => {
        if (timeline.atEnd.peek()) this.#trimAtEnd();
        else if (log.messages.length > MOST + PAGE) queueMicrotask(() => this.#trimBelow());
        if (this.#owesLatest && log.phase === "live") this.#loadLatest();
        // In the same turn as the message, so that it is unread nowhere for a moment.
        read();
      }),
      this.app.rooms.on("change", read),
      effect(() => {
        if (visible.value && timeline.atEnd.value) untracked(read);
      }),
    ];
    log.open();
  }

  close() {
    for (const stop of this.#stops) stop();
    this.detailsOpen.value = false;
    this.reading.close();
    this.composer.close();
    this.log.close();
  }

  /** The messages at hand; another array whenever one of them changed. */
  get messages() {
    return this.#messages.value;
  }

  get phase() {
    return this.#phase.value;
  }

  /** In a direct room: who of the others has read up to which seq. */
  get reads() {
    return this.#reads.value;
  }

  get title() {
    return this.#title.value;
  }

  get mayWrite() {
    return this.#mayWrite.value;
  }

  /** Its state, as far as it is known. */
  get state() {
    return this.#state.value;
  }

  get mayModerate() {
    return this.#role.value === "owner" || this.#role.value === "moderator";
  }

  get isOwner() {
    return this.#role.value === "owner";
  }

  #titleNow() {
    const { state, members } = live(this.log).room;
    const mine = live(this.app.rooms).get(this.slug);
    const others = [...members.values()].filter((member) => member.id !== this.app.me.id);
    if (state) return roomTitle(state, mine?.people ?? others);
    if (mine) return roomTitle(mine);
    return (this.app.page.room === this.slug && this.app.page.name) || this.slug;
  }

  /**
   * Somebody with the picture that he has now, where that is known; his name stays the one
   * under which he spoke.
   *
   * @param {Person} author
   * @returns {Person}
   */
  pictured(author) {
    const avatar = this.#picture.value.get(author.id);
    return avatar === undefined || avatar === author.avatar ? author : { ...author, avatar };
  }

  /** Mine that are on their way to this room, but for those that the log has already. */
  items() {
    const { me, outbox } = this.app;
    const keys = new Set();
    for (const message of this.messages) if (message.author.id === me.id) keys.add(message.key);
    return live(outbox)
      .items(this.slug, this.log.head)
      .filter((item) => !keys.has(item.key));
  }

  /** The first page is here, or the log began anew. */
  #arrived() {
    this.reading.begin();
    this.timeline.goToNew();
    const seq = this.#seq;
    this.#seq = null;
    if (seq !== null) void this.jumpTo(seq);
    else this.#keyboardSoon();
  }

  /** Writing is what most come for; but whoever is elsewhere with the keyboard stays there. */
  #takeKeyboard() {
    const focused = document.activeElement;
    const free = focused === null || focused === document.body || focused.closest("#sidebar, #main");
    if (free && this.mayWrite) this.composer.focus();
  }

  /** The button that was pressed makes room for the field. */
  async join() {
    const { app, log, slug } = this;
    if ((await app.act("room.join", { room: slug })) === null) return;
    const stop = log.on("change", () => {
      if (!log.room.state?.role) return;
      stop();
      this.#keyboardSoon();
    });
  }

  #keyboardSoon() {
    if (matchMedia("(hover: hover)").matches) soon(() => soon(() => this.#takeKeyboard()));
  }

  /**
   * Show a message that may be anywhere in the log, and mark it.
   *
   * @param {number} seq
   */
  async jumpTo(seq) {
    try {
      const there = this.log.window.find(seq) !== null || (await this.log.loadAround(seq, PAGE));
      const message = this.log.window.find(seq);
      if (!there || !message) {
        notify(t("notThere"));
        await this.goToLatest();
        return;
      }
      this.marked.value = seq;
      this.timeline.goToEntry(this.keyOf(message));
    } catch (error) {
      notify(explain(error));
    }
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
    const after = this.reading.newAfter.peek() ?? 0;
    this.reading.foundAbove();
    await attempt(this.log.loadAround(Math.max(1, after), PAGE));
    this.timeline.goToEntry("new", "start");
  }

  async goToFirst() {
    if (this.log.window.moreBefore) await attempt(this.log.loadAround(1, PAGE));
    const [first] = this.log.messages;
    if (first) this.timeline.goToEntry(this.keyOf(first));
  }

  async goToLatest() {
    if (this.log.window.moreAfter) await attempt(this.log.loadLatest(PAGE));
    this.timeline.goToEnd();
  }

  /**
   * A page at a time: what goes away above moves all that stays, and a browser that has to paint
   * everything anew with each message is slow to show what is typed meanwhile.
   */
  #trimAtEnd() {
    const { window } = this.log;
    if (window.messages.length > MOST) window.trimStart(MOST - PAGE);
  }

  /** Much was said below what is being read: it is loaded again by whoever goes there. */
  #trimBelow() {
    const { log } = this;
    if (this.timeline.atEnd.peek() || log.messages.length <= MOST + PAGE) return;
    log.window.trimEnd(MOST);
    log.emit("change", undefined);
  }

  loadEarlier() {
    const { log } = this;
    if (!log.window.moreBefore) return;
    void this.#load(async () => {
      await log.loadBefore(PAGE);
      if (!this.timeline.atEnd.peek()) log.window.trimEnd(MOST);
      // Told once more: what came with the page may have been painted from already.
      log.emit("change", undefined);
    });
  }

  loadLater() {
    const { log } = this;
    if (!log.window.moreAfter) return;
    void this.#load(async () => {
      await log.loadAfter(PAGE);
      log.window.trimStart(MOST);
      log.emit("change", undefined);
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
    }
  }

  /**
   * @param {string} text
   * @param {number | null} replyTo
   */
  send(text, replyTo) {
    this.app.outbox.send(this.slug, text, { replyTo });
    this.timeline.goToEnd();
    if (this.log.window.moreAfter) this.#loadLatest();
  }

  /** What was sent from among old messages stands below them until the newest are here. */
  #loadLatest() {
    this.#owesLatest = false;
    this.log.loadLatest(PAGE).then(
      () => this.timeline.goToEnd(),
      () => {
        this.#owesLatest = this.log.window.moreAfter;
      },
    );
  }

  /** The newest of my messages that I could edit. */
  myLastMessage() {
    const { me } = this.app;
    return this.log.messages.findLast((each) => each.author.id === me.id && !each.deleted) ?? null;
  }

  /** Bring it back from the archive. */
  reopen() {
    void this.app.act("room.update", { room: this.slug, archived: false });
  }

  async invite() {
    await (await loaded(import("./invite.js")))?.openInvite(this);
  }

  /** @param {boolean} open */
  toggleDetails(open) {
    this.detailsOpen.value = open;
    // The panel takes the keyboard by itself when it comes.
    if (!open) document.getElementById("details-button")?.focus();
  }
}
