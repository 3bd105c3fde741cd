import { element, html, nothing, render } from "./dom.js";
import { t } from "./i18n.js";
import { avatar } from "./people.js";

/** Milliseconds after the last key before the server is asked. */
const PATIENCE = 200;

/** @typedef {import("../sdk/types.js").Person} Person */

/** A field that finds people by name, with what it found below it. */
export class PersonFinder {
  element = element("div", "finder");
  #connection;
  #choose;
  #excluded;
  #takeBack;
  /** @type {Person[] | null} null before the first answer */
  #people = null;
  /** @type {any} */
  #timer = null;
  #asked = 0;
  #id = `finder-${Math.random().toString(36).slice(2)}`;

  /**
   * @param {import("../sdk/index.js").Connection} connection
   * @param {(person: Person) => void} choose
   * @param {(id: string) => boolean} excluded who is not to be offered
   * @param {() => void} [takeBack] take the last one out again: Backspace in the empty field
   */
  constructor(connection, choose, excluded, takeBack) {
    this.#connection = connection;
    this.#choose = choose;
    this.#excluded = excluded;
    this.#takeBack = takeBack;
    this.#render();
  }

  /** Begin anew, the field empty. */
  clear() {
    const input = this.element.querySelector("input");
    if (input) input.value = "";
    this.#people = null;
    this.#render();
    input?.focus();
  }

  /** @param {string} text */
  #find(text) {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    if (!text.trim()) {
      this.#people = null;
      this.#render();
      return;
    }
    this.#timer = setTimeout(async () => {
      const found = await this.#connection
        .request("person.find", { text: text.trim(), limit: 20 })
        .catch(() => ({ people: [] }));
      if (asked !== this.#asked) return;
      this.#people = found.people;
      this.#render();
    }, PATIENCE);
  }

  #render() {
    const found = this.#people?.filter((person) => !this.#excluded(person.id)) ?? null;
    render(html`
      <div class="field">
        <label for=${this.#id}>${t("findPerson")}</label>
        <input id=${this.#id} type="search" autocomplete="off" autofocus
          @input=${(/** @type {any} */ event) => this.#find(event.target.value)}
          @keydown=${(/** @type {KeyboardEvent} */ event) => this.#keydown(event, found)} />
      </div>
      <div role="status">
        ${found?.length === 0 ? html`<p class="quiet">${t("nobodyFound")}</p>` : nothing}
      </div>
      ${found?.length ? html`<ul class="found">${found.map((person) => this.#line(person))}</ul>` : nothing}
    `, this.element);
  }

  /** @param {Person} person */
  #line(person) {
    return html`<li>
      <button type="button" @click=${() => this.#choose(person)}>
        ${avatar(person, "small")}<bdi>${person.name}</bdi>
      </button>
    </li>`;
  }

  /**
   * Enter takes the first that was found; in the empty field it is the form's.
   *
   * @param {KeyboardEvent} event
   * @param {Person[] | null} found
   */
  #keydown(event, found) {
    if (event.isComposing) return;
    const empty = /** @type {HTMLInputElement} */ (event.target).value === "";
    if (event.key === "Backspace" && empty && !event.repeat) this.#takeBack?.();
    if (event.key !== "Enter" || empty) return;
    event.preventDefault();
    if (found?.length) this.#choose(found[0]);
  }
}
