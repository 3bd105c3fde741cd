import { signal } from "#signals";
import { Announcer } from "./announcer.js";
import { element, html, nothing, render } from "./dom.js";
import { Part } from "./element.js";
import { entriesOf } from "./entries.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { paint } from "./live.js";
import { LogKeys } from "./log-keys.js";
import { MessageTools } from "./tools.js";

/** Closer to the end than this many pixels is at the end. */
const NEAR_END = 32;
/** Closer to the edge of what is loaded than this, more is loaded. */
const NEAR_EDGE = 600;

/** What an entry's element says of it, for the style sheet and whoever looks for it. */
const DATA = ["seq", "key", "state"];

/** @typedef {import("./entries.js").Entry} Entry */

/**
 * The log on the screen. Its children are kept by key and changed only where what they show
 * changed; what is being read never moves, and the end is followed only by who is there.
 */
export class Timeline extends Part {
  atEnd = signal(true);
  /** Messages of others that came while the end was not in view. */
  newBelow = signal(0);
  /** The keys of the long messages that are shown in full. @type {import("#signals").Signal<Set<string>>} */
  expanded = signal(new Set());
  /** The keys of the messages all of whose reactions are shown. @type {import("#signals").Signal<Set<string>>} */
  unfolded = signal(new Set());

  #view;
  #entries;
  #scroller = element("div", "timeline");
  #inner = element("div", "timeline-inner");
  #buttons = element("div", "jumps");
  #announcer = new Announcer();
  #tools;
  /** @type {Map<string, {node: HTMLElement, deps: any[] | null, data: Record<string, string>}>} */
  #nodes = new Map();
  /** @type {{key: string, block: ScrollLogicalPosition} | "new" | "end" | null} */
  #goal = null;
  /** Goes up with each goal, so that it is reached even where nothing else changed. */
  #goals = signal(0);
  /** Where the view stood when it was last scrolled. */
  #top = 0;
  #observer = new ResizeObserver(() => this.#followEnd());
  #stopButtons = () => {};

  /**
   * @param {import("./room-view.js").RoomView} view
   * @param {{entries?: (view: any) => Entry[], tools?: boolean}} [options] `entries`: what it shows, of
   *   whatever the view is; `tools`: whether something may be done with a message
   */
  constructor(view, { entries = entriesOf, tools = true } = {}) {
    super();
    this.#view = view;
    this.#entries = entries;
    this.#tools = tools ? new MessageTools(view, this) : null;
    this.#scroller.setAttribute("role", "log");
    this.#scroller.setAttribute("aria-live", "polite");
    this.#scroller.setAttribute("aria-label", t("messages"));
    this.#scroller.tabIndex = 0;
    // What is news is said by the announcer: messages also come and go by scrolling.
    this.#inner.setAttribute("aria-live", "off");
    this.#scroller.append(this.#inner, this.#announcer.element);
    this.append(this.#scroller, this.#buttons);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#inner.addEventListener("focusin", (event) => this.#showClipped(event));
    new LogKeys(view, this.#scroller, { acts: tools });
  }

  connectedCallback() {
    super.connectedCallback();
    this.#observer.observe(this.#scroller);
    this.#observer.observe(this.#inner);
    this.#stopButtons = paint(() => this.#paintButtons());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#observer.disconnect();
    this.#stopButtons();
  }

  takeKeyboard() {
    this.#scroller.focus({ preventScroll: true });
  }

  /** Go to the newest message with the next painting. */
  goToEnd() {
    this.#goTo("end");
  }

  /** Go to the line where I stopped reading, or to the end. */
  goToNew() {
    this.#goTo("new");
  }

  /**
   * Go to a message.
   *
   * @param {string} key of its entry
   * @param {ScrollLogicalPosition} [block]
   */
  goToEntry(key, block = "center") {
    this.#goTo({ key, block });
  }

  /** @param {NonNullable<Timeline["#goal"]>} goal */
  #goTo(goal) {
    this.#goal = goal;
    this.#goals.value += 1;
  }

  /**
   * Somebody spoke.
   *
   * @param {import("../sdk/types.js").Message} message
   */
  heard(message) {
    if (message.author.id === this.#view.app.me.id) return;
    if (!this.atEnd.peek()) this.newBelow.value += 1;
    this.#announcer.heard(message);
  }

  /**
   * The entry of a key on the screen, if it is there.
   *
   * @param {string | null} key
   */
  nodeOf(key) {
    return key === null ? null : (this.#nodes.get(key)?.node ?? null);
  }

  /**
   * @param {import("#signals").Signal<Set<string>>} keys `expanded` or `unfolded`
   * @param {string} key
   */
  toggle(keys, key) {
    const next = new Set(keys.peek());
    if (!next.delete(key)) next.add(key);
    else if (keys === this.expanded) this.goToEntry(key, "nearest");
    keys.value = next;
  }

  draw() {
    void this.#goals.value;
    const follow = this.atEnd.peek() && this.#goal === null;
    const anchor = follow || this.#goal ? null : this.#anchor();
    this.#reconcile(this.#entries(this.#view));
    this.#tools?.place();
    if (this.#goal !== null) this.#reachGoal();
    else if (follow) this.#toEnd();
    else this.#hold(anchor);
  }

  /** @param {Entry[]} entries */
  #reconcile(entries) {
    const wanted = new Set(entries.map((entry) => entry.key));
    for (const [key, { node }] of this.#nodes) {
      if (wanted.has(key)) continue;
      node.remove();
      this.#nodes.delete(key);
    }
    let next = this.#inner.firstChild;
    for (const entry of entries) {
      const node = this.#paint(entry);
      if (node === next) next = next.nextSibling;
      else this.#inner.insertBefore(node, next);
    }
  }

  /** @param {Entry} entry */
  #paint(entry) {
    let kept = this.#nodes.get(entry.key);
    if (!kept) {
      const node = document.createElement(entry.tag);
      if (entry.tag === "article") node.tabIndex = -1;
      node.dataset.entry = entry.key;
      kept = { node, deps: null, data: {} };
      this.#nodes.set(entry.key, kept);
    }
    const { node, deps } = kept;
    if (node.className !== entry.className) node.className = entry.className;
    for (const name of DATA) {
      if (kept.data[name] === entry.data[name]) continue;
      if (name in entry.data) node.dataset[name] = entry.data[name];
      else delete node.dataset[name];
    }
    kept.data = entry.data;
    const same = deps?.length === entry.deps.length && deps.every((dep, i) => dep === entry.deps[i]);
    if (!same) {
      if (entry.label) node.setAttribute("aria-label", entry.label());
      render(entry.template(), node);
      if (node.querySelector(".text pre")) void offerCopy(node);
    }
    kept.deps = entry.deps;
    return node;
  }

  /** What stands at the top of the view, and where: it is to stay there. */
  #anchor() {
    const top = this.#scroller.getBoundingClientRect().top;
    for (const child of this.#inner.children) {
      if (!(child instanceof HTMLElement) || child.tagName !== "ARTICLE") continue;
      const place = child.getBoundingClientRect();
      if (place.bottom > top) return { node: child, offset: place.top };
    }
    return null;
  }

  /** @param {{node: HTMLElement, offset: number} | null} anchor */
  #hold(anchor) {
    if (!anchor?.node.isConnected) return;
    const moved = anchor.node.getBoundingClientRect().top - anchor.offset;
    if (Math.abs(moved) >= 1) this.#scroller.scrollTop += moved;
  }

