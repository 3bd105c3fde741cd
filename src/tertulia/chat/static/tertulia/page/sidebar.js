import { confirm } from "./dialog.js";
import { html, nothing, render } from "./dom.js";
import { spoken, t } from "./i18n.js";
import { icon } from "./icons.js";
import { avatar, kindSign, roomTitle } from "./people.js";
import { roomPath } from "./router.js";

/** @typedef {import("../sdk/types.js").MyRoom} MyRoom */

/** My rooms at the left, the unread ones first, and my own account at the bottom. */
export class Sidebar {
  #app;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.#app = app;
    document.addEventListener("click", (event) => this.#closeMenu(event));
  }

  render() {
    const sidebar = document.getElementById("sidebar");
    if (!sidebar) return;
    const app = this.#app;
    render(html`
      <div class="sidebar-top">
        <a class="brand" href=${app.home} title=${t("home")} aria-current=${app.view?.title ? nothing : "page"}>Tertulia</a>
        <span>
          ${button("write", t("writeTo"), () => app.writeTo())}
          ${button("plus", t("newRoom"), () => app.newRoom())}
        </span>
      </div>
      <div class="rooms">${app.rooms.loaded ? this.#rooms() : nothing}</div>
      ${this.#account()}
    `, sidebar);
  }

  #rooms() {
    const rooms = [...this.#app.rooms.all].sort(byTitle);
    const unread = rooms.filter((room) => room.unread > 0 && !room.archived);
    const read = rooms.filter((room) => room.unread === 0 && !room.archived);
    const direct = read.filter((room) => room.kind === "direct");
    const others = read.filter((room) => room.kind !== "direct");
    const archived = rooms.filter((room) => room.archived);
    return html`
      ${unread.length ? this.#section(t("unreadRooms"), unread) : nothing}
      ${others.length || !rooms.length ? this.#section(t("rooms"), others, t("noRooms")) : nothing}
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
    const current = view !== null && "slug" in view && view.slug === room.room;
    const person = room.kind === "direct" && room.people?.length === 1 ? room.people[0] : null;
    return html`<a class="room-link ${room.unread > 0 ? "unread" : ""}" href=${roomPath(home, room.room)}
        aria-current=${current ? "page" : nothing}>
      ${person ? avatar(person, "small") : kindSign(room)}
      <bdi class="room-name">${roomTitle(room)}</bdi>
      ${room.unread > 0 ? html`<span class="sr-only">${t("unreadCount", { n: room.unread })}</span>` : nothing}
      ${room.mentions > 0 ? html`<span class="count" title=${t("mentionCount", { n: room.mentions })}>${room.mentions}<span class="sr-only"> ${t("mentionCount", { n: room.mentions })}</span></span>` : nothing}
    </a>`;
  }

  #account() {
    const { me, page } = this.#app;
    const { urls } = page;
    return html`<details class="account">
      <summary aria-label="${t("account")}: ${me.name}">${avatar(me)}<bdi>${me.name}</bdi></summary>
      <div class="menu">
        ${urls.invite ? html`<a href=${urls.invite}>${t("invite")}</a>` : nothing}
        ${urls.password ? html`<a href=${urls.password}>${t("password")}</a>` : nothing}
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

  async #signOut() {
    const { outbox } = this.#app;
    const n = outbox.size;
    if (n > 0 && !(await confirm(t("unsentSignOut", { n }), t("signOut")))) return;
    await outbox.clear();
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById("sign-out"));
    form?.submit();
  }

  /** @param {MouseEvent} event */
  #closeMenu(event) {
    const menu = document.querySelector(".account[open]");
    if (menu && !menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
  }
}

/**
 * @param {string} sign
 * @param {string} label
 * @param {() => void} act
 */
function button(sign, label, act) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} @click=${act}>${icon(sign)}</button>`;
}

/**
 * @param {MyRoom} a
 * @param {MyRoom} b
 */
function byTitle(a, b) {
  return roomTitle(a).localeCompare(roomTitle(b), spoken()) || (a.room < b.room ? -1 : 1);
}
