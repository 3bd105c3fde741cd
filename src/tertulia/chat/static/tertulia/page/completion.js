import { element, html, render } from "./dom.js";
import { allEmoji, named, toned } from "./emoji/data.js";
import { myTone, rememberEmoji } from "./emoji/mine.js";
import { t } from "./i18n.js";
import { complete, emojiFor, members, outsiders } from "./suggestions.js";
import { trigger } from "./trigger.js";

/** Milliseconds after the last key before the server is asked for people. */
const PATIENCE = 150;
/** What the field has while the list stands. */
const MARKS = ["role", "aria-multiline", "aria-expanded", "aria-controls", "aria-autocomplete", "aria-activedescendant"];
/** Pixels between the field and the list over it. */
const GAP = 8;
/** How wide the list is at least, if the window is. */
const WIDTH = 420;

/**
 * @typedef {import("./suggestions.js").Suggestion} Suggestion
 * @typedef {import("./trigger.js").Trigger} Trigger
 * @typedef {{label: string, trigger: (before: string) => Trigger | null,
 *   suggest: (query: string) => Promise<Suggestion[]>}} Further what else is completed in a room
 */

let numbers = 0;

/**
 * Completes `@` and `:` in a field: a list over it, worked from the field by the keys.
 *
 * While the list stands, the field is a combobox: its keys reach nobody else. It can be made
 * when the first sign has been typed already.
 */
