import { signal } from "#signals";
import { Announcer } from "#page/announcer.js";
import { element, html, nothing, render } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";
import { paint } from "#page/live.js";
import { EmailCard } from "./email.js";
import { entriesOf } from "./entries.js";
import { RatingCard } from "./rating.js";

/** Closer to the end, or to the beginning, than this many pixels is there. */
const NEAR = 48;

/**
 * What is said, on the screen. Its children are kept by key; what is being read does not move, and
 * the end is followed by who is there.
 */
export class Log extends Part {
  #app;
  #scroller = element("div", "log");
  #inner = element("div", "log-inner");
  #cards = element("div", "cards");
  #jump = element("div", "jumps");
  #announcer = new Announcer();
  /** @type {Map<string, {node: HTMLElement, deps: any[] | null}>} */
  #nodes = new Map();
  #atEnd = signal(true);
  #newBelow = signal(0);
  #loading = false;
  /** @type {import("#sdk").RoomLog | null} whose messages are announced */
  #heardOf = null;
  #observer = new ResizeObserver(() => this.#atEnd.peek() && this.#toEnd());
  #stopJump = () => {};

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#scroller.setAttribute("role", "log");
    this.#scroller.setAttribute("aria-live", "polite");
    this.#scroller.setAttribute("aria-label", t("messages"));
    this.#scroller.tabIndex = 0;
    // What is news is said by the announcer: messages also come by scrolling.
    this.#inner.setAttribute("aria-live", "off");
    this.#cards.append(new EmailCard(app), new RatingCard(app));
    this.#scroller.append(this.#inner, this.#cards, this.#announcer.element);
    this.append(this.#scroller, this.#jump);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  connectedCallback() {
    super.connectedCallback();
    for (const each of [this.#scroller, this.#inner, this.#cards]) this.#observer.observe(each);
    this.#stopJump = paint(() => this.#paintJump());
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#observer.disconnect();
    this.#stopJump();
  }

  goToEnd() {
    this.#atEnd.value = true;
    this.#toEnd();
  }

  draw() {
    this.#listen();
    const follow = this.#atEnd.peek();
    const anchor = follow ? null : this.#anchor();
    this.#reconcile(entriesOf(this.#app, () => void this.#loadEarlier()));
    if (follow) this.#toEnd();
    else if (anchor?.node.isConnected) this.#scroller.scrollTop += anchor.node.getBoundingClientRect().top - anchor.top;
  }

  /** The conversation may begin while one looks, or be another person's. */
  #listen() {
    const log = this.#app.session.value?.conversation.log.value ?? null;
    if (log === this.#heardOf) return;
    this.#heardOf = log;
    this.#atEnd.value = true;
    this.#newBelow.value = 0;
    const me = this.#app.session.peek()?.me.id;
    log?.on("message", (message) => {
      if (message.author.id === me || log !== this.#heardOf) return;
      if (!this.#atEnd.peek()) this.#newBelow.value += 1;
      this.#announcer.heard(message);
    });
  }

  /** @param {import("./entries.js").Entry[]} entries */
  #reconcile(entries) {
    const wanted = new Set(entries.map(({ key }) => key));
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

  /** @param {import("./entries.js").Entry} entry */
  #paint({ key, tag, className, deps, template }) {
    const kept = this.#nodes.get(key) ?? { node: document.createElement(tag), deps: null };
    this.#nodes.set(key, kept);
    if (kept.node.className !== className) kept.node.className = className;
    const same = kept.deps?.length === deps.length && deps.every((dep, i) => dep === kept.deps?.[i]);
    if (!same) render(template(), kept.node);
    kept.deps = deps;
    return kept.node;
  }

  /** The first message in view, and where it is. */
  #anchor() {
    const top = this.#scroller.getBoundingClientRect().top;
    for (const node of this.#inner.querySelectorAll("article")) {
      const place = node.getBoundingClientRect();
      if (place.bottom > top) return { node, top: place.top };
    }
    return null;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#newBelow.value = 0;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#atEnd.value = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.#atEnd.peek()) this.#newBelow.value = 0;
    if (scrollTop < NEAR) void this.#loadEarlier();
  }

  async #loadEarlier() {
    const log = this.#app.session.peek()?.conversation.log.peek();
    if (!log?.window.moreBefore || this.#loading) return;
    this.#loading = true;
    // Without a connection it is asked for again by the next scroll, or the button.
    await log.loadBefore(30).catch(() => {});
    this.#loading = false;
  }

  #paintJump() {
    const n = this.#newBelow.value;
    const label = n > 0 ? t("newBelow", { n }) : t("toLatest");
    const hidden = this.#atEnd.value;
    const go = () => {
      this.goToEnd();
      // The button goes away, and must not take the keyboard with it.
      this.#scroller.focus({ preventScroll: true });
    };
    render(hidden ? nothing : html`<button type="button" class="jump" @click=${go}>${label}</button>`, this.#jump);
  }
}

customElements.define("tertulia-log", Log);
