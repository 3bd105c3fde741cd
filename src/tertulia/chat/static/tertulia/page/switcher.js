import { newKey } from "#sdk";
import { destinations } from "./destinations.js";
import { html, nothing, render } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { match, pieces } from "./match.js";
import { attempt } from "./notices.js";
import { avatar, kindSign } from "./people.js";
import { recentRooms } from "./recent.js";

/** Milliseconds after the last key before the server is asked. */
const PATIENCE = 120;
const LIST = "switcher-list";

/**
 * @typedef {import("./app.js").App} App
 * @typedef {import("./destinations.js").Destination} Destination
 * @typedef {import("./destinations.js").Offered} Offered
 * @typedef {import("../sdk/types.js").Person} Person
 */

/** @type {Switcher | null} the one that stands open */
let present = null;

/**
 * Ask where to go; asked again, it closes.
 *
 * @param {App} app
 */
export function openSwitcher(app) {
  if (present) present.close();
  // Another dialog asks something that has to be answered first.
  else if (!document.querySelector("dialog[open]")) present = new Switcher(app);
}

/** One field and a list below it: my rooms at once, then whom and what the server knows. */
class Switcher {
  #app;
  #dialog = document.createElement("dialog");
  #query = "";
  /** @type {Person[]} */
  #people = [];
  /** @type {Offered[]} */
  #offered = [];
  /** @type {string | null} the key of what somebody selected; otherwise the first is */
  #chosen = null;
  /** @type {string | null} the key of what is selected */
  #selected = null;
  /** Whether the server has not answered for this query yet. */
  #pending = false;
  /** Whether Enter was pressed before there was anything to take. */
  #wanted = false;
  #asked = 0;
  /** @type {string | null} where the pointer was seen last */
  #pointer = null;
  /** @type {any} */
  #timer = null;
  #stop;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#dialog.className = "switcher";
    this.#dialog.setAttribute("aria-label", t("switchTo"));
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("click", (event) => {
      // The dialog itself is hit only beside what it holds.
      if (event.target === this.#dialog) this.close();
    });
    document.body.append(this.#dialog);
    this.#render();
    this.#stop = app.rooms.on("change", () => this.#render());
    this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
  }

  #closed() {
    clearTimeout(this.#timer);
    this.#stop();
    this.#asked += 1;
    this.#dialog.remove();
    present = null;
  }

  /** @param {string} text */
  #typed(text) {
    this.#query = text.trim();
    this.#chosen = null;
    this.#wanted = false;
    this.#pending = this.#query !== "";
    // What was found for the query before stays where it fits this one.
    this.#people = this.#people.filter((person) => match(this.#query, person.name));
    this.#offered = this.#offered.filter((room) => match(this.#query, room.name || room.room));
    clearTimeout(this.#timer);
    this.#asked += 1;
    if (this.#pending) this.#timer = setTimeout(() => void this.#ask(), PATIENCE);
    this.#render();
  }

  async #ask() {
    const asked = this.#asked;
    const [people, offered] = await Promise.all([this.#findPeople(), this.#findRooms()]);
    if (asked !== this.#asked) return;
    this.#people = people;
    this.#offered = offered;
    this.#pending = false;
    this.#render();
    if (this.#wanted) this.#enter();
  }

  /** @returns {Promise<Person[]>} */
  async #findPeople() {
    try {
      const fields = { text: this.#query, limit: 20 };
      return (await this.#app.connection.request("person.find", fields)).people;
    } catch {
      // Without a connection, or too fast: what is at hand has to do.
      return [];
    }
  }

  /** @returns {Promise<Offered[]>} */
  async #findRooms() {
    if (!this.#app.connection.online) return [];
    const query = new URLSearchParams({ q: this.#query });
    try {
      const response = await fetch(`${this.#app.page.urls.publicRooms}?${query}`);
      return response.ok ? (await response.json()).rooms : [];
    } catch {
      return [];
    }
  }

  #sections() {
    const { rooms, page, view } = this.#app;
    return destinations(this.#query, {
      rooms: rooms.all,
      recent: recentRooms(page.me.id),
      present: view.peek()?.slug ?? null,
      people: this.#people,
      offered: this.#offered,
    });
  }

  #render() {
    const sections = this.#sections();
    const all = sections.flatMap((section) => section.destinations);
    // What comes later may be better: only somebody's own choice holds against it.
    const holds = all.some(({ key }) => key === this.#chosen);
    this.#selected = holds ? this.#chosen : this.#first(all);
    const chosen = all.findIndex(({ key }) => key === this.#selected);
    let index = 0;
    render(html`
      <div class="switcher-field">
        ${icon("search")}
        <input type="text" role="combobox" aria-expanded="true" aria-controls=${LIST} aria-autocomplete="list"
          aria-activedescendant=${chosen < 0 ? nothing : optionId(chosen)} aria-label=${t("switchTo")}
          placeholder=${t("goToPlace")} autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="go" autofocus
          @input=${(/** @type {any} */ event) => this.#typed(event.target.value)}
          @keydown=${(/** @type {KeyboardEvent} */ event) => this.#keydown(event, all)} />
        <button type="button" class="icon-button" aria-label=${t("close")} title=${t("close")} @click=${() => this.close()}>${icon("close")}</button>
      </div>
      <div class="switcher-list" role="listbox" id=${LIST} aria-label=${t("switchTo")}>
        ${sections.map(({ name, destinations: each }) => html`<div role="group" aria-label=${t(name)}>
          <div class="switcher-heading" aria-hidden="true">${t(name)}</div>
          ${each.map((destination) => this.#option(destination, index++))}
        </div>`)}
      </div>
      ${all.length === 0 ? html`<p class="switcher-empty quiet">${t("noRooms")}</p>` : nothing}
    `, this.#dialog);
    this.#dialog.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  /**
   * What is selected by itself: the best that was found. A new room only if nothing else is.
   *
   * @param {Destination[]} all
   */
  #first(all) {
    const first = all[0];
    return !first || (first.kind === "create" && this.#pending) ? null : first.key;
  }

  /**
   * @param {Destination} destination
   * @param {number} index
   */
  #option(destination, index) {
    const selected = destination.key === this.#selected;
    return html`<div role="option" class="switcher-option" id=${optionId(index)} aria-selected=${String(selected)}
        @click=${() => this.#go(destination)}
        @pointermove=${(/** @type {PointerEvent} */ event) => this.#point(event, destination.key)}>
      ${sign(destination)}
      ${destination.kind === "create"
        ? html`<span class="switcher-title">${t("createNamed", { name: destination.title })}</span>`
        : html`<bdi class="switcher-title">${marked(destination)}</bdi>`}
      ${about(destination)}
    </div>`;
  }

  /**
   * The pointer selects where it moves, not where it rested when the list came up or changed
   * beneath it: browsers tell of that as a move, too.
   *
   * @param {PointerEvent} event
   * @param {string} key
   */
  #point({ screenX, screenY }, key) {
    const place = `${screenX} ${screenY}`;
    const moved = this.#pointer !== null && this.#pointer !== place;
    this.#pointer = place;
    if (moved) this.#select(key);
  }

  /** @param {string | null} key */
  #select(key) {
    this.#chosen = key;
    if (key !== this.#selected) this.#render();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Destination[]} all
   */
  #keydown(event, all) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") this.#enter();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      const at = all.findIndex(({ key }) => key === this.#selected);
      const from = at < 0 && step < 0 ? 0 : at;
      if (all.length > 0) this.#select(all[(from + step + all.length) % all.length].key);
    } else return;
    event.preventDefault();
  }

  #enter() {
    const all = this.#sections().flatMap((section) => section.destinations);
    const chosen = all.find(({ key }) => key === this.#selected);
    if (chosen) this.#go(chosen);
    // The answer is under way: its first is what is meant.
    else this.#wanted = this.#pending;
  }

  /** @param {Destination} destination */
  #go({ kind, title, room, person, offered }) {
    const app = this.#app;
    this.close();
    if (room) app.goTo(room.room);
    else if (offered) app.goTo(offered.room);
    else if (person) void writeTo(app, person);
    else if (kind === "create") void app.newRoom({ name: title });
  }
}

/**
 * @param {App} app
 * @param {Person} person
 */
async function writeTo(app, person) {
  const fields = { key: newKey(), kind: "direct", members: [person.id] };
  const made = await attempt(app.connection.request("room.create", fields));
  if (made) app.goTo(made.room);
}

/** @param {number} index */
function optionId(index) {
  return `${LIST}-${index}`;
}

/** @param {Destination} destination */
function sign({ kind, room, person }) {
  const other = person ?? (room?.kind === "direct" && room.people?.length === 1 ? room.people[0] : null);
  if (other) return avatar(other, "small");
  if (room) return kindSign(room);
  return html`<span class="kind">${icon(kind === "create" ? "plus" : "hash")}</span>`;
}

/** @param {Destination} destination */
function marked({ title, ranges }) {
  return pieces(title, ranges).map(({ text, marked: found }) => (found ? html`<mark>${text}</mark>` : text));
}

/** @param {Destination} destination */
function about({ room, offered }) {
  const note = room?.archived ? t("archivedRooms") : (offered?.topic ?? "");
  return html`
    ${note ? html`<bdi class="switcher-note">${note}</bdi>` : nothing}
    ${room?.unread ? html`<span class="switcher-unread">${t("unreadCount", { n: room.unread })}</span>` : nothing}
  `;
}
