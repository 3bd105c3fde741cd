import { html, nothing } from "#page/dom.js";
import { day, dayOf } from "#page/format.js";
import { known, t } from "#page/i18n.js";
import { live } from "#page/live.js";
import { networkUp, now, visible } from "#page/world.js";
import { bubble, pendingBubble } from "./bubble.js";

/** Messages of one author within this many milliseconds stand together. */
const GROUP = 5 * 60_000;

/**
 * @typedef {import("#sdk/types.js").Message} Message
 * @typedef {import("#sdk/item.js").Item} Item
 * @typedef {import("./session.js").Session} Session
 * @typedef {object} Entry one child of the log
 * @property {string} key the same for as long as it is the same thing
 * @property {string} tag
 * @property {string} className
 * @property {any[]} deps what it shows: painted again only when one of these has changed
 * @property {() => any} template
 */

/**
 * What is said, from top to bottom.
 *
 * @param {import("./app.js").App} app
 * @param {() => void} loadEarlier
 * @returns {Entry[]}
 */
export function entriesOf(app, loadEarlier) {
  // Whoever comes back after midnight sees "yesterday".
  void visible.value;
  const session = app.session.value;
  const conversation = session?.conversation;
  const messages = conversation?.messages ?? [];
  const more = conversation?.log.value?.window.moreBefore ?? false;
  const entries = [more ? earlier(loadEarlier) : greeting(app)];
  if (conversation?.left.value) entries.push(back(conversation));
  if (!session || !conversation) return [...entries, ...unknown(app)];
  const notes = notesOf(session, messages);
  /** @type {Message | null} */
  let above = null;
  for (const message of messages) {
    const today = dayOf(new Date(message.sent_at));
    if (above === null || dayOf(new Date(above.sent_at)) !== today) {
      entries.push(separator(message));
      above = null;
    }
    entries.push(said(app, message, message.author.id === session.me.id, isFirst(above, message), notes.get(message.seq) ?? ""));
    above = message;
  }
  entries.push(...onTheirWay(session, conversation.items, above?.author.id === session.me.id));
  entries.push(...typing(session));
  return entries;
}

/**
 * @param {() => void} load
 * @returns {Entry}
 */
function earlier(load) {
  return {
    key: "earlier",
    tag: "div",
    className: "earlier",
    deps: [],
    template: () => html`<button type="button" class="link" @click=${load}>${t("earlier")}</button>`,
  };
}

/**
 * A new conversation has been asked for, and nothing is said in it yet.
 *
 * @param {import("./conversation.js").Conversation} conversation
 * @returns {Entry}
 */
function back(conversation) {
  return {
    key: "back",
    tag: "div",
    className: "earlier",
    deps: [conversation],
    template: () => html`<button type="button" class="link" @click=${() => conversation.goBack()}>${t("goBack")}</button>`,
  };
}

/**
 * What the inbox says to everybody: no message of the log.
 *
 * @param {import("./app.js").App} app
 * @returns {Entry}
 */
function greeting({ page, presence }) {
  const here = presence.here.value;
  const away = here ? "" : page.texts.away;
  return {
    key: "greeting",
    tag: "div",
    className: "greeting",
    deps: [away],
    template: () => html`<p dir="auto">${page.texts.greeting || t("greeting")}</p>
      ${away ? html`<p dir="auto">${away}</p>` : nothing}`,
  };
}

/**
 * @param {Message} message the first of its day
 * @returns {Entry}
 */
function separator({ sent_at }) {
  const date = new Date(sent_at);
  const words = day(date);
  return { key: `day:${dayOf(date)}`, tag: "div", className: "day", deps: [words], template: () => words };
}

/**
 * @param {Message | null} above
 * @param {Message} message
 */
function isFirst(above, message) {
  if (above === null || above.author.id !== message.author.id) return true;
  return Date.parse(message.sent_at) - Date.parse(above.sent_at) >= GROUP;
}

/**
 * How it stands with my messages, where it is said: at the last that was read, at the last that has come to
 * an agent, and at the last.
 *
 * @param {Session} session
 * @param {Message[]} messages
 * @returns {Map<number, string>}
 */
