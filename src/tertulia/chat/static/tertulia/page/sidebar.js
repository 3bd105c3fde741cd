import { computed } from "#signals";
import { html, nothing } from "./dom.js";
import { Part } from "./element.js";
import { excerpt } from "./format.js";
import { spoken, t } from "./i18n.js";
import { icon } from "./icons.js";
import { derived, live } from "./live.js";
import { loaded } from "./notices.js";
import { sections } from "./order.js";
import { avatar, kindSign, roomTitle } from "./people.js";
import { roomPath } from "./router.js";
import { showKeys } from "./shortcuts.js";
import { networkUp } from "./world.js";

/** @typedef {import("../sdk/types.js").MyRoom} MyRoom */

/** My rooms at the left, the unread ones first, and my own account at the bottom. */
export class Sidebar extends Part {
  #app;
  /** Without what a row does not show, so that reading on repaints nothing here. */
  #rooms;
  #loaded;
  /** What was refused: where, and what. */
  #failed;
  /** What is open, as it was painted last. @type {string | undefined} */
  #shown;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.#rooms = derived(() =>
      live(app.rooms).all.map((room) => ({ ...room, head: 0, read: 0, messages: 0 })),
    );
    this.#failed = derived(() => live(app.outbox).failed.map(({ room, text }) => ({ room, text })));
    this.#loaded = computed(() => live(app.rooms).loaded);
    document.addEventListener("click", (event) => this.#closeMenu(event));
    this.addEventListener("keydown", (event) => this.#keydown(event));
  }

  template() {
    const app = this.#app;
    const mac = /mac|iphone|ipad/i.test(navigator.platform);
    return html`
      <div class="sidebar-top">
        <a class="brand" href=${app.home} title=${t("home")} aria-current=${app.view.value ? nothing : "page"}>Tertulia</a>
        <span>
          ${button("write", t("writeTo"), () => app.writeTo())}
          ${button("plus", t("newRoom"), () => app.newRoom())}
        </span>
      </div>
      <div class="sidebar-search"><button type="button" class="search-button" aria-keyshortcuts=${mac ? "Meta+K" : "Control+K"} @click=${() => app.openSwitcher()}>
        ${icon("search")}<span>${t("goToPlace")}</span><kbd aria-hidden="true">${mac ? "⌘K" : t("ctrlK")}</kbd>
      </button></div>
      <div class="rooms">
        ${app.page.urls.inbox ? html`<a class="room-link" href=${app.page.urls.inbox}>${icon("buoy")}<span class="room-name">${t("supportInbox")}</span></a>` : nothing}
        ${this.#loaded.value ? this.#sections() : nothing}
      </div>
      ${this.#account()}
    `;
  }

  /** What has been opened, by whatever way, is in view. */
  painted() {
    const current = this.querySelector(".room-link[aria-current]");
    // Also when it is archived under somebody's eyes: its place is another one then.
    const archive = current?.closest("details");
    const shown = current ? `${current.getAttribute("href")} ${Boolean(archive)}` : undefined;
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (archive) archive.open = true;
    current?.scrollIntoView({ block: "nearest" });
  }

  #sections() {
    const { unread, favourites, rooms, direct, archived } = sections(this.#rooms.value, this.#app.kept);
    const none = this.#rooms.value.length === 0;
    const gone = this.#failed.value.filter(({ room }) => this.#app.rooms.get(room) === null);
    return html`
      ${gone.length ? this.#strays(gone) : nothing}
      ${unread.length ? this.#section(t("unreadRooms"), unread) : nothing}
      ${favourites.length ? this.#section(t("favourites"), favourites) : nothing}
      ${rooms.length || none ? this.#section(t("rooms"), rooms, t("noRooms")) : nothing}
      ${direct.length ? this.#section(t("directRooms"), direct) : nothing}
      ${archived.length ? this.#archive(archived) : nothing}
    `;
  }

  /** @param {MyRoom[]} rooms */
  #archive(rooms) {
    return html`<details class="archive">
      <summary>${t("archivedRooms")}</summary>
      <ul>${rooms.map((room) => html`<li>${this.#room(room)}</li>`)}</ul>
    </details>`;
  }

  /**
   * Not sent, and to rooms that are no longer mine: the way to what was written.
   *
   * @param {{room: string, text: string}[]} failed
   */
  #strays(failed) {
    return html`<section>
      <h2>${t("neverSent")}</h2>
      <ul>${failed.map(({ room, text }) => html`<li>
        <a class="room-link" href=${roomPath(this.#app.home, room)}>${icon("alert")}<bdi class="room-name">${excerpt(text)}</bdi></a>
      </li>`)}</ul>
    </section>`;
  }

  /**
   * @param {string} title
   * @param {MyRoom[]} rooms
   * @param {string} [empty]
   */
  #section(title, rooms, empty) {
    return html`<section>
      <h2>${title}</h2>
      ${rooms.length === 0 ? html`<p class="quiet">${empty}</p>` : nothing}
      <ul>${rooms.map((room) => html`<li>${this.#room(room)}</li>`)}</ul>
    </section>`;
  }

  /** @param {MyRoom} room */
  #room(room) {
    const { home, view } = this.#app;
    const current = view.value?.slug === room.room;
    const person = room.kind === "direct" && room.people?.length === 1 ? room.people[0] : null;
    return html`<a class="room-link ${room.unread > 0 ? "unread" : ""}" href=${roomPath(home, room.room)}
        aria-current=${current ? "page" : nothing}>
      ${person ? avatar(person, "small") : kindSign(room)}
      <bdi class="room-name">${roomTitle(room)}</bdi>
      ${this.#failed.value.some((each) => each.room === room.room)
        ? html`<span class="not-sent" title=${t("neverSent")}>${icon("alert")}<span class="sr-only">${t("neverSent")}</span></span>`
        : nothing}
      ${room.unread > 0 ? html`<span class="sr-only">${t("unreadCount", { n: room.unread })}</span>` : nothing}
      ${room.mentions > 0 ? html`<span class="count" title=${t("mentionCount", { n: room.mentions })}>${room.mentions}<span class="sr-only"> ${t("mentionCount", { n: room.mentions })}</span></span>` : nothing}
    </a>`;
  }

  #account() {
    const { me, page } = this.#app;
    const { urls } = page;
    const state = this.#state();
    return html`<details class="account">
      <summary aria-label="${t("account")}: ${me.name}, ${t(`state.${state}`)}">
        ${avatar(me)}
        <span class="who"><bdi>${me.name}</bdi><span class="state ${state}">${t(`state.${state}`)}</span></span>
      </summary>
      <div class="menu">
        ${urls.settings ? html`<a href=${urls.settings}>${t("settings")}</a>` : nothing}
        ${urls.administration ? html`<a href=${urls.administration}>${t("administration")}</a>` : nothing}
        ${urls.invite ? html`<a href=${urls.invite}>${t("invite")}</a>` : nothing}
        ${urls.password && !urls.settings ? html`<a href=${urls.password}>${t("password")}</a>` : nothing}
        <button type="button" @click=${() => this.#showKeys()}>${t("keysTitle")}</button>
        ${page.languages.map(([code, name]) => html`
          <button form="language" name="language" value=${code} lang=${code}
            aria-pressed=${String(code === spoken())}>${name}</button>
        `)}
        ${urls.signOut
          ? html`<button type="button" @click=${() => this.#signOut()}>${t("signOut")}</button>`
          : html`<a href=${urls.signIn}>${t("signIn")}</a>`}
      </div>
    </details>`;
  }

  /** How I am connected, in one word. */
  #state() {
    const { state } = live(this.#app.connection, "status").status;
    if (state === "online" || state === "ended") return state;
    return networkUp.value ? "connecting" : "offline";
  }

  #showKeys() {
    this.querySelector(".account")?.removeAttribute("open");
    void showKeys();
  }

  async #signOut() {
    const { outbox } = this.#app;
    const n = outbox.size;
    if (n > 0) {
      const dialog = await loaded(import("./dialog.js"));
      if (!(await dialog?.confirm(t("unsentSignOut", { n }), t("signOut")))) return;
    }
    await outbox.clear();
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById("sign-out"));
    form?.submit();
  }

  /** @param {MouseEvent} event */
  #closeMenu(event) {
    const menu = this.querySelector(".account[open]");
    if (menu && !menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    const menu = this.querySelector(".account[open]");
    if (event.key !== "Escape" || !menu) return;
    event.preventDefault();
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  }
}

customElements.define("tertulia-sidebar", Sidebar);

/**
 * @param {string} sign
 * @param {string} label
 * @param {() => void} act
 */
function button(sign, label, act) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} @click=${act}>${icon(sign)}</button>`;
}
