import { html, nothing } from "#page/dom.js";
import { list } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { loaded } from "#page/notices.js";
import { avatar } from "#page/people.js";
import { dayAndTime } from "./brief.js";
import { moment } from "./story.js";

/** @typedef {import("./conversation-view.js").ConversationView} ConversationView */

/**
 * Whose conversation it is, how it stands, and what can be done with it.
 *
 * @param {ConversationView} view
 */
export function header(view) {
  const { app, state } = view;
  const open = app.detailsOpen.value;
  return html`<header class="room-header">
    ${back(view)}
    ${state ? avatar(state.client) : nothing}
    <div class="titles">
      <h1 title=${view.title}><bdi>${view.title}</bdi></h1>
      ${standing(view)}
    </div>
    ${lookers(view)}
    ${state ? actions(view, state) : nothing}
    <button type="button" class="icon-button" id="details-button" aria-expanded=${String(open)} aria-label=${t("visitor")} title=${t("visitor")}
      @click=${() => app.toggleDetails(!app.detailsOpen.peek())}>${icon("info")}</button>
  </header>`;
}

/** @param {ConversationView} view */
export function back(view) {
  const label = t("backToList");
  return html`<a class="icon-button back" href=${view.app.home} aria-label=${label} title=${label}>${icon("back")}</a>`;
}

/** @param {ConversationView} view in a line: whether it is done or put away, and in which inbox */
function standing({ app, state }) {
  const name = state && live(app.inboxes).nameOf(state.inbox);
  const inbox = name ? html` · <bdi>${name}</bdi>` : nothing;
  if (state?.status === "resolved") return html`<p class="topic">${t("resolvedWord")}${inbox}</p>`;
  if (state?.status !== "snoozed" || !state.snoozed_until) return html`<p class="topic">${name ?? nothing}</p>`;
  const label = t("snoozedUntil", { time: moment(state.snoozed_until) });
  return html`<p class="topic" title=${label}><span class="sr-only">${label}</span><span class="until" aria-hidden="true">${icon("clock")}${dayAndTime(new Date(state.snoozed_until))}</span>${inbox}</p>`;
}

/** @param {ConversationView} view colleagues who look at it, too */
function lookers(view) {
  const people = view.lookingOn;
  if (people.length === 0) return nothing;
  const label = t("lookingOn", { names: list(people.map(({ name }) => name)) });
  return html`<span class="lookers" title=${label}><span class="sr-only">${label}</span>${people.slice(0, 3).map((person) => avatar(view.pictured(person), "small"))}</span>`;
}

/**
 * @param {ConversationView} view
 * @param {import("./filters.js").Conversation} state
 */
function actions(view, state) {
  const { agent, status } = state;
  const mine = agent?.id === view.app.me.id;
  const taken = mine || status === "resolved";
  const further = status === "snoozed" || (!mine && taken) || live(view.app.inboxes).besides(state.inbox).length > 0;
  const name = agent === null ? t("unassigned") : mine ? t("byYou") : agent.name;
  return html`<div class="head-actions" role="toolbar" aria-label=${t("actions")}>
    ${taken ? nothing : html`<button type="button" class="button small take" @click=${does(view, "take")}>${t(agent === null ? "take" : "takeOver")}</button>`}
    <button type="button" class="button small holder ${agent ? "" : "nobody"}" id="assign-button" aria-haspopup="menu" aria-label=${t("assignLabel", { name })} title=${t("assign")}
      @click=${does(view, "assign")}>
      ${agent ? avatar(view.pictured(agent), "tiny") : icon("person")}<bdi>${name}</bdi></button>
    <button type="button" class="icon-button snooze" id="snooze-button" aria-haspopup="menu" aria-label=${t("snooze")} title=${t("snooze")} ?hidden=${status === "resolved"}
      @click=${does(view, "snooze")}>${icon("clock")}</button>
    <button type="button" class="button small resolve ${status === "open" ? "primary" : ""}" aria-label=${t(status === "open" ? "resolve" : "reopen")} title=${t(status === "open" ? "resolve" : "reopen")}
      @click=${does(view, "resolveOrReopen")}>
      ${icon(status === "open" ? "check" : "undo")}<span>${t(status === "open" ? "resolve" : "reopen")}</span></button>
    <button type="button" class="icon-button ${further ? "" : "spare"}" id="more-button" aria-haspopup="menu" aria-label=${t("more")} title=${t("more")}
      @click=${does(view, "more")}>${icon("more")}</button>
  </div>`;
}

/**
 * What a button does; it is loaded when one is first pressed.
 *
 * @param {ConversationView} view
 * @param {"take" | "assign" | "snooze" | "resolveOrReopen" | "more"} name
 */
function does(view, name) {
  return async (/** @type {any} */ { currentTarget }) => {
    const actions = await loaded(import("./actions.js"));
    await actions?.[name](view, currentTarget);
  };
}
