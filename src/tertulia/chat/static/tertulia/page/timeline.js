import { element, html, nothing, render } from "./dom.js";
import { entriesOf } from "./entries.js";
import { t } from "./i18n.js";

/** Closer to the end than this many pixels is at the end. */
const NEAR_END = 32;
/** Closer to the edge of what is loaded than this, more is loaded. */
const NEAR_EDGE = 600;
/** Milliseconds that a screen reader takes to see what was put in. */
const HUSH = 500;

/** @typedef {import("./entries.js").Entry} Entry */

/**
 * The log on the screen. Its children are kept by key and changed only where what they show
 * changed; what is being read never moves, and the end is followed only by who is there.
 */
export class Timeline {
  element = element("div", "timeline-frame");
  /** The key of the message whose tools are shown. @type {string | null} */
  active = null;
  /** The key of the message whose palette is open. @type {string | null} */
  picking = null;
  atEnd = true;
  /** Messages of others that came while the end was not in view. */
  newBelow = 0;

  #view;
  #scroller = element("div", "timeline");
  #inner = element("div", "timeline-inner");
  #buttons = element("div", "");
  /** @type {Map<string, {node: HTMLElement, deps: any[] | null}>} */
  #nodes = new Map();
  /** @type {{key: string, block: ScrollLogicalPosition} | "new" | "end" | null} */
  #goal = null;
  /** @type {any} */
  #busy = null;
  #observer = new ResizeObserver(() => this.#followEnd());

  /** @param {import("./room-view.js").RoomView} view */
  constructor(view) {
    this.#view = view;
    this.#scroller.setAttribute("role", "log");
    this.#scroller.setAttribute("aria-live", "polite");
    this.#scroller.setAttribute("aria-label", t("messages"));
    this.#scroller.tabIndex = 0;
    this.#scroller.append(this.#inner);
    this.element.append(this.#scroller, this.#buttons);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#scroller.addEventListener("pointerover", (event) => this.#pointed(event));
    this.#scroller.addEventListener("pointerleave", () => this.#activate(this.#focused()));
    this.#scroller.addEventListener("focusin", () => this.#activate(this.#focused()));
    this.#scroller.addEventListener("click", (event) => this.#tapped(event));
    this.#scroller.addEventListener("keydown", (event) => this.#keydown(event));
    this.#observer.observe(this.#scroller);
    this.#observer.observe(this.#inner);
  }

  close() {
    this.#observer.disconnect();
  }

  /** Go to the newest message with the next update. */
  goToEnd() {
    this.#goal = "end";
  }

  /** Go to the line where I stopped reading, or to the end. */
  goToNew() {
    this.#goal = "new";
  }

  /**
   * Go to a message.
   *
   * @param {string} key of its entry
   * @param {ScrollLogicalPosition} [block]
   */
  goToEntry(key, block = "center") {
    this.#goal = { key, block };
  }

  /** Put the keyboard on the message that was gone to, or on the log. */
  focus() {
    this.#scroller.focus({ preventScroll: true });
  }

  /** Show what there is now. */
  update() {
    const anchor = this.#anchor();
    const follow = this.atEnd && this.#goal === null;
    this.#reconcile(entriesOf(this.#view));
    if (this.#goal !== null) this.#reachGoal();
    else if (follow) this.#toEnd();
    else this.#hold(anchor);
    this.#paintButtons();
  }

  /**
   * A page of history is not news: while it is put in, nothing is read out.
   *
   * @param {Entry[]} entries
   */
  #hush(entries) {
    const articles = entries.filter((entry) => entry.tag === "article");
    if (articles.length < 2 || this.#nodes.has(articles[0].key)) return;
    this.#scroller.setAttribute("aria-busy", "true");
    clearTimeout(this.#busy);
    this.#busy = setTimeout(() => this.#scroller.removeAttribute("aria-busy"), HUSH);
  }

  /** @param {Entry[]} entries */
  #reconcile(entries) {
    this.#hush(entries);
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
      kept = { node, deps: null };
      this.#nodes.set(entry.key, kept);
    }
    const { node, deps } = kept;
    if (node.className !== entry.className) node.className = entry.className;
    for (const name of ["seq", "key", "state"]) {
      if (name in entry.data) node.dataset[name] = entry.data[name];
      else delete node.dataset[name];
    }
    const same = deps?.length === entry.deps.length && deps.every((dep, i) => dep === entry.deps[i]);
    if (!same) render(entry.template(), node);
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
      const node = this.#nodes.get(goal.key)?.node;
      node?.scrollIntoView({ block: goal.block });
      node?.focus({ preventScroll: true });
    }
    this.#goal = null;
    this.#look();
  }

