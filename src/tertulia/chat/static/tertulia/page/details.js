import { confirm } from "./dialog.js";
import { html, nothing } from "./dom.js";
import { Part } from "./element.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { attempt } from "./notices.js";
import { avatar, hereDot } from "./people.js";

const ROLES = ["owner", "moderator", "member"];

/** @typedef {import("../sdk/types.js").Member} Member */

/** About a room, at the right: its name and topic, its members, and leaving it. */
export class Details extends Part {
  #view;

  /** @param {import("./room-view.js").RoomView} view */
  constructor(view) {
    super();
    this.#view = view;
  }

  connectedCallback() {
    super.connectedCallback();
    /** @type {HTMLElement | null} */ (this.querySelector("#details-title"))?.focus();
  }

  template() {
    const { state } = live(this.#view.log).room;
    const close = t("close");
    return html`
      <div class="details-top">
        <h2 id="details-title" tabindex="-1">${t("details")}</h2>
        <button type="button" class="icon-button" aria-label=${close} title=${close} @click=${() => this.#view.toggleDetails(false)}>${icon("close")}</button>
      </div>
      ${state ? html`<div class="details-body">
        ${state.role ? this.#favourite() : nothing}
        ${this.#about(state)}
        ${this.#members(state)}
        ${this.#leaving(state)}
      </div>` : nothing}
    `;
  }

  #favourite() {
    const { app, slug } = this.#view;
    const favourite = live(app.rooms).get(slug)?.favourite ?? false;
    const change = () => attempt(app.rooms.setFavourite(slug, !favourite));
    return html`<section>
      <button type="button" class="button star" aria-pressed=${String(favourite)} @click=${change}>
        ${icon("star")}${t("favourite")}
      </button>
    </section>`;
  }

  /** @param {import("../sdk/types.js").RoomState} state */
  #about(state) {
    if (state.kind === "direct") return nothing;
    if (!this.#view.mayModerate) {
      return html`<section>
        <h3>${t("topic")}</h3>
        <p class=${state.topic ? "" : "quiet"}><bdi>${state.topic || t("noTopic")}</bdi></p>
      </section>`;
    }
    return html`<section>
      <form @submit=${(/** @type {SubmitEvent} */ event) => this.#save(event, state)}>
        <div class="field">
          <label for="room-name">${t("roomName")}</label>
          <input id="room-name" name="name" required maxlength="200" autocomplete="off" .defaultValue=${state.name} />
        </div>
        <div class="field">
          <label for="room-topic">${t("topic")}</label>
          <textarea id="room-topic" name="topic" rows="2" maxlength="1000" .defaultValue=${state.topic}></textarea>
        </div>
        <button class="button">${t("saveChanges")}</button>
      </form>
    </section>`;
  }

  /**
   * @param {SubmitEvent} event
   * @param {import("../sdk/types.js").RoomState} state
   */
  #save(event, state) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    /** @type {Record<string, string>} */
    const changes = {};
    for (const name of /** @type {const} */ (["name", "topic"])) {
      const value = String(data.get(name)).trim();
      if (value !== state[name]) changes[name] = value;
    }
    if (Object.keys(changes).length > 0) void this.#act("room.update", changes);
  }

  /** @param {import("../sdk/types.js").RoomState} state */
  #members(state) {
    const { room } = this.#view.log;
    const here = new Set(Array.isArray(room.here) ? room.here.map((person) => person.id) : []);
    const rank = (/** @type {Member} */ { id }) => (here.has(id) ? 0 : 1);
    const members = [...room.members.values()].sort((a, b) => rank(a) - rank(b));
    const mayAdd = Boolean(state.role) && state.kind !== "direct" && !state.archived;
    return html`<section>
      <h3>${room.membersMore === null ? t("memberCount", { n: members.length }) : t("members")}</h3>
      <ul class="members">${members.map((member) => this.#member(member, here.has(member.id), state))}</ul>
      ${room.membersMore === null ? nothing : html`<button type="button" class="button" @click=${() => this.#more()}>${t("moreMembers")}</button>`}
      ${mayAdd ? html`<button type="button" class="button" @click=${() => this.#view.invite()}>${icon("plus")}${t("invite")}</button>` : nothing}
    </section>`;
  }

  /**
   * @param {Member} member
   * @param {boolean} here
   * @param {import("../sdk/types.js").RoomState} state
   */
  #member(member, here, state) {
    const view = this.#view;
    const mine = member.id === view.app.me.id;
    const mayRemove = !mine && view.mayModerate && state.kind !== "direct";
    const label = t("removeName", { name: member.name });
    const mayRank = view.isOwner && !mine && state.kind !== "direct";
    const role = state.kind === "direct" || mayRank ? nothing : html`<span class="role">${t(`role.${member.role}`)}</span>`;
    return html`<li class="member">
      ${avatar(member)}
      <span class="who">
        <bdi title=${member.name}>${member.name}</bdi>${mine ? html` <span class="quiet">(${t("you")})</span>` : nothing}
        ${here ? hereDot() : nothing}
        ${role}
      </span>
      ${mayRank ? this.#roles(member) : nothing}
      ${mayRemove ? html`<button type="button" class="icon-button" aria-label=${label} title=${label} @click=${() => this.#remove(member)}>${icon("close")}</button>` : nothing}
    </li>`;
  }

  /** @param {Member} member */
  #roles(member) {
    const change = async (/** @type {any} */ event) => {
      const { target } = event;
      const done = await this.#act("member.role", { member: member.id, role: target.value });
      if (done === null) target.value = member.role;
    };
    return html`<select aria-label=${t("roleOf", { name: member.name })} .value=${member.role} @change=${change}>
      ${ROLES.map((role) => html`<option value=${role} ?selected=${role === member.role}>${t(`role.${role}`)}</option>`)}
    </select>`;
  }

  /** @param {import("../sdk/types.js").RoomState} state */
  #leaving(state) {
    const archive = state.archived ? t("unarchive") : t("archive");
    return html`<section class="actions">
      ${this.#view.isOwner ? html`<button type="button" class="button" @click=${() => this.#archive(!state.archived)}>${archive}</button>` : nothing}
      ${state.role ? html`<button type="button" class="button danger" @click=${() => this.#leave(state)}>${t("leave")}</button>` : nothing}
    </section>`;
  }

  /** @param {Member} member */
  async #remove(member) {
    const sure = await confirm(t("removeAsk", { name: member.name }), t("remove"));
    if (sure) await this.#act("member.remove", { member: member.id });
  }

  /** @param {boolean} archived */
  async #archive(archived) {
    if (archived && !(await confirm(t("archiveAsk"), t("archive")))) return;
    await this.#act("room.update", { archived });
  }

  /** @param {import("../sdk/types.js").RoomState} state */
  async #leave(state) {
    const last = this.#view.log.room.members.size < 2;
    const question = t(state.kind === "public" ? "leaveAsk" : last ? "leaveAskLast" : "leaveAskPrivate");
    if (!(await confirm(question, t("leave")))) return;
    if ((await this.#act("room.leave", {})) !== null) this.#view.app.go(this.#view.app.home);
  }

  async #more() {
    const { room } = this.#view.log;
    const page = await this.#act("member.list", { cursor: room.membersMore, limit: 100 });
    if (page === null) return;
    room.addMembers(page);
    this.#view.log.emit("change", undefined);
  }

  /**
   * @param {string} type
   * @param {Record<string, any>} fields
   */
  #act(type, fields) {
    return this.#view.app.act(type, { room: this.#view.slug, ...fields });
  }
}

customElements.define("tertulia-details", Details);
