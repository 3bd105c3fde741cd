import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { dateAndTime, excerpt } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { pieces } from "#page/match.js";
import { explain } from "#page/notices.js";
import { avatar } from "#page/people.js";
import { dayOrTime } from "./brief.js";
import { ranges } from "./marks.js";
import { placePath } from "./place.js";
import { holder } from "./row.js";

/** Code points that a query may have. */
export const LONGEST = 200;

/** What was found, in place of the list. */
export class ResultsPart extends Part {
  #desk;

  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    super();
    this.#desk = desk;
    this.addEventListener("keydown", (event) => this.#pressed(event));
  }

  template() {
    const search = live(this.#desk.search);
    const { results, more, failure, answered, query } = search;
    const waiting = answered === null && failure === null;
    return html`<div class="rows" aria-busy=${String(answered !== query && failure === null)}>
      <p class="sr-only" role="status">${waiting || failure ? "" : t(more ? "foundMore" : "foundCount", { n: results.length })}</p>
      ${failure ? this.#failed(failure) : nothing}
      ${waiting ? html`<div class="loading"><i></i><i></i><i></i></div>` : nothing}
      ${results.length ? html`<ul>${results.map((each) => html`<li>${this.#result(each)}</li>`)}</ul>` : nothing}
      ${answered !== null && !failure && results.length === 0 ? html`<div class="none"><p>${t("foundNothing", { query: excerpt(answered, 60) })}</p><p>${t("foundNothingHint")}</p></div>` : nothing}
      ${more ? html`<p class="more"><button type="button" class="button" @click=${() => search.loadMore()}>${t("showMore")}</button></p>` : nothing}
    </div>`;
  }

  /** @param {unknown} failure */
  #failed(failure) {
    return html`<div class="none" role="alert"><p>${explain(failure)}</p>
      <p><button type="button" class="button" @click=${() => this.#desk.search.again()}>${t("searchAgain")}</button></p></div>`;
  }

  /** @param {import("./search.js").Result} result */
  #result({ conversation: found, found: place, visitor }) {
    const desk = this.#desk;
    const conversation = live(desk.conversations).get(found.room) ?? found;
    const { client, room, status, inbox } = conversation;
    const current = desk.view.value?.slug === room;
    const several = desk.conversations.inbox === null && live(desk.inboxes).all.length > 1;
    const at = place?.at ?? conversation.last?.at ?? conversation.opened_at;
    return html`<a class="row result" href=${placePath(desk.home, room, place)} aria-current=${current ? "page" : nothing} data-room=${room}>
      ${avatar(client)}
      <span class="row-top">
        <bdi class="row-name">${client.name}</bdi>
        <time class="row-time" datetime=${at} title=${dateAndTime(new Date(at))}>${dayOrTime(new Date(at))}</time>
      </span>
      <span class="row-text">
        ${visitor ? html`<span class="hit" dir="auto">${icon("person")}${marked(visitor)}</span>` : nothing}
        ${place ? html`<span class="hit ${place.note ? "noted" : ""}" dir="auto">${this.#by(place)}${marked(place)}</span>` : nothing}
      </span>
      <span class="row-foot">
        ${status === "resolved" ? html`<span>${t("resolvedWord")}</span>` : holder(desk, conversation)}
        ${several ? html`<span class="row-inbox">${desk.inboxes.nameOf(inbox) ?? ""}</span>` : nothing}
      </span>
    </a>`;
  }

  /** Who has said it, and to whom. @param {import("./search.js").Found} place */
  #by({ author, note }) {
    const { me } = this.#desk;
    const name = author.id === me.id ? t("youSaid") : `${excerpt(author.name, 20)}:`;
    if (note) return html`${icon("note")}<span class="row-by">${t("noteBy", { name })}</span> `;
    return author.kind === "visitor" ? nothing : html`<span class="row-by">${name}</span> `;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const { key } = event;
    if (key === "Escape") {
      event.preventDefault();
      this.#desk.search.clear();
      focusSearch();
    }
    if (key !== "ArrowDown" && key !== "ArrowUp") return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const rows = /** @type {HTMLElement[]} */ ([...this.querySelectorAll(".row")]);
    const present = rows.findIndex((row) => row === document.activeElement);
    const next = rows[present + (key === "ArrowDown" ? 1 : -1)];
    if (next) next.focus();
    else if (key === "ArrowUp") focusSearch();
  }
}

customElements.define("tertulia-inbox-results", ResultsPart);

/** Text nodes only, whatever stands in it. @param {import("./search.js").Snippet} snippet */
function marked(snippet) {
  return pieces(snippet.text, ranges(snippet)).map(({ text, marked: hit }) => (hit ? html`<mark>${text}</mark>` : text));
}

/** To the field, with all of it selected. */
export function focusSearch() {
  const field = document.getElementById("search-field");
  if (!(field instanceof HTMLInputElement)) return;
  field.focus();
  field.select();
}
