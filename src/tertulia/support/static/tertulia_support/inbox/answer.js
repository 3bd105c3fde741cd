import { computed, signal } from "#signals";
import { Composer } from "#page/composer.js";
import { html } from "#page/dom.js";
import { Part } from "#page/element.js";
import { excerpt } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { NoteSide, ReplySide } from "./sides.js";

/** @typedef {"reply" | "note"} Mode */

const MODES = /** @type {const} */ (["reply", "note"]);

/**
 * Where one writes: to the visitor, or to colleagues. Each has a field of its own, so that what was
 * meant for colleagues never stands in the other's.
 */
export class Answer extends Part {
  /** @type {import("#signals").Signal<Mode>} */
  mode = signal(/** @type {Mode} */ ("reply"));

  #view;
  #reply;
  #replying = signal(false);
  /** As soon as it is known where the notes are. */
  #note = computed(() => {
    const notes = this.#view.notes.value;
    return notes && this.#noteFor(notes);
  });
  /** @type {{log: object, composer: Composer} | null} */
  #made = null;

  /** @param {import("./conversation-view.js").ConversationView} view */
  constructor(view) {
    super();
    this.#view = view;
    this.#reply = new Composer(/** @type {any} */ (new ReplySide(view)), {
      label: t("replyLabel"),
      placeholder: replyTo,
    });
    this.addEventListener("keydown", (event) => this.#insist(event), { capture: true });
    // The field has done by then what these ask for.
    for (const type of ["input", "keydown", "submit"]) this.addEventListener(type, () => this.#look());
    this.#look();
  }

  /**
   * With nothing else written, the key that sends sends what was held up.
   *
   * @param {KeyboardEvent} event
   */
  #insist(event) {
    const { key, ctrlKey, metaKey, target } = event;
    const empty = target instanceof HTMLTextAreaElement && !target.value.trim();
    if (key !== "Enter" || !(ctrlKey || metaKey) || !empty || !this.#view.guard.waits) return;
    event.preventDefault();
    event.stopPropagation();
    this.#view.guard.insist();
  }

  /** @param {import("#sdk").RoomLog} log */
  #noteFor(log) {
    if (this.#made?.log === log) return this.#made.composer;
    const composer = new Composer(/** @type {any} */ (new NoteSide(this.#view, log)), {
      label: t("noteField"),
      send: t("addNote"),
      placeholder: () => t("notePlaceholder"),
    });
    this.#made = { log, composer };
    return composer;
  }

  close() {
    this.#reply.close();
    this.#made?.composer.close();
  }

  get #composer() {
    return this.mode.peek() === "note" ? this.#note.peek() : this.#reply;
  }

  /** Whether something stands in the field for the visitor. */
  get replying() {
    return this.#replying.value;
  }

  focus() {
    this.#composer?.focus();
  }

  /** @param {string} text of an answer that was not sent */
  takeBack(text) {
    this.switchTo("reply");
    this.#reply.takeBack(text);
    this.#look();
  }

  #look() {
    this.#replying.value = this.#reply.draft !== "";
  }

  /** What is written and not sent, to both. */
  get draft() {
    return [this.#reply.draft, this.#made?.composer.draft ?? ""].filter(Boolean).join("\n\n");
  }

  /** @param {Mode} mode the keyboard goes along, with the next painting */
  switchTo(mode) {
    this.mode.value = mode;
    requestAnimationFrame(() => requestAnimationFrame(() => this.focus()));
  }

  /** From the one to the other. */
  toggle() {
    this.switchTo(this.mode.peek() === "note" ? "reply" : "note");
  }

  template() {
    const mode = this.mode.value;
    const note = this.#note.value;
    this.className = mode;
    return html`<div class="modes" role="tablist" aria-label=${t("modes")} @keydown=${(/** @type {KeyboardEvent} */ event) => this.#keydown(event)}>
        ${MODES.map((each) => html`<button type="button" role="tab" id="mode-${each}" aria-controls="mode-panel" aria-selected=${String(mode === each)}
          tabindex=${mode === each ? "0" : "-1"} title="${t(`mode.${each}Title`)} (${t("ctrlSlash")})" @click=${() => this.switchTo(each)}>${icon(each)}${t(`mode.${each}`)}</button>`)}
        ${mode === "note" ? html`<span class="modes-note">${icon("eye")}${t("onlyColleagues")}</span>` : this.#readers()}
      </div>
      <div id="mode-panel" role="tabpanel" aria-labelledby="mode-${mode}">${mode === "note" ? (note ?? html`<div class="composer-place"></div>`) : this.#reply}</div>`;
  }

  /** That the answers there are ready, where an inbox has some: whoever does not know of them finds them so. */
  #readers() {
    const { app, state } = this.#view;
    const inbox = state?.inbox ?? null;
    const some = inbox !== null && live(app.canned).of(inbox).length > 0;
    return some ? html`<button type="button" class="canned-button" @click=${() => this.#offerCanned()}>${icon("bolt")}<span>${t("cannedReplies")}</span></button>` : "";
  }

  #offerCanned() {
    this.#reply.insert("/");
  }

  /** @param {KeyboardEvent} event the tabs, as tabs are worked */
  #keydown(event) {
    if (!/** @type {Element} */ (event.target).matches("[role=tab]")) return;
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    this.mode.value = this.mode.peek() === "note" ? "reply" : "note";
    requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(`mode-${this.mode.peek()}`)?.focus()));
  }
}

customElements.define("tertulia-answer", Answer);

/** @param {string} name of the visitor */
function replyTo(name) {
  // No browser cuts this text with a sign of it.
  return t("replyPlaceholder", { name: excerpt(name, matchMedia("(max-width: 719.98px)").matches ? 12 : 30) });
}
