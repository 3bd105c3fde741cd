import { signal } from "#signals";
import { html, nothing } from "#page/dom.js";
import { draftOf, keepDraft } from "#page/drafts.js";
import { Part } from "#page/element.js";
import { codePoints } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { TypingTeller } from "#page/typing.js";
import { unfit } from "#sdk/item.js";

/** Code points of a message, until the server has named its own limit. */
const LIMIT = 10_000;
/** Whether the browser by itself makes a field as high as its text. */
const FITS = CSS.supports("field-sizing", "content");

/** Where a message is written. Somebody new is made known to the server when he begins to write. */
export class Composer extends Part {
  #app;
  #sent;
  /** Where what stands here is kept. */
  #draft = "";
  #field = document.createElement("textarea");
  #text = signal("");
  /** @type {{slug: string, teller: TypingTeller} | null} */
  #typing = null;

  /**
   * @param {import("./app.js").App} app
   * @param {() => void} sent
   */
  constructor(app, sent) {
    super();
    this.#app = app;
    this.#sent = sent;
    const field = this.#field;
    field.rows = 1;
    field.dir = "auto";
    field.placeholder = t("placeholder");
    field.setAttribute("aria-label", t("message"));
    field.setAttribute("enterkeyhint", "send");
    field.addEventListener("input", () => this.#changed());
    field.addEventListener("keydown", (event) => this.#keydown(event));
    app.draft.subscribe((draft) => this.#begin(draft));
  }

  /** @param {{name: string, from: string}} draft of who is here now */
  #begin({ name, from }) {
    if (name === this.#draft) return;
    this.#draft = name;
    const text = draftOf(name) || draftOf(from);
    keepDraft(from, "");
    keepDraft(name, text);
    this.#write(text);
  }

  takeKeyboard() {
    this.#field.focus();
  }

  template() {
    const text = this.#text.value;
    const over = codePoints(text) - this.#limit;
    const ready = unfit(clean(text), this.#limit) === null;
    return html`<form class="composer" @submit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    }}>
      ${this.#field}
      <button class="send" ?disabled=${!ready} aria-label=${t("send")} title=${t("send")}>${icon("send")}</button>
      ${over > 0 ? html`<p class="error" role="status">${t("tooLong", { n: over })}</p>` : nothing}
    </form>`;
  }

  painted() {
    this.#fit();
  }

  get #limit() {
    return this.#app.session.peek()?.connection.welcome?.limits.text ?? LIMIT;
  }

  /** @param {string} text */
  #write(text) {
    this.#field.value = text;
    this.#text.value = text;
    this.#fit();
  }

  #fit() {
    if (FITS) return;
    this.#field.style.height = "auto";
    if (this.#field.value) this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }

  #changed() {
    const text = this.#field.value;
    this.#text.value = text;
    this.#fit();
    keepDraft(this.#draft, text);
    if (text.trim()) void this.#app.begin();
    this.#teller?.typed(text);
  }

  /** Before the conversation is there, nobody can be told that somebody types in it. */
  get #teller() {
    const session = this.#app.session.peek();
    const slug = session?.conversation.log.peek()?.slug;
    if (!session || !slug) return null;
    if (this.#typing?.slug !== slug) this.#typing = { slug, teller: new TypingTeller(session.connection, slug) };
    return this.#typing.teller;
  }

  #submit() {
    const text = clean(this.#field.value);
    // Signs that show nothing say nothing, and nobody would take them.
    if (unfit(text, this.#limit)) return;
    this.#app.say(text);
    keepDraft(this.#draft, "");
    this.#teller?.stop();
    this.#write("");
    this.#sent();
    this.#field.focus();
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // While an input method composes, its keys are its own.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.#submit();
  }
}

customElements.define("tertulia-widget-composer", Composer);

/**
 * What no server takes: NUL, and halves of characters that a cut through the middle leaves.
 *
 * @param {string} text
 */
function clean(text) {
  return text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\ufffd");
}
