import { html, nothing } from "#page/dom.js";
import { dateAndTime, excerpt } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { avatar } from "#page/people.js";
import { roomPath } from "#page/router.js";
import { dayAndTime, dayOrTime } from "./brief.js";
import { duration } from "./durations.js";
import { isUnread } from "./filters.js";
import { plain } from "./plain.js";

/**
 * A conversation's line in the list.
 *
 * @param {import("./desk.js").Desk} desk
 * @param {import("./filters.js").Conversation} conversation
 * @param {boolean} failed something that I wrote there was not sent
 */
export function row(desk, conversation, failed) {
  const { client, last, room, inbox } = conversation;
  const current = desk.view.value?.slug === room;
  const unread = isUnread(conversation);
  const ours = last !== null && last.author.id !== client.id;
  const several = desk.conversations.inbox === null && desk.inboxes.all.length > 1;
  return html`<a class="row ${unread ? "unread" : ""}" href=${roomPath(desk.home, room)} aria-current=${current ? "page" : nothing} data-room=${room}>
    ${avatar(client)}
    <span class="row-top">
      <bdi class="row-name">${client.name}</bdi>
      ${failed ? html`<span class="not-sent" title=${t("neverSent")}>${icon("alert")}<span class="sr-only">${t("neverSent")}</span></span>` : nothing}
      ${when(desk, conversation)}
    </span>
    <span class="row-text" dir="auto">${ours ? html`<span class="row-by">${last.author.id === desk.me.id ? t("youSaid") : `${excerpt(last.author.name, 20)}:`}</span> ` : nothing}${last ? excerpt(plain(last.text), 120) : t("nothingSaid")}</span>
    <span class="row-foot">
      ${holder(desk, conversation)}
      ${several ? html`<span class="row-inbox">${desk.inboxes.nameOf(inbox) ?? ""}</span>` : nothing}
    </span>
    ${unread ? html`<span class="sr-only">${t("unread")}</span>` : nothing}
  </a>`;
}

/**
 * How long he has waited, or when something was said last.
 *
 * @param {import("./desk.js").Desk} desk
 * @param {import("./filters.js").Conversation} conversation
 */
function when(desk, { status, waiting_since, snoozed_until, last, opened_at }) {
  if (status === "snoozed" && snoozed_until) {
    const until = new Date(snoozed_until);
    return html`<span class="row-time" title=${dateAndTime(until)}>${icon("clock")}${dayAndTime(until)}</span>`;
  }
  if (status === "open" && waiting_since) {
    const ms = desk.time - Date.parse(waiting_since);
    return html`<span class=${ms >= LATE ? "row-time waits late" : "row-time waits"} title=${t("waitsFor", { time: duration(ms, "long") })}>
      <span aria-hidden="true">${ms < 60_000 ? t("justNow") : duration(ms)}</span><span class="sr-only">${t("waitsFor", { time: duration(ms, "long") })}</span></span>`;
  }
  const at = new Date(last?.at ?? opened_at);
  return html`<span class="row-time" title=${dateAndTime(at)}>${dayOrTime(at)}</span>`;
}

/** Whoever has waited for longer than this, in milliseconds, is to be seen at once. */
const LATE = 15 * 60_000;

/**
 * Who has it.
 *
 * @param {import("./desk.js").Desk} desk
 * @param {import("./filters.js").Conversation} conversation
 */
export function holder(desk, { agent, status }) {
  if (agent === null) return html`<span class="row-agent"><span>${t(status === "resolved" ? "resolvedWord" : "unassigned")}</span></span>`;
  const name = agent.id === desk.me.id ? t("byYou") : agent.name;
  return html`<span class="row-agent">${avatar(agent, "tiny")}<bdi>${name}</bdi></span>`;
}
