import { computed } from "#signals";
import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { excerpt, list, time } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { visible } from "#page/world.js";
import { A_LOOK } from "./seen.js";

/** So much of a name is enough to know who wrote. */
const NAME = 24;

/** @typedef {import("#sdk/item.js").Item} Item */

/**
 * An answer that was written without knowing what others have said meanwhile: that is shown, and what
 * is to become of the answer is asked. It stays in the outbox until then, and so is not lost.
 */
export class Guard extends Part {
  #view;
  #item = computed(() => live(this.#view.app.outbox).items(this.#view.slug, this.#view.log.head).find(Guard.holds) ?? null);
  #shown = "";
  /** Up to where the log has stood here long enough to be seen; and whether what it is about has come. */
  #seen = 0;
  #begun = false;
  /** @type {any} */
  #timer = null;

  /** @param {Item} item whether it waits for what I say */
  static holds(item) {
    return item.state === "failed" && item.error === "conflict";
  }

  /** @param {import("./conversation-view.js").ConversationView} view */
  constructor(view) {
    super();
    this.#view = view;
  }

  get waits() {
    return this.#item.value !== null;
  }

  /** What was said after what I knew of. @param {Item} item */
  #news(item) {
    const { me } = this.#view.app;
    return this.#view.messages.filter(({ author, seq, deleted }) => author.id !== me.id && seq > (item.seen ?? 0) && !deleted);
  }

  template() {
    const item = this.#item.value;
    this.hidden = item === null;
    if (item === null) return nothing;
    const news = this.#news(item);
    const names = [...new Set(news.map(({ author }) => excerpt(author.name, NAME)))];
    return html`<section class="guard" role="group" aria-labelledby="guard-title" tabindex="-1" @keydown=${(/** @type {KeyboardEvent} */ event) => this.#keydown(event)}>
      <h2 id="guard-title" role="alert">${icon("alert")}${names.length ? t("guardTitle", { names: list(names) }) : t("guardTitleUnknown")}</h2>
      <ul class="guard-news">${news.map((message) => html`<li>
        <span class="guard-by"><bdi>${message.author.name}</bdi> <time datetime=${message.sent_at}>${time(new Date(message.sent_at))}</time></span>
        <div class="text" dir="auto" .innerHTML=${message.html}></div>
      </li>`)}</ul>
      <p class="guard-mine"><span class="guard-by">${t("guardMine")}</span><span class="guard-text" dir="auto">${item.text}</span></p>
      <div class="actions">
        <button type="button" class="button primary" @click=${() => this.edit()}>${t("guardEdit")}</button>
        <button type="button" class="button" @click=${() => this.insist()}>${t("guardSend")}<kbd aria-hidden="true">${t("ctrlEnter")}</kbd></button>
      </div>
    </section>`;
  }

  /** Whoever is about to press Enter again is to see first what it is about. */
  painted() {
    const item = this.#item.value;
    const key = item?.key ?? "";
    if (key !== this.#shown) this.#begun = false;
    if (item) this.#look(item);
    if (key === this.#shown) return;
    this.#shown = key;
    const writing = document.activeElement?.closest("tertulia-answer");
    const empty = writing && !(/** @type {HTMLTextAreaElement} */ (document.activeElement).value);
    if (key && empty) /** @type {HTMLElement | null} */ (this.querySelector(".guard"))?.focus();
  }

  /**
   * What the question begins with is what it is about. What comes while it stands is known a moment
   * later: the answer may be given already.
   *
   * @param {Item} item
   */
  #look(item) {
    const { head, phase } = this.#view.log;
    if (!this.#begun) {
      this.#seen = head;
      this.#begun = phase === "live" && this.#news(item).length > 0;
    } else if (head > this.#seen) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        if (visible.peek()) this.#seen = Math.max(this.#seen, head);
        if (this.#item.peek() === item) this.#look(item);
      }, A_LOOK);
    }
  }

  /** Send it as it is, knowing what is shown here. */
  insist() {
    const item = this.#item.peek();
    if (item === null) return;
    this.#view.seen.told(this.#seen);
    this.#view.app.outbox.insist(item.key, this.#seen);
    this.#view.answer.focus();
  }

  /** Back into the field. */
  edit() {
    const item = this.#item.peek();
    if (item === null) return;
    this.#view.seen.told(this.#seen);
    this.#view.app.outbox.discard(item.key);
    this.#view.answer.takeBack(item.text);
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      this.insist();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.edit();
    }
  }
}

customElements.define("tertulia-guard", Guard);
