import { computed, signal } from "#signals";
import { html, nothing } from "./dom.js";
import { draftOf, keepDraft } from "./drafts.js";
import { Part } from "./element.js";
import { codePoints, excerpt } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { explain, loaded, notify } from "./notices.js";
import { TypingTeller } from "./typing.js";

/** How many characters before the limit the rest is told. */
const WARN_BEFORE = 500;
/** Whether the browser by itself makes a field as high as its text. */
const FITS = CSS.supports("field-sizing", "content");

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {{kind: "reply" | "edit", message: Message} | null} Mode
 * @typedef {{label: string, send: string, placeholder: (title: string) => string}} Words of the field
 *   and its button; `placeholder` is handed the room's title
 */

/** The field in which messages are written. Its draft outlasts a visit to another room. */
export class Composer extends Part {
  /** @type {import("#signals").Signal<Mode>} */
  mode = signal(/** @type {Mode} */ (null));

  #view;
  #words;
  #field = document.createElement("textarea");
  #text = signal("");
  #saving = signal(false);
  #limit = computed(() => live(this.#view.app.connection, "welcome").welcome?.limits.text ?? 10_000);
  #rest = computed(() => this.#limit.value - codePoints(this.#text.value));
  /** The rest where it is worth telling: a key in an ordinary text repaints nothing. */
  #told = computed(() => (this.#rest.value < Math.min(WARN_BEFORE, this.#limit.value / 2) ? this.#rest.value : null));
  #ready = computed(() => this.#text.value.trim() !== "" && this.#rest.value >= 0 && !this.#saving.value);
  #draftName;
  #typing;
  #completing = false;

  /**
   * @param {import("./room-view.js").RoomView} view
   * @param {Partial<Words>} [words]
   */
  constructor(view, words = {}) {
    super();
    this.#view = view;
    this.#words = { label: t("message"), send: t("send"), placeholder: inRoom, ...words };
    this.#typing = new TypingTeller(view.app.connection, view.slug);
    this.#draftName = `tertulia:draft:${view.app.me.id}:${view.slug}`;
    this.#field.rows = 1;
    this.#field.dir = "auto";
    this.#field.setAttribute("aria-label", this.#words.label);
    this.#field.setAttribute("enterkeyhint", "send");
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#keydown(event));
    this.#write(draftOf(this.#draftName));
  }

  close() {
    this.#typing.stop();
  }

  focus() {
    this.#field.focus();
  }

  /** What is written and not sent: in the field, and put aside for an edit. */
  get draft() {
    const aside = this.mode.peek()?.kind === "edit" ? draftOf(this.#draftName) : "";
    return [this.#field.value, aside].map((text) => text.trim()).filter(Boolean).join("\n\n");
  }

  /**
   * What was sent, and not taken: back into the field, before what is written there by now.
   *
   * @param {string} text
   */
  takeBack(text) {
    if (this.mode.peek()?.kind === "edit") this.#leaveMode();
    this.#write([text, this.#field.value].filter(Boolean).join("\n\n"));
    this.#keepDraft();
    this.focus();
  }

  /** @param {Message} message */
  reply(message) {
    if (this.mode.peek()?.kind === "edit") this.#leaveMode();
    this.mode.value = { kind: "reply", message };
    this.focus();
  }

  /** @param {Message} message */
  edit(message) {
    if (this.mode.peek() === null) this.#keepDraft();
    this.mode.value = { kind: "edit", message };
    this.#write(message.text);
    this.focus();
  }

  /**
   * Put something where the caret is, as if it had been typed.
   *
   * @param {string} text
   */
  insert(text) {
    this.focus();
    this.#field.setRangeText(text, this.#field.selectionStart, this.#field.selectionEnd, "end");
    this.#field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  template() {
    const mode = this.mode.value;
    this.#field.placeholder = this.#words.placeholder(this.#view.title);
    const told = this.#told.value;
    return html`<form class="composer" @submit=${(/** @type {SubmitEvent} */ event) => this.#submitted(event)}>
      ${mode ? this.#about(mode) : nothing}
      <div class="composer-row">
        <div class="composer-field">
          ${this.#field}
          <button type="button" class="icon-button" aria-label=${t("emoji")} title=${t("emoji")} aria-haspopup="dialog"
            @click=${(/** @type {any} */ event) => this.#pickEmoji(event.currentTarget)}>${icon("smile")}</button>
        </div>
        <button class="button primary send" ?disabled=${!this.#ready.value}>${mode?.kind === "edit" ? t("save") : this.#words.send}</button>
      </div>
      ${told === null ? nothing : note(told)}
    </form>`;
  }

  painted() {
    this.#fit();
  }

  /** @param {NonNullable<Mode>} mode */
  #about(mode) {
    const reply = mode.kind === "reply";
    const label = reply ? t("stopReply") : t("stopEdit");
    return html`<div class="composer-about">
      <span class="excerpt">
        ${reply ? t("replyingTo", { name: mode.message.author.name }) : t("editing")}
        ${reply ? html`<bdi>${excerpt(mode.message.text)}</bdi>` : nothing}
      </span>
      <button type="button" class="icon-button" aria-label=${label} title=${label} @click=${() => this.#leaveMode()}>${icon("close")}</button>
    </div>`;
  }

  /** @param {string} text */
  #write(text) {
    this.#field.value = text;
    this.#text.value = text;
    this.#fit();
  }