export class Completion {
  #field;
  #view;
  #list = element("div", "completion");
  /** @type {Suggestion[]} */
  #offered = [];
  #selected = 0;
  /** @type {Trigger | null} what is being completed */
  #trigger = null;
  /** Where a list was left by Esc: it stays away while that word is written. */
  #left = -1;
  /** A name that was put in is not completed again: where it stands, and what it is. */
  #finished = { from: -1, text: "" };
  /** Counts what was asked for, so that a late answer is known as one. */
  #asked = 0;
  /** @type {any} */
  #timer = null;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {import("./room-view.js").RoomView & {further?: Further}} view the room in which is written
   */
  constructor(field, view) {
    this.#field = field;
    this.#view = view;
    this.#list.id = `completion-${++numbers}`;
    this.#list.setAttribute("role", "listbox");
    // The field keeps the keyboard whatever is touched.
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => this.#click(event));
    field.addEventListener("keydown", (event) => this.#keydown(event), { capture: true });
    field.addEventListener("input", (event) => this.#typed(/** @type {InputEvent} */ (event)));
    field.addEventListener("compositionend", () => this.#update(true));
    field.addEventListener("keyup", (event) => this.#keyup(event));
    field.addEventListener("click", () => this.#update(false));
    field.addEventListener("blur", () => this.close());
    // A field that was taken out of the page tells nothing else.
    new ResizeObserver(() => (field.isConnected ? this.#place() : this.close())).observe(field);
    this.#update(true);
  }

  get open() {
    return this.#list.isConnected;
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#hide();
  }

  #hide() {
    this.#offered = [];
    this.#trigger = null;
    if (!this.open) return;
    this.#list.remove();
    for (const name of MARKS) this.#field.removeAttribute(name);
  }

  /** @param {InputEvent} event */
  #typed(event) {
    if (event.isComposing) return;
    // What is pasted, taken back or deleted is left as it is.
    const typed = event.inputType?.startsWith("insert") && event.inputType !== "insertFromPaste";
    this.#update(Boolean(typed));
  }

  /** @param {boolean} typed whether something was just written before the caret */
  #update(typed) {
    const { selectionStart: caret, selectionEnd, value } = this.#field;
    const found = caret === selectionEnd ? this.#triggerIn(value.slice(0, caret)) : null;
    if (found?.from !== this.#left) this.#left = -1;
    if (found === null || this.#isFinished(found, value) || this.#left >= 0) this.close();
    else if (found.closed) void this.#replaceCode(found, typed);
    else this.#suggest(found);
  }

  /**
   * What ends at the caret and could be completed: what only this room has goes first.
   *
   * @param {string} before the text up to there
   * @returns {Trigger | null}
   */
  #triggerIn(before) {
    return this.#view.further?.trigger(before) ?? trigger(before);
  }

  /** @param {Trigger} found */
  #suggest(found) {
    // What stands there for another word is no answer to this one.
    if (this.#trigger !== null && this.#trigger.from !== found.from) this.#hide();
    if (found.kind === "further") void this.#suggestFurther(found);
    else if (found.kind === "person") this.#suggestPeople(found);
    else void this.#suggestEmoji(found);
  }

  /**
   * @param {Trigger} found
   * @param {string} value
   */
  #isFinished(found, value) {
    const { from, text } = this.#finished;
    return found.from === from && value.startsWith(text, from);
  }

  /**
   * A short code that was written in full becomes its emoji.
   *
   * @param {Trigger} found
   * @param {boolean} typed
   */
  async #replaceCode(found, typed) {
    this.close();
    if (!typed) return;
    const code = `:${found.query}:`;
    const emoji = named(await allEmoji().catch(() => []), found.query);
    // The list may have come late, and more may have been written meanwhile.
    if (emoji === null || !this.#field.value.startsWith(code, found.from)) return;
    const text = toned(emoji, myTone());
    rememberEmoji(text);
    this.#replace(found.from, code.length, text);
  }

  /** @param {Trigger} found */
  #suggestPeople(found) {
    const asked = ++this.#asked;
    const inRoom = members(this.#view, found.query);
    clearTimeout(this.#timer);
    if (complete(inRoom, found.query)) {
      this.close();
      return;
    }
    this.#offer(found, inRoom);
    if (!found.query) return;
    this.#timer = setTimeout(async () => {
      const others = await outsiders(this.#view, found.query);
      if (asked === this.#asked && others.length > 0) this.#offer(found, [...inRoom, ...others]);
    }, PATIENCE);
  }

  /** @param {Trigger} found */
  async #suggestFurther(found) {
    const asked = ++this.#asked;
    const suggestions = (await this.#view.further?.suggest(found.query)) ?? [];
    if (asked === this.#asked) this.#offer(found, suggestions);
  }

  /** @param {Trigger} found */
  async #suggestEmoji(found) {
    const asked = ++this.#asked;
    const suggestions = await emojiFor(found.query).catch(() => []);
    if (asked === this.#asked) this.#offer(found, suggestions);
  }

  /**
   * Show suggestions. Who is selected stays so while the same word is completed.
   *
   * @param {Trigger} found
   * @param {Suggestion[]} suggestions
   */
  #offer(found, suggestions) {
    if (suggestions.length === 0) {
      this.#hide();
      return;
    }
    const same = this.#trigger?.from === found.from && this.#trigger.query === found.query;
    const key = same ? this.#offered[this.#selected]?.key : null;
    this.#trigger = found;
    this.#offered = suggestions;
    this.#selected = Math.max(0, suggestions.findIndex((each) => each.key === key));
    this.#show();
  }

  #show() {
    const labels = { person: t("suggestedPeople"), emoji: t("suggestedEmoji"), further: this.#view.further?.label ?? "" };
    this.#list.setAttribute("aria-label", labels[this.#trigger?.kind ?? "emoji"]);
    render(this.#offered.map((each, i) => html`<div role="option" class="completion-option"
      id=${this.#idOf(i)} data-index=${i} aria-selected=${String(i === this.#selected)}>${each.line}</div>`), this.#list);
    if (!this.open) document.body.append(this.#list);
    this.#place();
    this.#mark();
    this.#list.children[this.#selected]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} index */
  #idOf(index) {
    return `${this.#list.id}-${index}`;
  }

  /** Only while the list stands the field is more than a field. */
  #mark() {
    const attributes = {
      role: "combobox",
      "aria-multiline": "true",
      "aria-expanded": "true",
      "aria-controls": this.#list.id,
      "aria-autocomplete": "list",
      "aria-activedescendant": this.#idOf(this.#selected),
    };
    for (const [name, value] of Object.entries(attributes)) this.#field.setAttribute(name, value);
  }

  /** Over the field, as wide as it is or as a list needs, and as high as there is room. */
  #place() {
    if (!this.open) return;
    const { left, top, width } = this.#field.getBoundingClientRect();
    const { style } = this.#list;
    const wide = Math.max(width, Math.min(WIDTH, window.innerWidth - 2 * GAP));
    style.left = `${Math.min(left, window.innerWidth - wide - GAP)}px`;
    style.width = `${wide}px`;
    style.bottom = `${window.innerHeight - top + GAP}px`;
    style.maxHeight = `${top - 2 * GAP}px`;
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    // While an input method composes, its keys are its own.
    if (!this.open || event.isComposing || event.keyCode === 229) return;
    const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (shiftKey || ctrlKey || altKey || metaKey) return;
    const act = {
      ArrowDown: () => this.#move(1),
      ArrowUp: () => this.#move(-1),
      Enter: () => this.#choose(this.#selected),
      Tab: () => this.#choose(this.#selected),
      Escape: () => this.#leave(),
    }[key];
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }

  /** @param {KeyboardEvent} event */
  #keyup(event) {
    const moved = ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key);
    if (moved && !event.isComposing) this.#update(false);
  }

  /** @param {1 | -1} step */
  #move(step) {
    const { length } = this.#offered;
    this.#selected = (this.#selected + step + length) % length;
    this.#show();
  }

  #leave() {
    this.#left = this.#trigger?.from ?? -1;
    this.close();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const option = /** @type {HTMLElement} */ (event.target).closest?.("[data-index]");
    if (option instanceof HTMLElement) this.#choose(Number(option.dataset.index));
  }

  /** @param {number} index */
  #choose(index) {
    const found = this.#trigger;
    const chosen = this.#offered[index];
    if (!found || !chosen) return;
    if (chosen.emoji) rememberEmoji(chosen.emoji);
    else this.#finished = { from: found.from, text: chosen.insert };
    this.#replace(found.from, found.query.length + 1, chosen.insert);
    this.close();
  }

  /**
   * As if it were typed, so that the browser can take it back and the draft hears of it. The
   * caret stays behind what it was behind.
   *
   * @param {number} from
   * @param {number} length of what goes
   * @param {string} text
   */
  #replace(from, length, text) {
    const field = this.#field;
    const after = field.selectionStart - from - length;
    const focused = document.activeElement === field;
    field.setSelectionRange(from, from + length);
    if (!focused || !document.execCommand("insertText", false, text)) {
      field.setRangeText(text, from, from + length, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
    }
    if (after > 0) field.setSelectionRange(from + text.length + after, from + text.length + after);
  }
}
