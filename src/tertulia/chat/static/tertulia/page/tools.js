import { signal } from "#signals";
import { html, nothing } from "./dom.js";
import { Part } from "./element.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { soon } from "./live.js";
import { loaded } from "./notices.js";

/** How long a finger rests on a message until its menu comes, in milliseconds. */
const LONG_PRESS = 500;
/** The height of the bar and of the day that sticks to the top, in pixels. */
const TALL = 56;
/** How far it may stray meanwhile, in pixels: more is scrolling. */
const STRAY = 10;

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("./room-view.js").RoomView} RoomView
 * @typedef {Pick<typeof import("./acts.js"), "react" | "more" | "sheet">} Acts
 */

/**
 * What can be done with a message: react, reply, more. One bar for the whole log, which goes
 * to the message that the pointer or the keyboard is on; under a finger that rests, a menu.
 */
export class MessageTools extends Part {
  #view;
  #timeline;
  /** The key of the message that it stands on. @type {import("#signals").Signal<string | null>} */
  #on = signal(/** @type {string | null} */ (null));
  /** What of it is open; meanwhile it stays where it is. @type {import("#signals").Signal<keyof Acts | null>} */
  #open = signal(/** @type {keyof Acts | null} */ (null));
  /** Whether it came to where it is by the keyboard. */
  #byFocus = false;

  /**
   * @param {RoomView} view
   * @param {import("./timeline.js").Timeline} timeline
   */
  constructor(view, timeline) {
    super();
    this.#view = view;
    this.#timeline = timeline;
    // What moves under a pointer that rests is no wish of anybody who is at the keyboard.
    timeline.addEventListener("pointerover", (event) => {
      if (!this.#byFocus) this.#pointed(event);
    });
    timeline.addEventListener("pointermove", (event) => {
      if (this.#byFocus) this.#pointed(event);
    });
    timeline.addEventListener("pointerleave", () => this.#goTo(this.#focused()));
    timeline.addEventListener("focusin", () => {
      this.#goTo(this.#focused());
      this.#byFocus = true;
    });
    timeline.addEventListener("focusout", () => soon(this.#left));
    timeline.addEventListener("pointerdown", (event) => this.#pressed(event));
    timeline.addEventListener("contextmenu", (event) => {
      // Under a finger that rests there is a menu already.
      if (this.#open.peek() === "sheet") event.preventDefault();
    });
    timeline.addEventListener("click", (event) => this.#tapped(event));
  }

  /** Be where it should be, after the log was painted. */
  place() {
    const node = this.#timeline.nodeOf(this.#on.peek());
    if (node === null) this.remove();
    else if (this.parentNode !== node) {
      // At the top of the view there is no room above the message.
      const room = node.getBoundingClientRect().top - this.#timeline.getBoundingClientRect().top;
      this.classList.toggle("within", room < TALL);
      node.append(this);
    }
  }

  /** @param {string | null} key */
  #goTo(key) {
    if (this.#on.peek() === key || this.#open.peek() !== null) return;
    this.#on.value = key;
    this.place();
    // Whoever is at a message may open its menu next, and goes on by key at once.
    if (key !== null) import("./acts.js").catch(() => {});
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    if (event.pointerType !== "mouse") return;
    this.#byFocus = false;
    this.#goTo(keyAt(event.target) ?? this.#focused());
  }

  #focused() {
    return this.#timeline.contains(document.activeElement) ? keyAt(document.activeElement) : null;
  }

  /** The keyboard went elsewhere: the bar goes too, unless the pointer has it. */
  #left = () => {
    if (this.#byFocus) this.#goTo(this.#focused());
  };

  /** The message that it stands on, where something may be done with it. */
  #message() {
    const key = this.#on.value;
    const message = this.#view.messages.find((each) => this.#view.keyOf(each) === key);
    return message && !message.deleted && this.#view.mayWrite ? message : null;
  }

  template() {
    const message = this.#message();
    if (message === null) return nothing;
    const open = this.#open.value;
    return html`<div class="tools">
      ${tool("smile", t("react"), (button) => this.act("react", message, button), open === "react")}
      ${tool("reply", t("reply"), () => this.#view.composer.reply(message))}
      ${tool("more", t("more"), (button) => this.act("more", message, button), open === "more")}
    </div>`;
  }

  /**
   * Open the palette or the menu of a message.
   *
   * @param {keyof Acts} what
   * @param {Message} message
   * @param {HTMLElement} anchor what it opens beside
   */
  async act(what, message, anchor) {
    const acts = await loaded(import("./acts.js"));
    if (!acts) return;
    this.#open.value = what;
    try {
      await acts[what](this.#view, message, anchor);
    } finally {
      this.#open.value = null;
    }
  }

  /**
   * A finger has no hover: touching a message shows its tools.
   *
   * @param {MouseEvent} event
   */
  #tapped(event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("a, button, input") || !getSelection()?.isCollapsed) return;
    if (!matchMedia("(hover: none)").matches) return;
    this.#goTo(keyAt(target));
    this.#byFocus = false;
  }

  /** @param {PointerEvent} event */
  #pressed(event) {
    const article = event.target instanceof Element ? event.target.closest("article") : null;
    if (event.pointerType !== "touch" || !(article instanceof HTMLElement)) return;
    const timer = setTimeout(() => {
      stop();
      this.#rested(article);
    }, LONG_PRESS);
    const strayed = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      if (Math.hypot(clientX - event.clientX, clientY - event.clientY) > STRAY) stop();
    };
    const ends = /** @type {const} */ (["pointerup", "pointercancel"]);
    const stop = () => {
      clearTimeout(timer);
      document.removeEventListener("pointermove", strayed);
      for (const end of ends) document.removeEventListener(end, stop);
    };
    document.addEventListener("pointermove", strayed);
    for (const end of ends) document.addEventListener(end, stop);
  }

  /** @param {HTMLElement} article */
  #rested(article) {
    this.#goTo(article.dataset.entry ?? null);
    const message = this.#message();
    if (!message) return;
    // Lifting the finger is no click on what has come to lie under it.
    const lifted = (/** @type {Event} */ event) => event.preventDefault();
    document.addEventListener("touchend", lifted, { once: true, passive: false });
    void this.act("sheet", message, article);
  }
}

customElements.define("tertulia-tools", MessageTools);

/** @param {EventTarget | null} target */
function keyAt(target) {
  const article = target instanceof Element ? target.closest("article") : null;
  return article instanceof HTMLElement ? (article.dataset.entry ?? null) : null;
}

/**
 * @param {string} sign
 * @param {string} label
 * @param {(button: HTMLElement) => void} act
 * @param {boolean} [expanded]
 */
function tool(sign, label, act, expanded) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label}
    aria-haspopup=${expanded === undefined ? nothing : "menu"} aria-expanded=${expanded === undefined ? nothing : String(expanded)}
    @click=${(/** @type {any} */ event) => act(event.currentTarget)}>${icon(sign)}</button>`;
}