  /** The field is as high as its text, up to what the style sheet allows. */
  #fit() {
    if (FITS) return;
    this.#field.style.height = "auto";
    const borders = this.#field.offsetHeight - this.#field.clientHeight;
    if (this.#field.value) this.#field.style.height = `${this.#field.scrollHeight + borders}px`;
  }

  #changed() {
    this.#text.value = this.#field.value;
    this.#fit();
    void this.#complete();
    if (this.mode.peek()?.kind === "edit") return;
    this.#keepDraft();
    this.#typing.typed(this.#field.value);
  }

  /** Names and emoji are completed; what does it is fetched when somebody begins to write. */
  async #complete() {
    if (this.#completing) return;
    this.#completing = true;
    // Without a connection it is tried again at the next sign; nothing else depends on it.
    const module = await import("./completion.js").catch(() => null);
    if (module) new module.Completion(this.#field, this.#view);
    else this.#completing = false;
  }

  /** @param {HTMLElement} button */
  async #pickEmoji(button) {
    const picker = await loaded(import("./emoji/picker.js"));
    const emoji = await picker?.pickEmoji(button);
    if (emoji) this.insert(emoji);
  }

  #keepDraft() {
    keepDraft(this.#draftName, this.#field.value);
  }

  #leaveMode() {
    const editing = this.mode.peek()?.kind === "edit";
    this.mode.value = null;
    if (editing) this.#write(draftOf(this.#draftName));
    this.focus();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    void this.#submit();
  }

  async #submit() {
    const text = clean(this.#field.value);
    if (!this.#ready.value) return;
    const mode = this.mode.peek();
    if (mode?.kind === "edit") {
      await this.#save(mode, text);
      return;
    }
    try {
      this.#view.send(text, mode?.message.seq ?? null);
    } catch (error) {
      // What nobody would take stays where it can be mended.
      notify(explain(error));
      return;
    }
    this.mode.value = null;
    keepDraft(this.#draftName, "");
    this.#typing.stop();
    this.#write("");
    // Also after a touch on the button: the keyboard on the screen stays.
    this.focus();
  }

  /**
   * @param {NonNullable<Mode>} mode
   * @param {string} text
   */
  async #save(mode, text) {
    const { message } = mode;
    const present = this.#view.log.window.find(message.seq) ?? message;
    // A reaction meanwhile is no reason to refuse; another text is.
    const { version } = present.text === message.text ? present : message;
    this.#saving.value = true;
    // What would be written meanwhile would belong to nothing.
    this.#field.readOnly = true;
    try {
      const fields = { room: this.#view.slug, seq: message.seq, text, version };
      await this.#view.app.connection.request("message.edit", fields);
      if (this.mode.peek() === mode) this.#leaveMode();
    } catch (error) {
      notify(explain(error));
    } finally {
      this.#saving.value = false;
      this.#field.readOnly = false;
    }
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // While an input method composes, its keys are its own.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void this.#submit();
    } else if (event.key === "Escape" && this.mode.peek()) {
      event.preventDefault();
      this.#leaveMode();
    } else if (event.key === "Escape" && !this.#field.value && !this.#view.detailsOpen.peek()) {
      event.preventDefault();
      this.#view.timeline.takeKeyboard();
    } else if (event.key === "ArrowUp" && !event.altKey && !this.#field.value && !this.mode.peek()) {
      const last = this.#view.myLastMessage();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }
}

customElements.define("tertulia-composer", Composer);

/** @param {string} title of the room */
function inRoom(title) {
  // No browser cuts this text with a sign of it.
  return t("placeholder", { room: excerpt(title, matchMedia("(max-width: 719.98px)").matches ? 10 : 40) });
}

/** @param {number} rest */
function note(rest) {
  return rest < 0
    ? html`<p class="composer-note error" role="status">${t("tooLong", { n: -rest })}</p>`
    : html`<p class="composer-note quiet">${t("leftOver", { n: rest })}</p>`;
}

/**
 * What no server takes: NUL, and halves of characters that a cut through the middle leaves.
 *
 * @param {string} text
 */
function clean(text) {
  return text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\ufffd");
}
