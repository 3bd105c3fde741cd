import { html, nothing, render } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { notify, reason } from "../notices.js";
import { allEmoji, find, toned } from "./data.js";
import { cellBeside } from "./grid.js";
import { myTone, recentEmoji, rememberEmoji, setMyTone } from "./mine.js";

/** Pixels: what a cell measures, the height of a title, the least distance from the edges. */
const CELL = 44;
const TITLE = 32;
const MARGIN = 8;
/** Below this width the picker comes from the bottom; the style sheet has the same. */
const NARROW = "(max-width: 719.98px)";
const TONES = [0, 1, 2, 3, 4, 5];
const HAND = { text: "✋", tones: /** @type {const} */ (1) };

/**
 * @typedef {import("./data.js").Emoji} Emoji
 * @typedef {import("./data.js").Group} Group
 */

/**
 * Let somebody choose an emoji, beside the anchor or, where it is narrow, at the bottom.
 *
 * @param {HTMLElement} anchor
 * @returns {Promise<string | null>} null if none was chosen
 */
export async function pickEmoji(anchor) {
  const groups = await allEmoji().catch(() => null);
  if (groups === null) {
    notify(reason("disconnected"));
    return null;
  }
  return new Picker(anchor, groups).chosen;
}

/** The dialog: a field to search, the groups with their titles, and what is in focus. */
class Picker {
  /** @type {Promise<string | null>} */
  chosen;
  #anchor;
  #groups;
  #dialog = document.createElement("dialog");
  /** @type {string | null} */
  #answer = null;
  #columns = 8;
  #tone = myTone();
  #choosesTone = false;
  #query = "";
  /** @type {Group[]} what is shown */
  #shown = [];
  /** The cell that the keyboard is at, counted through all groups. */
  #at = 0;

  /**
   * @param {HTMLElement} anchor
   * @param {Group[]} groups
   */
  constructor(anchor, groups) {
    this.#anchor = anchor;
    this.#groups = groups;
    this.#shown = this.#sections();
    const dialog = this.#dialog;
    dialog.className = "emoji-picker";
    dialog.setAttribute("aria-label", t("pickEmoji"));
    dialog.addEventListener("click", (event) => this.#click(event));
    dialog.addEventListener("keydown", (event) => this.#keydown(event));
    for (const name of ["pointerover", "focusin"]) dialog.addEventListener(name, (event) => this.#preview(event));
    const fit = () => this.#fit();
    window.addEventListener("resize", fit);
    this.chosen = new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        window.removeEventListener("resize", fit);
        dialog.remove();
        resolve(this.#answer);
      });
    });
    document.body.append(dialog);
    this.#render();
    dialog.showModal();
    this.#fit();
  }

