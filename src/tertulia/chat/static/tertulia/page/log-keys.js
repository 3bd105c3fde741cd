import { isWriting } from "./dom.js";
import { loaded } from "./notices.js";

/** @typedef {import("./room-view.js").RoomView} RoomView */

/** The keys in the log: from message to message, and what is done with the one it is on. */
export class LogKeys {
  #view;
  #scroller;
  #acts;

  /**
   * @param {RoomView} view
   * @param {HTMLElement} scroller
   * @param {{acts?: boolean}} [options] `acts`: whether something may be done with a message
   */
  constructor(view, scroller, { acts = true } = {}) {
    this.#view = view;
    this.#scroller = scroller;
    this.#acts = acts;
    scroller.addEventListener("keydown", (event) => this.#keydown(event));
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.altKey || event.ctrlKey || event.metaKey || isWriting(target)) return;
    if (event.key === "Escape") {
      if (!this.#view.mayWrite) return;
      event.preventDefault();
      this.#view.composer.focus();
      return;
    }
    const act = this.#move(target, event.key) ?? this.#act(target, event.key);
    if (act === null) return;
    event.preventDefault();
    act();
  }

  /**
   * @param {HTMLElement} target
   * @param {string} key
   * @returns {(() => void) | null}
   */
  #move(target, key) {
    if (target !== this.#scroller && target.tagName !== "ARTICLE") return null;
    if (key === "ArrowUp") return () => this.#step(-1);
    if (key === "ArrowDown") return () => this.#step(1);
    if (key === "Home") return () => void this.#view.goToFirst();
    if (key === "End") return () => void this.#toNewest();
    return null;
  }

  /**
   * @param {HTMLElement} target
   * @param {string} key
   * @returns {(() => void) | null}
   */
  #act(target, key) {
    const article = target.closest("article");
    const message = this.#view.log.window.find(Number(article?.dataset.seq ?? 0));
    if (!this.#acts || article === null || !message || message.deleted || !this.#view.mayWrite) return null;
    const { composer, app, mayModerate } = this.#view;
    const mine = message.author.id === app.me.id;
    const tools = () => [...article.querySelectorAll(".tools button")];
    const press = (/** @type {number} */ index) => /** @type {HTMLElement} */ (tools().at(index))?.click();
    if (key === "Enter" && target === article) {
      return () => /** @type {HTMLElement} */ (tools()[0])?.focus();
    }
    // Who came by the pointer means to write, not to command.
    if (!target.matches(":focus-visible")) return null;
    if (key === "+") return () => press(0);
    const letter = key.toLowerCase();
    if (letter === "r") return () => composer.reply(message);
    if (letter === "e" && mine) return () => composer.edit(message);
    if (key === "Delete" && (mine || mayModerate)) return () => void this.#remove(message);
    return null;
  }

  /** @param {import("../sdk/types.js").Message} message */
  async #remove(message) {
    (await loaded(import("./acts.js")))?.remove(this.#view, message);
  }

  async #toNewest() {
    await this.#view.goToLatest();
    const last = this.#view.log.messages.at(-1);
    if (last) this.#view.timeline.goToEntry(this.#view.keyOf(last), "end");
  }

  #articles() {
    return [...this.#scroller.querySelectorAll("article")];
  }

  /**
   * The keyboard to the message above or below; into the log, to the last one in view.
   *
   * @param {-1 | 1} way
   */
  #step(way) {
    const articles = this.#articles();
    const bottom = this.#scroller.getBoundingClientRect().bottom;
    const present = articles.findIndex((article) => article === document.activeElement);
    const seen = articles.findLastIndex((article) => article.getBoundingClientRect().top < bottom);
    focusOn(articles[present < 0 ? seen : present + way]);
  }
}

/** @param {HTMLElement | undefined} article */
function focusOn(article) {
  article?.focus({ preventScroll: true });
  article?.scrollIntoView({ block: "nearest" });
}
