import { html, nothing } from "./dom.js";
import { Part } from "./element.js";
import { excerpt } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { hereDot, kindSign } from "./people.js";

/** So much of a name is enough to know who types. */
const NAME = 24;

/** @typedef {import("./room-view.js").RoomView} RoomView */

/** An open room, or why it is not: header, log, who types, and where to write. */
export class RoomPart extends Part {
  #view;

  /** @param {RoomView} view */
  constructor(view) {
    super();
    this.#view = view;
  }

  template() {
    const view = this.#view;
    if (view.phase === "refused") return refused(view);
    return html`${header(view)}${view.timeline}
      <p class="typing">${typing(view)}</p>
      ${footer(view)}`;
  }
}

customElements.define("tertulia-room", RoomPart);

/** @param {RoomView} view */
function header(view) {
  const { room } = live(view.log);
  const { state } = room;
  const open = view.detailsOpen.value;
  const { count, dot } = here(view);
  return html`<header class="room-header">
    ${back(view)}
    ${state ? kindSign(state) : nothing}
    <div class="titles">
      <h1 title=${view.title}><bdi>${view.title}</bdi>${dot ? hereDot() : nothing}</h1>
      ${state?.topic ? html`<p class="topic" title=${state.topic}><bdi>${state.topic}</bdi></p>` : nothing}
    </div>
    <button type="button" class="icon-button" id="details-button" aria-expanded=${String(open)}
      aria-label=${count ? `${t("details")}, ${count}` : t("details")} title=${t("details")}
      @click=${() => view.toggleDetails(!view.detailsOpen.peek())}>
      ${count ? html`<span class="here-count">${count}</span>` : nothing}${icon("info")}
    </button>
  </header>`;
}

/**
 * Who else is here: that I am is no news. Of a single other person it is said at his name.
 *
 * @param {RoomView} view
 */
function here(view) {
  const { room } = view.log;
  const n = typeof room.here === "number" ? room.here : room.here.length;
  const alone = typeof room.here === "number" ? n < 2 : room.here.every(({ id }) => id === view.app.me.id);
  const dot = !alone && room.state?.kind === "direct" && room.members.size === 2;
  return { count: alone || dot ? "" : t("hereCount", { n }), dot };
}

/** @param {RoomView} view */
function back(view) {
  const label = t("back");
  return html`<a class="icon-button back" href=${view.app.home} aria-label=${label} title=${label}>${icon("back")}</a>`;
}

/**
 * Who types, but for me.
 *
 * @param {RoomView} view
 */
function typing(view) {
  const typists = [...live(view.log).room.typing.values()].map(({ who }) => who);
  const [a, b, ...more] = typists.filter((who) => who.id !== view.app.me.id);
  if (!a) return "";
  // The line is short, and what they do is to be in it.
  const [first, second] = [a, b].map((who) => excerpt(who?.name ?? "", NAME));
  if (!b) return t("typingOne", { a: first });
  return more.length > 0 ? t("typingMany") : t("typingTwo", { a: first, b: second });
}

/**
 * Where to write, or why not.
 *
 * @param {RoomView} view
 */
function footer(view) {
  const { state } = view;
  if (!state) return html`<div class="composer-place"></div>`;
  if (state.archived) return html`<div class="room-bar">
    <p>${t("archivedText")}</p>
    ${view.isOwner ? html`<button type="button" class="button" @click=${() => view.reopen()}>${t("unarchive")}</button>` : nothing}
  </div>`;
  if (state.role) return view.composer;
  return html`<div class="room-bar">
    <p>${t("joinText")}</p>
    <button type="button" class="button primary" @click=${() => view.join()}>${t("join")}</button>
  </div>`;
}

/**
 * In place of a room that is not open to me, or no longer.
 *
 * @param {RoomView} view
 */
function refused(view) {
  const { refusal } = view.log;
  const { draft } = view.composer;
  const unsent = view.items();
  const [title, text] =
    { removed: ["removedTitle", "removedText"], not_found: ["notFoundTitle", "notFoundText"] }[
      /** @type {"removed"} */ (refusal)
    ] ?? ["refusedTitle", `error.${refusal}`];
  return html`<header class="room-header">${back(view)}<h1><bdi>${view.title}</bdi></h1></header>
    <div class="room-state">
      ${icon(refusal === "removed" ? "lock" : "search")}
      <h2>${t(title)}</h2>
      <p>${t(text)}</p>
      ${unsent.length ? html`<h3>${t("neverSent")}</h3>
        <ul class="unsent">${unsent.map((item) => html`<li>
          <p dir="auto">${item.text}</p>
          <button type="button" class="button" @click=${() => view.app.outbox.discard(item.key)}>${t("discard")}</button>
        </li>`)}</ul>` : nothing}
      ${draft ? html`<div class="field">
        <label for="kept-draft">${t("keptDraft")}</label>
        <textarea id="kept-draft" rows="4" readonly dir="auto" .value=${draft}></textarea>
      </div>` : nothing}
      <p class="actions"><a class="button primary" href=${view.app.home}>${t("toHome")}</a></p>
    </div>`;
}
