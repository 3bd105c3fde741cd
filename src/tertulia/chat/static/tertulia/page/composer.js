import { element, html, nothing, render } from "./dom.js";
import { codePoints, excerpt } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { explain, notify } from "./notices.js";

/** How many characters before the limit the rest is told. */
const WARN_BEFORE = 500;
/** Milliseconds after which `typing.start` is told again, and after which I type no more. */
const TYPING_AGAIN = 4_000;

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {{kind: "reply" | "edit", message: Message} | null} Mode
 */

/** The field in which messages are written. Its draft outlasts a visit to another room. */
export class Composer {
  element = element("form", "composer");
  /** @type {Mode} */
  mode = null;

  #view;
  #field = document.createElement("textarea");
  #draftName;
  #typingSince = 0;
  /** @type {any} */
  #typingTimer = null;
  #saving = false;

  /** @param {import("./room-view.js").RoomView} view */
  constructor(view) {
    this.#view = view;
    this.#draftName = `tertulia:draft:${view.app.me.id}:${view.slug}`;
    this.#field.rows = 1;
    this.#field.dir = "auto";
    this.#field.setAttribute("aria-label", t("message"));
    this.#field.setAttribute("enterkeyhint", "send");
    this.#field.value = sessionStorage.getItem(this.#draftName) ?? "";
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#keydown(event));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  close() {
    this.#stopTyping();
  }

  focus() {
    this.#field.focus();
  }

  /** @param {Message} message */
  reply(message) {
    if (this.mode?.kind === "edit") this.#leaveMode();
    this.mode = { kind: "reply", message };
    this.#view.app.update();
    this.focus();
  }

  /** @param {Message} message */
  edit(message) {
    if (this.mode === null) this.#keepDraft();
    this.mode = { kind: "edit", message };
    this.#write(message.text);
    this.focus();
  }

  render() {
    const title = this.#view.title;
    this.#field.placeholder = t("placeholder", { room: title });
    const { limit, rest } = this.#rest();
    const editing = this.mode?.kind === "edit";
    const ready = this.#field.value.trim() !== "" && rest >= 0 && !this.#saving;
    render(html`
      ${this.mode ? this.#about(this.mode) : nothing}
      <div class="composer-row">
        ${this.#field}
        <button class="button primary" ?disabled=${!ready}>${editing ? t("save") : t("send")}</button>
      </div>
      ${rest < Math.min(WARN_BEFORE, limit / 2) ? note(rest) : nothing}
    `, this.element);
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

  #rest() {
    const limit = this.#view.app.connection.welcome?.limits.text ?? 10_000;
    return { limit, rest: limit - codePoints(this.#field.value.trim()) };
  }

  /** @param {string} text */
  #write(text) {
    this.#field.value = text;
    this.#fit();
    this.#view.app.update();
  }

  /** The field is as high as its text, up to what the style sheet allows. */
  #fit() {
    this.#field.style.height = "auto";
    const borders = this.#field.offsetHeight - this.#field.clientHeight;
    if (this.#field.value) this.#field.style.height = `${this.#field.scrollHeight + borders}px`;
  }

  #changed() {
    this.#fit();
    if (this.mode?.kind !== "edit") {
      this.#keepDraft();
      this.#tellTyping();
    }
    this.#view.app.update();
  }

  #keepDraft() {
    if (this.#field.value) sessionStorage.setItem(this.#draftName, this.#field.value);
    else sessionStorage.removeItem(this.#draftName);
  }

  #leaveMode() {
    const editing = this.mode?.kind === "edit";
    this.mode = null;
    if (editing) this.#write(sessionStorage.getItem(this.#draftName) ?? "");
    this.#view.app.update();
    this.focus();
  }

  async #submit() {
    const text = clean(this.#field.value);
    if (!text.trim() || this.#rest().rest < 0 || this.#saving) return;
    if (this.mode?.kind === "edit") {
      await this.#save(this.mode.message, text);
      return;
    }
    const replyTo = this.mode?.message.seq ?? null;
    this.mode = null;
    sessionStorage.removeItem(this.#draftName);
    this.#stopTyping();
    this.#view.send(text, replyTo);
    this.#write("");
    // Also after a touch on the button: the keyboard on the screen stays.
    this.focus();
  }

  /**
   * @param {Message} message
   * @param {string} text
   */
  async #save(message, text) {
    const present = this.#view.log.window.find(message.seq) ?? message;
    // A reaction meanwhile is no reason to refuse; another text is.
    const { version } = present.text === message.text ? present : message;
    this.#saving = true;
    try {
      const fields = { room: this.#view.slug, seq: message.seq, text, version };
      await this.#view.app.connection.request("message.edit", fields);
      this.#leaveMode();
    } catch (error) {
      notify(explain(error));
    } finally {
      this.#saving = false;
      this.#view.app.update();
    }
  }

  #tellTyping() {
    clearTimeout(this.#typingTimer);
    if (!this.#field.value.trim()) {
      this.#stopTyping();
      return;
    }
    this.#typingTimer = setTimeout(() => this.#stopTyping(), TYPING_AGAIN);
    if (Date.now() - this.#typingSince < TYPING_AGAIN) return;
    this.#typingSince = Date.now();
    this.#tell("typing.start");
  }

  #stopTyping() {
    clearTimeout(this.#typingTimer);
    if (this.#typingSince > 0) this.#tell("typing.stop");
    this.#typingSince = 0;
  }

  /** @param {string} type that I type is worth no second try */
  #tell(type) {
    this.#view.app.connection.request(type, { room: this.#view.slug }).catch(() => {});
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // While an input method composes, its keys are its own.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void this.#submit();
    } else if (event.key === "Escape" && this.mode) {
      event.preventDefault();
      event.stopPropagation();
      this.#leaveMode();
    } else if (event.key === "ArrowUp" && !this.#field.value && !this.mode) {
      const last = this.#view.myLastMessage();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }
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
