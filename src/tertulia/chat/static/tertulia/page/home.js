import { computed, signal } from "#signals";
import { html, nothing } from "./dom.js";
import { Part } from "./element.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { roomPath } from "./router.js";

/** Milliseconds after the last key before the list is asked for. */
const PATIENCE = 200;

/** @typedef {{room: string, name: string, topic: string, members: number, archived: boolean}} Offered a public room */

/** Home: a field to enter a room by name, and the public rooms that I am not in. */
export class Home extends Part {
  #app;
  /** Whether I am in no room at all. */
  #first = computed(() => live(this.#app.rooms).loaded && this.#app.rooms.all.length === 0);
  #news = computed(() => this.#newsNow());
  /** null before the first answer @type {import("#signals").Signal<{rooms: Offered[], more: boolean} | null>} */
  #offered = signal(/** @type {{rooms: Offered[], more: boolean} | null} */ (null));
  #filter = "";
  /** @type {any} */
  #timer = null;
  /** @type {(() => void)[]} */
  #stops = [];

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
  }

  connectedCallback() {
    super.connectedCallback();
    const { connection } = this.#app;
    // A room that I entered on another device, or was added to, is in the list by itself.
    this.#stops = [
      connection.on("event", (frame) => {
        if (frame.type === "room.entered") void this.#refresh();
      }),
      connection.on("welcome", () => {
        if (this.#offered.peek() === null) void this.#refresh();
      }),
    ];
    void this.#refresh();
    this.#offer();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
    clearTimeout(this.#timer);
  }

  /** Somebody asked for a room that is not there: `?new=name`. */
  #offer() {
    const name = new URLSearchParams(location.search).get("new");
    if (name === null) return;
    // Once offered is enough: a reload does not ask again.
    history.replaceState(null, "", this.#app.home);
    const offer = () => void this.#app.newRoom({ name, offered: true });
    if (this.#app.connection.online) {
      offer();
      return;
    }
    const stop = this.#app.connection.on("welcome", () => {
      stop();
      offer();
    });
  }

  /** Ask for the public rooms. */
  async #refresh() {
    const filter = this.#filter;
    // Who looks for a name may mean a room that can only be read.
    const query = new URLSearchParams(filter ? { q: filter, archived: "1" } : {});
    try {
      const response = await fetch(`${this.#app.page.urls.publicRooms}?${query}`);
      if (!response.ok || filter !== this.#filter) return;
      this.#offered.value = await response.json();
    } catch {
      // No connection: the line at the top says so, and what is shown stays.
    }
  }

  template() {
    const app = this.#app;
    const { page } = app;
    const first = this.#first.value;
    const none = first && this.#filter === "" && this.#offered.value?.rooms.length === 0;
    const lead = first ? t(none ? "veryFirstSteps" : "firstSteps") : this.#news.value;
    return html`<div class="home-scroll"><div class="home">
      <h1>${t(first ? "welcomeFirst" : "welcome", { name: app.me.name })}</h1>
      <p class="lead">${lead}</p>
      <section class="actions">
        <button type="button" class=${first ? "button primary" : "button"} @click=${() => app.newRoom()}>${icon("plus")}${t("newRoom")}</button>
        <button type="button" class="button" @click=${() => app.writeTo()}>${icon("write")}${t("writeTo")}</button>
        ${page.urls.invite ? html`<a class="button" href=${page.urls.invite}>${t("invite")}</a>` : nothing}
      </section>
      <section>
        <form class="enter" action=${page.urls.enter}>
          <div class="field">
            <label for="enter-name">${t("enterRoom")}</label>
            <input id="enter-name" name="name" required maxlength="200" autocomplete="off" />
          </div>
          <button class="button">${t("enter")}</button>
        </form>
      </section>
      ${none ? nothing : html`<section aria-labelledby="public-rooms">
        <h2 id="public-rooms">${t("publicRooms")}</h2>
        ${this.#list()}
      </section>`}
    </div></div>`;
  }

  /** What waits for me, in a sentence. */
  #newsNow() {
    const { loaded, all } = live(this.#app.rooms);
    if (!loaded) return nothing;
    const rooms = all.filter((room) => room.unread > 0 && !room.archived);
    const mentions = rooms.reduce((sum, room) => sum + room.mentions, 0);
    if (rooms.length === 0) return t("allRead");
    const news = t("newIn", { n: rooms.length });
    return mentions === 0 ? `${news}.` : `${news}, ${t("mentionYou", { n: mentions })}.`;
  }

  #list() {
    const offered = this.#offered.value;
    if (offered === null) return nothing;
    const { rooms, more } = offered;
    return html`
      <div class="field">
        <label class="sr-only" for="filter">${t("findRoom")}</label>
        <input id="filter" type="search" placeholder=${t("findRoom")} @input=${(/** @type {any} */ event) => this.#setFilter(event.target.value)} />
      </div>
      ${rooms.length === 0 ? html`<p class="quiet">${t(this.#filter ? "noRoomFound" : "noPublicRooms")}</p>` : nothing}
      <ul class="offered">${rooms.map((room) => html`<li>
        <a href=${roomPath(this.#app.home, room.room)}>
          ${icon("hash")}
          <span class="words">
            <bdi class="name">${room.name || room.room}</bdi>
            ${room.topic ? html`<bdi class="topic">${room.topic}</bdi>` : nothing}
          </span>
          <span class="quiet">${room.archived ? t("isArchived") : t("memberCount", { n: room.members })}</span>
        </a>
      </li>`)}</ul>
      ${more ? html`<p class="quiet">${t("morePublicRooms")}</p>` : nothing}
    `;
  }

  /** @param {string} text */
  #setFilter(text) {
    this.#filter = text.trim();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(), PATIENCE);
  }
}

customElements.define("tertulia-home", Home);
