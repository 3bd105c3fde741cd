import { html, nothing } from "./dom.js";
import { day, dayOf } from "./format.js";
import { t } from "./i18n.js";
import { messageTemplate, pendingTemplate } from "./message.js";
import { reason } from "./notices.js";
import { roomPath } from "./router.js";
import { toolsFor } from "./tools.js";

/** Messages of one author within this time form a group. */
const GROUP = 5 * 60_000;

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("../sdk/outbox.js").Item} Item
 * @typedef {object} Entry one child of the log
 * @property {string} key the same for as long as it is the same thing
 * @property {string} tag
 * @property {string} className
 * @property {Record<string, string>} data
 * @property {any[]} deps what it shows: painted again only when one of these changed
 * @property {() => any} template
 */

/**
 * What the log shows, from top to bottom.
 *
 * @param {import("./room-view.js").RoomView} view
 * @returns {Entry[]}
 */
export function entriesOf(view) {
  const { log } = view;
  /** @type {Entry[]} */
  const entries = [top(view)];
  /** @type {Previous | null} */
  let previous = null;
  // The line "new" is shown where what I have read ends, not where what is loaded begins.
  let line = log.window.moreBefore ? "ahead" : "due";
  for (const message of log.messages) {
    const sent = new Date(message.sent_at).getTime();
    if (previous?.day !== dayOf(new Date(sent))) {
      entries.push(separator(sent));
      previous = null;
    }
    const mine = message.author.id === view.app.me.id;
    const unread = view.reading.newAfter !== null && message.seq > view.reading.newAfter;
    if (!unread && line === "ahead") line = "due";
    if (unread && !mine && line === "due") {
      entries.push(newLine());
      line = "shown";
      previous = null;
    }
    entries.push(said(view, message, mine, follows(previous, message.author.id, sent, message)));
    previous = { author: message.author.id, sent, day: dayOf(new Date(sent)) };
  }
  if (log.window.moreAfter) entries.push(more("later", t("later"), () => view.loadLater()));
  else entries.push(...onTheirWay(view, previous));
  return entries;
}

/** @typedef {{author: string, sent: number, day: number}} Previous the message above */

/**
 * @param {Previous | null} previous
 * @param {string} author
 * @param {number} sent
 * @param {{reply_to?: number | null, replyTo?: number | null}} what
 */
function follows(previous, author, sent, what) {
  if (previous === null || previous.author !== author || sent - previous.sent >= GROUP) return false;
  return (what.reply_to ?? what.replyTo ?? null) === null;
}

/**
 * @param {import("./room-view.js").RoomView} view
 * @returns {Entry}
 */
function top(view) {
  const { log } = view;
  if (log.window.moreBefore) return more("earlier", t("earlier"), () => view.loadEarlier());
  const empty = log.messages.length === 0 && view.items.length === 0;
  const shown = log.phase === "loading" ? "loading" : empty ? "empty" : "beginning";
  return {
    key: "top",
    tag: "div",
    className: shown === "loading" ? "" : shown,
    data: {},
    deps: [shown],
    template: () => {
      if (shown === "loading") return nothing;
      if (shown === "beginning") return t("beginning");
      return html`<strong>${t("emptyTitle")}</strong>${view.mayWrite ? t("emptyText") : nothing}`;
    },
  };
}

/**
 * @param {string} key
 * @param {string} label
 * @param {() => void} act
 * @returns {Entry}
 */
function more(key, label, act) {
  const template = () => html`<button type="button" class="button" @click=${act}>${label}</button>`;
  return { key, tag: "div", className: "more", data: {}, deps: [], template };
}

/**
 * @param {number} sent
 * @returns {Entry}
 */
function separator(sent) {
  const date = new Date(sent);
  const words = day(date);
  const key = `day:${dayOf(date)}`;
  return { key, tag: "div", className: "day", data: {}, deps: [words], template: () => words };
}

/** @returns {Entry} */
function newLine() {
  const template = () => t("new");
  return { key: "new", tag: "div", className: "new-line", data: {}, deps: [], template };
}

