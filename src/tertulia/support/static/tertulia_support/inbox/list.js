import { computed } from "#signals";
import { html, nothing, render } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { derived, live } from "#page/live.js";
import { FILTERS } from "./filters.js";
import { LONGEST, ResultsPart } from "./results.js";
import { row } from "./row.js";

/** Closer to the end of the list than this many pixels, more is loaded. */
const NEAR_END = 300;

/** The list of conversations: which inbox, which of them, and a line for each. */
export class ListPart extends Part {
  #desk;
  #list;
  #failed;
  #unread;
  #loading = false;
  #lines = document.createElement("ul");
  /** What is shown while something is looked for. */
  #results;
  /** By room: who has the keyboard on a conversation keeps it, wherever that goes in the list. @type {Map<string, HTMLElement>} */
  #nodes = new Map();

  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    super();
    this.#desk = desk;
    this.#results = new ResultsPart(desk);
    this.#list = derived(() => live(desk.conversations).list);
    this.#failed = derived(() => live(desk.outbox).failed.map(({ room }) => room));
    this.#unread = computed(() => live(desk.rooms).unread);
  }

  template() {
    const { inboxes, search } = this.#desk;
    const { loaded, all } = live(inboxes);
    if (loaded && all.length === 0) return html`${this.#top()}<div class="rows"></div>`;
    return html`
      ${this.#top()}
      ${this.#field()}
      ${this.#head()}
      ${live(search).active ? this.#results : html`${this.#filters()}${this.#rows()}`}
    `;
  }

  #field() {
    const { search } = this.#desk;
    const label = t("searchConversations");
    return html`<div class="list-search" role="search">
      ${icon("search")}
      <input id="search-field" type="search" maxlength=${LONGEST} aria-label=${label} placeholder=${label} aria-keyshortcuts="/"
        autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="search" .value=${live(search).text}
        @input=${(/** @type {any} */ event) => search.type(event.target.value)}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#pressed(event)} />
    </div>`;
  }

  /** @param {KeyboardEvent} event in the field */
  #pressed(event) {
    const { search } = this.#desk;
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      if (search.text === "") /** @type {HTMLElement} */ (event.target).blur();
      else search.clear();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    // What stands there answers what stood in the field before.
    if (event.key === "Enter" && search.answered !== search.query) {
      search.again();
      return;
    }
    const first = this.#results.querySelector(".row");
    if (!(first instanceof HTMLElement)) return;
    event.preventDefault();
    if (event.key === "Enter") first.click();
    else first.focus();
  }

  #top() {
    const { page } = this.#desk;
    const n = this.#unread.value;
    const label = n > 0 ? `${t("toChat")}, ${t("unreadCount", { n })}` : t("toChat");
    return html`<div class="sidebar-top">
      <a class="brand" href=${page.urls.home ?? "/"} aria-current=${this.#desk.view.value ? nothing : "page"}>${t("inbox")}</a>
      ${live(this.#desk.inboxes).all.length > 0 ? html`<a class="to-figures" href=${page.urls.figures ?? "/"}>${t("figures")}</a>` : nothing}
      <a class="to-chat" href=${page.urls.chat ?? "/"} aria-label=${label}>${t("chat")}${n > 0 ? html`<span class="news-dot"></span>` : nothing}</a>
    </div>`;
  }

  /** Which inbox, and whether I am there for it. */
  #head() {
    const { inboxes, conversations } = this.#desk;
    const { all } = live(inboxes);
    const { inbox } = live(conversations);
    return html`<div class="list-head">
      ${all.length > 1 ? html`<select aria-label=${t("inbox")} .value=${inbox ?? ""} @change=${(/** @type {any} */ event) => this.#chooseInbox(event.target.value)}>
        <option value="" ?selected=${inbox === null}>${t("allInboxes")}</option>
        ${all.map(({ id, name }) => html`<option value=${id} ?selected=${id === inbox}>${name}</option>`)}
      </select>` : html`<h2><bdi>${all[0]?.name}</bdi></h2>`}
      ${all.length ? this.#available() : nothing}
    </div>`;
  }

  #available() {
    const { inboxes, conversations, me } = this.#desk;
    const shown = live(inboxes).all.filter(({ id }) => conversations.inbox === null || id === conversations.inbox);
    const mine = shown.map(({ agents }) => agents.find(({ id }) => id === me.id));
    const available = mine.some((agent) => agent?.available);
    const label = t(available ? "available" : "away");
    return html`<button type="button" class="available" role="switch" aria-checked=${String(available)}
      aria-label=${t("availableLabel")} title=${t(available ? "availableText" : "awayText")}
      @click=${() => this.#setAvailable(shown, !available)}><span class=${available ? "dot on" : "dot"}></span>${label}</button>`;
  }

  /**
   * @param {import("./inboxes.js").Inbox[]} shown
   * @param {boolean} available
   */
  async #setAvailable(shown, available) {
    for (const { id } of shown) await this.#desk.act("agent.available", { inbox: id, available });
    await this.#desk.inboxes.load();
  }

  /** @param {string} id */
  #chooseInbox(id) {
    this.#desk.choose(this.#desk.conversations.filter, id || null);
  }

  #filters() {
    const { conversations, inboxes } = this.#desk;
    const { filter, inbox } = live(conversations);
    return html`<div class="filters" role="group" aria-label=${t("filters")}>
      ${FILTERS.map((name) => {
        const n = live(inboxes).count(inbox, name);
        return html`<button type="button" class="filter" aria-pressed=${String(name === filter)} data-filter=${name}
          @click=${() => this.#desk.choose(name, inbox)}>
          <span>${t(`filter.${name}`)}</span>${n ? html`<span class="filter-count">${n.toLocaleString()}</span>` : nothing}
        </button>`;
      })}
    </div>`;
  }

  #rows() {
    const { conversations } = this.#desk;
    const { loaded, more, filter } = live(conversations);
    const list = this.#list.value;
    if (!loaded) return html`<div class="rows" aria-busy="true"><div class="loading"><i></i><i></i><i></i></div></div>`;
    if (list.length === 0) return html`<div class="rows"><p class="none">${t(`none.${filter}`)}</p></div>`;
    return html`<div class="rows" @scroll=${(/** @type {any} */ event) => this.#scrolled(event.target)}>
      ${this.#lines}
      ${more ? html`<p class="more"><button type="button" class="button" @click=${() => this.#loadMore()}>${t("showMore")}</button></p>` : nothing}
    </div>`;
  }

  painted() {
    if (!this.#lines.isConnected) return;
    const list = this.#list.value;
    const focused = document.activeElement;
    const rooms = new Set(list.map(({ room }) => room));
    for (const [room, node] of this.#nodes) {
      if (rooms.has(room)) continue;
      node.remove();
      this.#nodes.delete(room);
    }
    let next = this.#lines.firstChild;
    for (const each of list) {
      const node = this.#nodes.get(each.room) ?? document.createElement("li");
      this.#nodes.set(each.room, node);
      render(row(this.#desk, each, this.#failed.value.includes(each.room)), node);
      if (node === next) next = next.nextSibling;
      else this.#lines.insertBefore(node, next);
    }
    // What is moved loses the keyboard.
    if (focused instanceof HTMLElement && this.contains(focused) && document.activeElement !== focused) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {HTMLElement} scroller */
  #scrolled({ scrollHeight, scrollTop, clientHeight }) {
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) void this.#loadMore();
  }

  async #loadMore() {
    if (this.#loading) return;
    this.#loading = true;
    await this.#desk.conversations.loadMore();
    this.#loading = false;
  }
}

customElements.define("tertulia-inbox-list", ListPart);
