import { ask } from "#page/dialog.js";
import { html } from "#page/dom.js";
import { t } from "#page/i18n.js";
import { openMenu } from "#page/menu.js";
import { notify } from "#page/notices.js";
import { avatar } from "#page/people.js";
import { moment } from "./story.js";
import { fieldMoment, fieldText, later } from "./times.js";

const HOUR = 3_600_000;

/**
 * @typedef {import("./conversation-view.js").ConversationView} ConversationView
 * @typedef {import("#page/menu.js").Item} Item
 */

/**
 * A command on this conversation; what it has changed is asked for at once.
 *
 * @param {ConversationView} view
 * @param {string} type
 * @param {Record<string, any>} [fields]
 * @returns {Promise<boolean>} whether it was done
 */
async function act({ app, slug }, type, fields = {}) {
  if ((await app.act(type, { room: slug, ...fields })) === null) return false;
  app.inboxes.loadSoon();
  await app.conversations.ask(slug);
  return true;
}

/** @param {ConversationView} view it is mine from now on */
export async function take(view) {
  if (await give(view, view.app.me.id)) view.answer.focus();
}

/**
 * Of two who take it at once, the second is told.
 *
 * @param {ConversationView} view
 * @param {string | null} agent
 */
function give(view, agent) {
  return act(view, "conversation.assign", { agent, instead_of: view.state?.agent?.id ?? null });
}

/**
 * Who is to have it.
 *
 * @param {ConversationView} view
 * @param {HTMLElement} anchor
 */
export async function assign(view, anchor) {
  await openMenu(anchor, { label: t("assign"), row: [], items: agents(view) });
}

/**
 * Myself first, then those who are here.
 *
 * @param {ConversationView} view
 * @returns {Item[]}
 */
function agents(view) {
  const { app, state, colleagues } = view;
  const me = app.me.id;
  const there = (/** @type {import("./inboxes.js").Agent} */ { here, available }) => Number(here) + Number(here && available);
  const ordered = [...colleagues].sort((a, b) => Number(b.id === me) - Number(a.id === me) || there(b) - there(a));
  const items = ordered.map((agent) => ({
    face: avatar(agent, "small"),
    label: agent.id === me ? t("assignMe", { name: agent.name }) : agent.name,
    note: [agent.here ? t(agent.available ? "hereWord" : "away") : t("notHere"), t("openCount", { n: agent.open })].join(" · "),
    checked: state?.agent?.id === agent.id,
    act: () => give(view, agent.id),
  }));
  const nobody = { sign: "close", label: t("assignNobody"), checked: !state?.agent, act: () => give(view, null) };
  return [...items, nobody];
}

/**
 * Until when it is put away.
 *
 * @param {ConversationView} view
 * @param {HTMLElement} anchor
 */
export async function snooze(view, anchor) {
  const zone = view.app.page.timeZone || undefined;
  const times = later(Date.now(), zone).map(({ name, at }) => ({
    sign: "clock",
    label: t(name),
    note: moment(new Date(at).toISOString()),
    act: () => snoozeUntil(view, at),
  }));
  const items = [...times, { sign: "more", label: t("otherTime"), act: () => askTime(view, zone) }];
  await openMenu(anchor, { label: t("snooze"), row: [], items });
}

/**
 * @param {ConversationView} view
 * @param {number} at
 */
async function snoozeUntil(view, at) {
  const until = new Date(at).toISOString();
  if (await act(view, "conversation.snooze", { until, seen: view.seen.value })) notify(t("snoozedNotice", { time: moment(until) }));
}

/**
 * @param {ConversationView} view
 * @param {string | undefined} zone
 */
async function askTime(view, zone) {
  const now = Date.now();
  const least = fieldText(now, zone);
  const at = await ask(t("snoozeTitle"), ({ done }) => html`
    <form @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.target).elements.namedItem("until"));
      const moment = fieldMoment(field.value, zone);
      if (moment !== null) done(moment);
    }}>
      <div class="field">
        <label for="snooze-until">${t("snoozeUntil")}</label>
        <input id="snooze-until" name="until" type="datetime-local" required autofocus min=${least} value=${fieldText(now + 24 * HOUR, zone)}>
      </div>
      <div class="actions">
        <button class="button primary">${t("snoozeNow")}</button>
        <button type="button" class="button" @click=${() => done(null)}>${t("cancel")}</button>
      </div>
    </form>`);
  if (typeof at === "number") await snoozeUntil(view, at);
}

/** @param {ConversationView} view */
export async function resolveOrReopen(view) {
  if (view.state?.status === "open") await resolve(view);
  else await act(view, "conversation.reopen");
}

/** @param {ConversationView} view what has been said meanwhile is to be read first */
function resolve(view) {
  return act(view, "conversation.resolve", { seen: view.seen.value });
}

/**
 * Everything else; on a narrow screen what has no button there, too.
 *
 * @param {ConversationView} view
 * @param {HTMLElement} anchor
 */
export async function more(view, anchor) {
  const { app, state } = view;
  const narrow = matchMedia("(max-width: 719.98px)").matches;
  const mine = state?.agent?.id === app.me.id;
  /** @type {Item[]} */
  const items = [];
  if (!mine) items.push({ sign: "person", label: t(state?.agent ? "takeOver" : "take"), act: () => take(view) });
  if (narrow) items.push({ sign: "people", label: t("assign"), act: () => assign(view, anchor) });
  if (narrow && state?.status !== "resolved") items.push({ sign: "clock", label: t("snooze"), act: () => snooze(view, anchor) });
  if (state?.status === "snoozed") items.push({ sign: "check", label: t("resolve"), act: () => resolve(view) });
  if (others(view).length > 0) items.push({ sign: "move", label: t("transfer"), act: () => transfer(view, anchor) });
  await openMenu(anchor, { label: t("more"), row: [], items });
}

/** @param {ConversationView} view inboxes to which it could be moved */
function others({ app, state }) {
  return app.inboxes.besides(state?.inbox ?? "");
}

/**
 * @param {ConversationView} view
 * @param {HTMLElement} anchor
 */
export async function transfer(view, anchor) {
  const { app } = view;
  const items = others(view).map(({ id, name }) => ({
    sign: "inbox",
    label: name,
    note: app.inboxes.get(id) ? undefined : t("notMine"),
    act: async () => {
      if ((await app.act("conversation.transfer", { room: view.slug, inbox: id })) === null) return;
      app.inboxes.loadSoon();
      notify(t("transferredNotice", { inbox: name }));
      await app.conversations.ask(view.slug);
    },
  }));
  await openMenu(anchor, { label: t("transfer"), row: [], items });
}
