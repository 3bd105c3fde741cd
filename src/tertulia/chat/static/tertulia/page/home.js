import { html, nothing } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { roomPath } from "./router.js";

/** Milliseconds after the last key before the list is asked for. */
const PATIENCE = 200;

/** @typedef {{room: string, name: string, topic: string}} Offered a public room */

/** Home: a field to enter a room by name, and the public rooms that I am not in. */
export class HomeView {
  title = "";
  #app;
  /** @type {Offered[] | null} */
  #offered = null;
  #more = false;
  #filter = "";
  /** @type {any} */
  #timer = null;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.#app = app;
  }

  /** @param {URLSearchParams} query */
  open(query) {
    void this.refresh();
    const name = query.get("new");
    if (name === null) return;
    // Once offered is enough: a reload does not ask again.
    history.replaceState(null, "", this.#app.home);
    const offer = this.#app.connection.on("welcome", () => {
      offer();
      void this.#app.newRoom({ name, offered: true });
    });
  }

  close() {
    clearTimeout(this.#timer);
  }

  shown() {}

  /** Ask for the public rooms. */
  async refresh() {
    const query = new URLSearchParams(this.#filter ? { q: this.#filter } : {});
    const filter = this.#filter;
    try {
      const response = await fetch(`${this.#app.page.urls.publicRooms}?${query}`);
      if (!response.ok || filter !== this.#filter) return;
      const { rooms, more } = await response.json();
      this.#offered = rooms;
      this.#more = more;
      this.#app.update();
    } catch {
      // No connection: the line at the top says so, and what is shown stays.
    }
  }

  template() {
    const { me, page } = this.#app;
    return html`<div class="home-scroll"><div class="home">
      <h1>${t("welcome", { name: me.name })}</h1>
      <section>
        <form class="enter" action=${page.urls.enter}>
          <div class="field">
            <label for="enter-name">${t("enterRoom")}</label>
            <input id="enter-name" name="name" required maxlength="200" autocomplete="off" />
          </div>
          <button class="button primary">${t("enter")}</button>
        </form>
      </section>
      <section class="actions">
        <button type="button" class="button" @click=${() => this.#app.newRoom()}>${icon("plus")}${t("newRoom")}</button>
        <button type="button" class="button" @click=${() => this.#app.writeTo()}>${icon("write")}${t("writeTo")}</button>
        ${page.urls.invite ? html`<a class="button" href=${page.urls.invite}>${t("invite")}</a>` : nothing}
      </section>
      <section aria-labelledby="public-rooms">
        <h2 id="public-rooms">${t("publicRooms")}</h2>
        ${this.#list()}
      </section>
    </div></div>`;
  }

  #list() {
    const offered = this.#offered;
    if (offered === null) return nothing;
    const filtered = this.#filter !== "" || this.#more;
    return html`
      ${filtered || offered.length > 8 ? html`<div class="field">
        <label class="sr-only" for="filter">${t("findRoom")}</label>
        <input id="filter" type="search" placeholder=${t("findRoom")} @input=${(/** @type {any} */ event) => this.#setFilter(event.target.value)} />
      </div>` : nothing}
      ${offered.length === 0 ? html`<p class="quiet">${t("noPublicRooms")}</p>` : nothing}
      <ul class="offered">${offered.map((room) => html`<li>
        <a href=${roomPath(this.#app.home, room.room)}>
          ${icon("hash")}
          <span class="words">
            <bdi class="name">${room.name || room.room}</bdi>
            ${room.topic ? html`<bdi class="topic">${room.topic}</bdi>` : nothing}
          </span>
        </a>
      </li>`)}</ul>
      ${this.#more ? html`<p class="quiet">${t("morePublicRooms")}</p>` : nothing}
    `;
  }

  /** @param {string} text */
  #setFilter(text) {
    this.#filter = text.trim();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), PATIENCE);
  }
}
