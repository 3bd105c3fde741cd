import { html, nothing } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { kindSign } from "./people.js";

/** @typedef {import("./room-view.js").RoomView} RoomView */

/** @param {RoomView} view */
export function header(view) {
  const { room } = view.log;
  const { state } = room;
  const here = typeof room.here === "number" ? room.here : room.here.length;
  const count = here > 0 ? t("hereCount", { n: here }) : "";
  return html`<header class="room-header">
    ${back(view)}
    ${state ? kindSign(state) : nothing}
    <div class="titles">
      <h1><bdi>${view.title}</bdi></h1>
      ${state?.topic ? html`<p class="topic" title=${state.topic}><bdi>${state.topic}</bdi></p>` : nothing}
    </div>
    <button type="button" class="icon-button" id="details-button" aria-expanded=${String(view.detailsOpen)}
      aria-label=${count ? `${t("details")}, ${count}` : t("details")} title=${t("details")}
      @click=${() => view.toggleDetails(!view.detailsOpen)}>
      ${count ? html`<span>${count}</span>` : nothing}${icon("info")}
    </button>
  </header>`;
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
export function typing(view) {
  const typists = [...view.log.room.typing.values()].map(({ who }) => who);
  const [a, b, ...more] = typists.filter((who) => who.id !== view.app.me.id);
  if (!a) return "";
  if (!b) return t("typingOne", { a: a.name });
  return more.length > 0 ? t("typingMany") : t("typingTwo", { a: a.name, b: b.name });
}

/**
 * Where to write, or why not.
 *
 * @param {RoomView} view
 */
export function footer(view) {
  const { state } = view.log.room;
  if (!state) return nothing;
  if (state.archived) return html`<div class="room-bar"><p>${t("archivedText")}</p></div>`;
  if (state.role) return view.composer.element;
  return html`<div class="room-bar">
    <p>${t("joinText")}</p>
    <button type="button" class="button primary" @click=${() => view.app.act("room.join", { room: view.slug })}>${t("join")}</button>
  </div>`;
}

/**
 * In place of a room that is not open to me, or no longer.
 *
 * @param {RoomView} view
 */
export function refused(view) {
  const { refusal } = view.log;
  const [title, text] =
    { removed: ["removedTitle", "removedText"], not_found: ["notFoundTitle", "notFoundText"] }[
      /** @type {"removed"} */ (refusal)
    ] ?? ["refusedTitle", `error.${refusal}`];
  return html`<header class="room-header">${back(view)}<h1><bdi>${view.title}</bdi></h1></header>
    <div class="room-state">
      <h2>${t(title)}</h2>
      <p>${t(text)}</p>
      <p class="actions"><a class="button primary" href=${view.app.home}>${t("toHome")}</a></p>
    </div>`;
}