/**
 * @param {import("./room-view.js").RoomView} view
 * @param {Message} message
 * @param {boolean} mine
 * @param {boolean} continued
 * @returns {Entry}
 */
function said(view, message, mine, continued) {
  const key = view.keyOf(message);
  const active = view.timeline.active === key;
  const picking = view.timeline.picking === key;
  const quoted = message.reply_to === null ? null : view.quotes.get(message.reply_to);
  const mentioned = !mine && message.mentions.includes(view.app.me.id);
  const state = [
    continued ? "" : "first",
    active ? "active" : "",
    mentioned ? "mentions-me" : "",
    view.marked === message.seq ? "marked" : "",
  ];
  const look = () => ({
    ...common(view, message.reply_to, quoted, continued),
    active,
    picking,
    href: roomPath(view.app.home, view.slug, message.seq),
    tools: toolsFor(view, message, key),
  });
  return {
    key,
    tag: "article",
    className: `message ${state.filter(Boolean).join(" ")}`,
    data: { seq: String(message.seq) },
    deps: [message, continued, active, picking, quoted, view.mayWrite, view.mayModerate],
    template: () => messageTemplate(message, look()),
  };
}

/**
 * @param {import("./room-view.js").RoomView} view
 * @param {number | null} replyTo
 * @param {Message | null} quoted
 * @param {boolean} continued
 */
function common(view, replyTo, quoted, continued) {
  return {
    continued,
    active: false,
    picking: false,
    quoted,
    href: "",
    quotedHref: roomPath(view.app.home, view.slug, replyTo),
    tools: null,
    me: view.app.me.id,
    nameOf: (/** @type {string} */ id) => view.log.room.members.get(id)?.name ?? null,
  };
}

/**
 * @param {import("./room-view.js").RoomView} view
 * @param {Previous | null} previous
 */
function onTheirWay(view, previous) {
  const { me } = view.app;
  let above = previous;
  return view.items.map((item) => {
    const continued = follows(above, me.id, item.createdAt, item);
    above = { author: me.id, sent: item.createdAt, day: dayOf(new Date(item.createdAt)) };
    return pending(view, item, continued);
  });
}

/**
 * @param {import("./room-view.js").RoomView} view
 * @param {Item} item
 * @param {boolean} continued
 * @returns {Entry}
 */
function pending(view, item, continued) {
  const quoted = item.replyTo === null ? null : view.quotes.get(item.replyTo);
  const seconds = item.retryAt === null ? 0 : Math.max(1, Math.ceil((item.retryAt - Date.now()) / 1000));
  const { online } = view.app.connection;
  return {
    key: `mine:${item.key}`,
    tag: "article",
    className: continued ? "message" : "message first",
    data: { key: item.key, state: item.state === "failed" ? "failed" : "sending" },
    deps: ["pending", item.state, item.error, seconds, online, continued, quoted],
    template: () => {
      const look = common(view, item.replyTo, quoted, continued);
      return pendingTemplate(item, view.app.me, look, delivery(view, item, seconds, online));
    },
  };
}

/**
 * @param {import("./room-view.js").RoomView} view
 * @param {Item} item
 * @param {number} seconds until it is sent again
 * @param {boolean} online
 */
function delivery(view, item, seconds, online) {
  const { outbox } = view.app;
  if (item.state === "failed") {
    const why = reason(item.error ?? "internal");
    return html`<div class="delivery" role="alert">
      ${t("notSent", { why })}
      <button type="button" @click=${() => outbox.retry(item.key)}>${t("retry")}</button>
      <button type="button" @click=${() => outbox.discard(item.key)}>${t("discard")}</button>
    </div>`;
  }
  if (seconds > 0) {
    const words = item.error === "rate_limited" ? "tooFast" : "again";
    return html`<div class="delivery">${t(words, { n: seconds })}</div>`;
  }
  return online ? nothing : html`<div class="delivery">${t("waiting")}</div>`;
}