function notesOf({ me, conversation }, messages) {
  const { delivered_seq: delivered = 0, read_seq: read = 0 } = conversation.state.value ?? {};
  const mine = messages.filter(({ author, deleted }) => author.id === me.id && !deleted);
  /** @type {Map<number, string>} */
  const notes = new Map();
  const last = mine.at(-1);
  if (last) notes.set(last.seq, t("stored"));
  for (const [words, upTo] of /** @type {const} */ ([["delivered", delivered], ["read", read]])) {
    const latest = mine.findLast(({ seq }) => seq <= upTo);
    if (latest) notes.set(latest.seq, t(words));
  }
  return notes;
}

/**
 * @param {import("./app.js").App} app
 * @param {Message} message
 * @param {boolean} mine
 * @param {boolean} first
 * @param {string} note
 * @returns {Entry}
 */
function said({ page }, message, mine, first, note) {
  const names = ["message", mine ? "mine" : "theirs", first ? "first" : ""];
  return {
    key: message.key,
    tag: "article",
    className: names.filter(Boolean).join(" "),
    deps: [message, first, note],
    template: () => bubble(message, { mine, first, base: page.base, note }),
  };
}

/**
 * @param {Session} session
 * @param {Item[]} items
 * @param {boolean} continued the last message is mine too
 * @returns {Entry[]}
 */
function onTheirWay({ outbox, connection }, items, continued) {
  const online = live(connection, "status").online;
  const fleeting = items.some((item) => item.fleeting);
  return items.map((item, i) => {
    const seconds = item.retryAt === null ? 0 : Math.max(1, Math.ceil((item.retryAt - now()) / 1000));
    const last = i === items.length - 1;
    const first = i === 0 && !continued;
    return {
      // The same as the message will have: it stays where it is.
      key: item.key,
      tag: "article",
      className: `message mine ${item.state}${first ? " first" : ""}`,
      deps: ["pending", item.state, item.error, seconds, online, last, fleeting],
      template: () => pendingBubble(item.text, [stateOf(item, online, seconds, outbox), last && fleeting ? html`<strong>${t("notKept")}</strong>` : nothing]),
    };
  });
}

/**
 * Said before the server knew who says it.
 *
 * @param {import("./app.js").App} app
 * @returns {Entry[]}
 */
function unknown({ said, trouble }) {
  const state = t(trouble.value || !networkUp.value ? "waiting" : "sending");
  return said.items.value.map(({ key, text, fleeting }, i) => ({
    key,
    tag: "article",
    className: `message mine waiting${i === 0 ? " first" : ""}`,
    deps: ["unknown", text, state, fleeting],
    template: () => pendingBubble(text, [html`<span class="state">${state}</span>`, fleeting ? html`<strong>${t("notKept")}</strong>` : nothing]),
  }));
}

/**
 * @param {Item} item
 * @param {boolean} online
 * @param {number} seconds until it is sent again
 * @param {import("#sdk").Outbox} outbox
 */
function stateOf(item, online, seconds, outbox) {
  if (item.state === "failed") {
    const code = `error.${item.error}`;
    const why = t(known(code) ? code : "error.other");
    return html`<span class="state" role="alert">${t("notSent", { why })}</span>
      <button type="button" @click=${() => outbox.retry(item.key)}>${t("retry")}</button>
      <button type="button" @click=${() => outbox.discard(item.key)}>${t("discard")}</button>`;
  }
  const words = item.state === "sent" ? t("stored") : seconds > 0 ? t("again", { n: seconds }) : t(online ? "sending" : "waiting");
  return html`<span class="state">${words}</span>`;
}

/**
 * @param {Session} session
 * @returns {Entry[]}
 */
function typing({ me, conversation }) {
  const log = conversation.log.value;
  const who = log ? [...live(log).room.typing.values()].map((each) => each.who).find(({ id }) => id !== me.id) : null;
  if (!who) return [];
  return [{
    key: "typing",
    tag: "div",
    className: "typing",
    deps: [who.name],
    // It is seen, and not read out each time.
    template: () => html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span><span>${t("typing", { name: who.name })}</span>`,
  }];
}