  /** @returns {Group[]} */
  #sections() {
    if (this.#query) {
      const emoji = find(this.#groups, this.#query, 10 * this.#columns);
      return emoji.length > 0 ? [{ name: t("found"), emoji }] : [];
    }
    const recent = this.#recent();
    return recent.length > 0 ? [{ name: t("recentEmoji"), emoji: recent }, ...this.#groups] : this.#groups;
  }

  /** @returns {Emoji[]} what I used last, in the tone that it had then */
  #recent() {
    const known = new Map();
    for (const { emoji } of this.#groups) for (const each of emoji) known.set(bare(each.text), each);
    return recentEmoji()
      .filter((text) => known.has(bare(text)))
      .map((text) => ({ ...known.get(bare(text)), text, tones: 0 }));
  }

  /** As many columns as there is room for, and a place beside the anchor. */
  #fit() {
    const dialog = this.#dialog;
    const narrow = matchMedia(NARROW).matches;
    const width = narrow ? document.documentElement.clientWidth : 8 * CELL + 28;
    this.#columns = Math.max(4, Math.floor((width - 28) / CELL));
    dialog.style.setProperty("--columns", String(this.#columns));
    this.#render();
    const { style } = dialog;
    if (narrow) {
      for (const name of ["left", "top"]) style.removeProperty(name);
      return;
    }
    const box = this.#anchor.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = dialog;
    const above = box.top - offsetHeight - MARGIN;
    const top = above >= MARGIN ? above : Math.min(box.bottom + MARGIN, innerHeight - offsetHeight - MARGIN);
    const left = Math.min(box.right - offsetWidth, innerWidth - offsetWidth - MARGIN);
    style.top = `${Math.max(MARGIN, top)}px`;
    style.left = `${Math.max(MARGIN, left)}px`;
  }

  #render() {
    let index = 0;
    const count = this.#shown.reduce((sum, group) => sum + group.emoji.length, 0);
    this.#at = Math.min(this.#at, Math.max(0, count - 1));
    render(html`
      <div class="emoji-field">
        ${icon("search")}
        <input type="text" aria-label=${t("findEmoji")} placeholder=${t("findEmoji")} autocomplete="off" autocapitalize="off"
          spellcheck="false" autofocus @input=${(/** @type {any} */ event) => this.#search(event.target.value)} />
        <button type="button" class="icon-button" aria-label=${t("close")} title=${t("close")} @click=${() => this.#dialog.close()}>${icon("close")}</button>
      </div>
      <div class="emoji-jumps" role="group" aria-label=${t("emojiGroups")} ?hidden=${this.#query !== ""}>
        ${this.#query ? nothing : this.#shown.map((group, i) => html`<button type="button" class="emoji-jump" data-group=${i} aria-label=${group.name} title=${group.name}>${group.name === t("recentEmoji") ? "🕘" : group.emoji[0].text}</button>`)}
      </div>
      <div class="emoji-scroll" tabindex="-1">
        ${this.#shown.map((group, i) => {
          const first = index;
          index += group.emoji.length;
          return this.#group(group, i, first);
        })}
      </div>
      <p class="emoji-none quiet" role="status">${count === 0 ? t("noEmoji") : ""}</p>
      <div class="emoji-foot">${this.#choosesTone ? this.#tones() : html`
        <span class="emoji-preview" aria-hidden="true"></span>
        ${this.#toneButton()}`}
      </div>
    `, this.#dialog);
    for (const [i, group] of this.#shown.entries()) {
      // What is out of sight is not laid out, but its height is known.
      const rows = Math.ceil(group.emoji.length / this.#columns);
      const section = /** @type {HTMLElement} */ (this.#dialog.querySelector(`#emoji-group-${i}`));
      section.style.setProperty("contain-intrinsic-size", `auto ${rows * CELL + TITLE}px`);
    }
  }

  /**
   * @param {Group} group
   * @param {number} number
   * @param {number} first the number of its first cell
   */
  #group({ name, emoji }, number, first) {
    const rows = [];
    for (let x = 0; x < emoji.length; x += this.#columns) rows.push(emoji.slice(x, x + this.#columns));
    return html`<section class="emoji-group" id=${`emoji-group-${number}`}>
      <h3 id=${`emoji-title-${number}`}>${name}</h3>
      <div role="grid" aria-labelledby=${`emoji-title-${number}`}>${rows.map((row, y) => html`<div role="row" class="emoji-row">
        ${row.map((each, x) => this.#cell(each, first + y * this.#columns + x))}
      </div>`)}</div>
    </section>`;
  }

  /**
   * @param {Emoji} emoji
   * @param {number} index
   */
  #cell(emoji, index) {
    return html`<button type="button" role="gridcell" class="emoji-cell" data-index=${index}
      tabindex=${index === this.#at ? 0 : -1} aria-label=${emoji.name}>${toned(emoji, this.#tone)}</button>`;
  }

  #toneButton() {
    const name = t(`tone.${this.#tone}`);
    return html`<button type="button" class="icon-button emoji-tone" aria-label=${`${t("skinTone")}: ${name}`} title=${t("skinTone")}
      @click=${() => this.#openTones(true)}>${toned(HAND, this.#tone)}</button>`;
  }

  #tones() {
    return html`<div class="emoji-tones" role="radiogroup" aria-label=${t("skinTone")}>${TONES.map((tone) => html`
      <label title=${t(`tone.${tone}`)}><input type="radio" name="emoji-tone" class="sr-only" .checked=${tone === this.#tone} aria-label=${t(`tone.${tone}`)}
        @change=${() => this.#setTone(tone)} /><span aria-hidden="true">${toned(HAND, tone)}</span></label>`)}
      <button type="button" class="button" @click=${() => this.#openTones(false)}>${t("done")}</button>
    </div>`;
  }

  /** @param {boolean} open */
  #openTones(open) {
    this.#choosesTone = open;
    this.#render();
    const next = open ? "input[type=radio]:checked" : ".emoji-tone";
    /** @type {HTMLElement | null} */ (this.#dialog.querySelector(next))?.focus();
  }

  /** @param {number} tone */
  #setTone(tone) {
    this.#tone = tone;
    setMyTone(tone);
    this.#render();
  }

  /** @param {string} text */
  #search(text) {
    this.#query = text.trim();
    this.#shown = this.#sections();
    this.#at = 0;
    this.#render();
    this.#dialog.querySelector(".emoji-scroll")?.scrollTo(0, 0);
  }

  /** @param {Event} event */
  #preview(event) {
    const cell = cellOf(event);
    const preview = this.#dialog.querySelector(".emoji-preview");
    if (!cell || !(preview instanceof HTMLElement)) return;
    const emoji = this.#emojiAt(Number(cell.dataset.index));
    if (emoji) render(previewOf(emoji, toned(emoji, this.#tone)), preview);
  }

  /** @param {number} index */
  #emojiAt(index) {
    return this.#shown.flatMap((group) => group.emoji)[index];
  }

  /** @param {MouseEvent} event */
  #click(event) {
    if (event.target === this.#dialog) this.#dialog.close();
    const cell = cellOf(event);
    const jump = /** @type {HTMLElement} */ (event.target).closest?.("[data-group]");
    if (cell) this.#choose(Number(cell.dataset.index));
    else if (jump instanceof HTMLElement) this.#jump(Number(jump.dataset.group));
  }

  /** @param {number} number */
  #jump(number) {
    this.#dialog.querySelector(`#emoji-group-${number}`)?.scrollIntoView({ block: "start" });
  }

  /** @param {number} index */
  #choose(index) {
    const emoji = this.#emojiAt(index);
    if (!emoji) return;
    this.#answer = toned(emoji, this.#tone);
    rememberEmoji(this.#answer);
    this.#dialog.close();
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const cell = cellOf(event);
    if (cell) this.#keyInGrid(event, Number(cell.dataset.index));
    else if (/** @type {HTMLElement} */ (event.target).matches(".emoji-field input")) this.#keyInField(event);
  }

  /** @param {KeyboardEvent} event */
  #keyInField(event) {
    if (event.key === "ArrowDown") this.#focus(this.#at);
    else if (event.key === "Enter" && this.#query) this.#choose(0);
    else return;
    event.preventDefault();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} index
   */
  #keyInGrid(event, index) {
    const { key, ctrlKey, altKey, metaKey } = event;
    const rtl = getComputedStyle(this.#dialog).direction === "rtl";
    const sizes = this.#shown.map((group) => group.emoji.length);
    const next = cellBeside(key, sizes, this.#columns, index, { rtl, control: ctrlKey || metaKey });
    if (next !== null) {
      event.preventDefault();
      this.#focus(next);
    } else if ([...key].length === 1 && key !== " " && !ctrlKey && !altKey && !metaKey) {
      // What is written is searched for: the letter goes into the field.
      this.#focus(-1);
    }
  }

  /** @param {number} index of a cell; -1: the field */
  #focus(index) {
    if (index < 0) {
      this.#dialog.querySelector("input")?.focus();
      return;
    }
    const cell = (/** @type {number} */ number) => this.#dialog.querySelector(`[data-index="${number}"]`);
    cell(this.#at)?.setAttribute("tabindex", "-1");
    this.#at = index;
    const next = /** @type {HTMLElement | null} */ (cell(index));
    next?.setAttribute("tabindex", "0");
    next?.focus();
  }
}

/**
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
function cellOf(event) {
  return event.target instanceof Element ? event.target.closest(".emoji-cell") : null;
}

/**
 * @param {Emoji} emoji
 * @param {string} text
 */
function previewOf(emoji, text) {
  return html`<span class="emoji-big">${text}</span>
    <span class="emoji-named"><span>${emoji.name}</span>
    ${emoji.codes[0] ? html`<span class="quiet">:${emoji.codes[0]}:</span>` : nothing}</span>`;
}

/** @param {string} emoji without skin tones and the selectors that come and go with them */
function bare(emoji) {
  return emoji.replace(/[\u{1f3fb}-\u{1f3ff}\ufe0f]/gu, "");
}