  #reachGoal() {
    const goal = this.#goal;
    if (goal === "new") this.#toNewLine();
    else if (goal === "end") this.#toEnd();
    else if (goal !== null) {
      const node = this.nodeOf(goal.key);
      node?.scrollIntoView({ block: goal.block });
      node?.focus({ preventScroll: true });
    }
    this.#goal = null;
    this.#look();
  }

  #toNewLine() {
    const line = this.nodeOf("new");
    this.#toEnd();
    if (!line) return;
    const above = line.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    // A third of the view shows what I know already.
    const room = this.#scroller.clientHeight / 3;
    if (above < room) this.#scroller.scrollTop += above - room;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#look();
  }

  #followEnd() {
    const follows = this.atEnd.peek() && !this.#view.log.window.moreAfter;
    if (follows) this.#toEnd();
    return follows;
  }

  #scrolled() {
    // What grows at the end takes nobody away from it, only who scrolls up leaves it.
    if (this.#scroller.scrollTop < this.#top) this.#look();
    else this.#followEnd() || this.#look();
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#top = scrollTop;
    if (scrollTop < NEAR_EDGE) this.#view.loadEarlier();
    if (scrollHeight - scrollTop - clientHeight < NEAR_EDGE) this.#view.loadLater();
  }

  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.atEnd.value = near && !this.#view.log.window.moreAfter;
    if (this.atEnd.peek()) this.newBelow.value = 0;
  }

  #paintButtons() {
    const newBelow = this.newBelow.value;
    const unread = this.#view.reading.above.value;
    const label = newBelow > 0 ? t("newBelow", { n: newBelow }) : t("toLatest");
    // A pill says how many; where there is nothing to say, a small sign covers less.
    const kind = newBelow > 0 ? "jump" : "jump still";
    const face = newBelow > 0 ? label : html`<span class="sr-only">${label}</span>${icon("down")}`;
    render(html`
      ${unread > 0 ? html`<button type="button" class="jump up" @click=${() => this.#view.goToUnread()}>${t("toUnread", { n: unread })}</button>` : nothing}
      ${this.atEnd.value ? nothing : html`<button type="button" class=${kind} title=${newBelow > 0 ? nothing : label} @click=${() => this.#leaveToEnd()}>${face}</button>`}
    `, this.#buttons);
  }

  /** The button goes away, and must not take the keyboard with it. */
  async #leaveToEnd() {
    await this.#view.goToLatest();
    this.takeKeyboard();
  }

  /**
   * The keyboard has come to something in the hidden part of a long message.
   *
   * @param {FocusEvent} event
   */
  #showClipped(event) {
    const target = /** @type {Element} */ (event.target);
    const key = target.closest(".text.clipped")?.closest("article")?.dataset.entry;
    if (key) this.toggle(this.expanded, key);
  }
}

customElements.define("tertulia-timeline", Timeline);

/** @param {HTMLElement} article with code in it */
async function offerCopy(article) {
  // Without a connection the code can still be selected.
  const code = await import("./code.js").catch(() => null);
  code?.offerCopy(article);
}