  #toNewLine() {
    const line = this.#nodes.get("new")?.node;
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
    if (this.atEnd && !this.#view.log.window.moreAfter) this.#toEnd();
  }

  #scrolled() {
    const before = this.atEnd;
    this.#look();
    if (this.atEnd !== before) this.#view.app.update();
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (scrollTop < NEAR_EDGE) this.#view.loadEarlier();
    if (scrollHeight - scrollTop - clientHeight < NEAR_EDGE) this.#view.loadLater();
  }

  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END && !this.#view.log.window.moreAfter;
    if (this.atEnd) this.newBelow = 0;
  }

  #paintButtons() {
    const { newBelow } = this;
    const unread = this.#view.reading.above;
    const label = newBelow > 0 ? t("newBelow", { n: newBelow }) : t("toLatest");
    const kind = newBelow > 0 ? "jump" : "jump still";
    render(html`
      ${unread > 0 ? html`<button type="button" class="jump up" @click=${() => this.#view.goToUnread()}>${t("toUnread", { n: unread })}</button>` : nothing}
      ${this.atEnd ? nothing : html`<button type="button" class=${kind} @click=${() => this.#view.goToLatest()}>${label}</button>`}
    `, this.#buttons);
  }

  /** @param {EventTarget | null} target */
  #keyAt(target) {
    const article = target instanceof Element ? target.closest("article") : null;
    return article instanceof HTMLElement ? (article.dataset.entry ?? null) : null;
  }

  #focused() {
    return this.#scroller.contains(document.activeElement) ? this.#keyAt(document.activeElement) : null;
  }

  /** @param {string | null} key */
  #activate(key) {
    if (this.active === key || this.picking !== null) return;
    this.active = key;
    this.#view.app.update();
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    if (event.pointerType === "mouse") this.#activate(this.#keyAt(event.target));
  }

  /**
   * A finger has no hover: touching a message shows its tools.
   *
   * @param {MouseEvent} event
   */
  #tapped(event) {
    const target = /** @type {Element} */ (event.target);
    if (this.picking !== null && this.#keyAt(target) !== this.picking) this.closePalette();
    if (target.closest("a, button, input") || !getSelection()?.isCollapsed) return;
    if (matchMedia("(hover: none)").matches) this.#activate(this.#keyAt(target));
  }

  /** @param {string} key */
  togglePalette(key) {
    this.picking = this.picking === key ? null : key;
    this.#view.app.update();
  }

  closePalette() {
    this.picking = null;
    this.#view.app.update();
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.picking === null) this.#view.composer.focus();
      else this.closePalette();
      return;
    }
    const onMessage = target === this.#scroller || target.tagName === "ARTICLE";
    if (!onMessage || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      this.#step(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Enter" && target.tagName === "ARTICLE") {
      event.preventDefault();
      /** @type {HTMLElement | null} */ (target.querySelector(".tools button"))?.focus();
    }
  }

  /**
   * The keyboard to the message above or below; into the log, to the last one in view.
   *
   * @param {-1 | 1} way
   */
  #step(way) {
    const articles = [...this.#inner.querySelectorAll("article")];
    const bottom = this.#scroller.getBoundingClientRect().bottom;
    const present = articles.findIndex((article) => article === document.activeElement);
    const seen = articles.findLastIndex((article) => article.getBoundingClientRect().top < bottom);
    const next = articles[present < 0 ? seen : present + way];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }
}
