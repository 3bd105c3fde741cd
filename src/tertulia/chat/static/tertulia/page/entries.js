import { html, nothing } from "./dom.js";
import { day, dayOf, time } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { live } from "./live.js";
import { messageTemplate, pendingTemplate } from "./message.js";
import { reason } from "./notices.js";
import { receipts } from "./receipts.js";
import { roomPath } from "./router.js";
import { now, visible } from "./world.js";

/** Messages of one author within this time form a group. */
const GROUP = 5 * 60_000;

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("../sdk/outbox.js").Item} Item
 * @typedef {import("./room-view.js").RoomView} RoomView
 * @typedef {object} Entry one child of the log
 * @property {string} key the same for as long as it is the same thing
 * @property {string} tag
 * @property {string} className
 * @property {Record<string, string>} data
 * @property {any[]} deps what it shows: painted again only when one of these changed
 * @property {() => string} [label] its name to a screen reader
 * @property {() => any} template
 */

/**
 * What the log shows, from top to bottom.
 *
 * @param {RoomView} view
 * @returns {Entry[]}
 */
export function entriesOf(view) {
  const { log, messages } = view;
  const { me } = view.app;
  // Whoever comes back after midnight sees "yesterday".
  void visible.value;
  const newAfter = view.reading.newAfter.value;
  const read = receipts(view);
  const items = view.items();
  /** @type {Entry[]} */
  const entries = [top(view, items.length === 0)];
  /** @type {Previous | null} */
  let previous = null;
  // The line "new" is shown where what I have read ends, not where what is loaded begins.
  let line = log.window.moreBefore ? "ahead" : "due";
  for (const message of messages) {
    const sent = Date.parse(message.sent_at);
    const today = dayOf(new Date(sent));
    if (previous?.day !== today) {
      entries.push(separator(sent));
      previous = null;
    }
    const mine = message.author.id === me.id;
    const unread = newAfter !== null && message.seq > newAfter;
    if (!unread && line === "ahead") line = "due";
    if (unread && !mine && line === "due") {
      entries.push(newLine());
      line = "shown";
      previous = null;
    }
    const continued = follows(previous, message.author.id, sent, message);
    entries.push(said(view, message, continued, read.get(message.seq) ?? ""));
    previous = { author: message.author.id, sent, day: today };
  }
  if (log.window.moreAfter) {
    entries.push(more("later", t("later"), () => view.loadLater()));
    previous = null;
  }
  entries.push(...onTheirWay(view, items, previous));
  return entries;
}

/** @typedef {{author: string, sent: number, day: number}} Previous the message above */

/**
 * @param {Previous | null} previous
 * @param {string} author
 * @param {number} sent
 * @param {{reply_to?: number | null, replyTo?: number | null}} what
 */
export function follows(previous, author, sent, what) {
  if (previous === null || previous.author !== author || sent - previous.sent >= GROUP) return false;
  return (what.reply_to ?? what.replyTo ?? null) === null;
}

/**
 * @param {RoomView} view
 * @param {boolean} idle nothing of mine is on its way
 * @returns {Entry}
 */
function top(view, idle) {
  const { log, messages, phase, mayWrite } = view;
  if (log.window.moreBefore) return more("earlier", t("earlier"), () => view.loadEarlier());
  const shown = phase === "loading" ? "loading" : messages.length === 0 && idle ? "empty" : "beginning";
  return {
    key: "top",
    tag: "div",
    className: shown,
    data: {},
    // Who comes or goes matters only while nobody has spoken.
    deps: [shown, mayWrite, shown === "empty" ? live(log).room.members.size : 0],
    template: () => {
      // What is coming, in outline; the style sheet shows it only after a moment.
      if (shown === "loading") return html`<i></i><i></i><i></i>`;
      if (shown === "beginning") return t("beginning");
      return empty(view);
    },
  };
}

/**
 * Nobody has spoken. Whoever is alone here first wants to bring somebody.
 *
 * @param {RoomView} view
 */
function empty(view) {
  const { state, members } = view.log.room;
  const alone = view.mayWrite && state?.kind !== "direct" && members.size < 2;
  return html`<strong>${t("emptyTitle")}</strong>${view.mayWrite ? t("emptyText") : nothing}
    ${alone ? html`<div><button type="button" class="button" @click=${() => view.invite()}>${icon("plus")}${t("invite")}</button></div>` : nothing}`;
}

/**
 * @param {string} key
 * @param {string} label
 * @param {() => void} act
 * @returns {Entry}
 */
export function more(key, label, act) {
  const template = () => html`<button type="button" class="button" @click=${act}>${label}</button>`;
  return { key, tag: "div", className: "more", data: {}, deps: [], template };
}

/**
 * @param {number} sent
 * @returns {Entry}
 */
export function separator(sent) {
  const date = new Date(sent);
  const words = day(date);
  const template = () => html`<span>${words}</span>`;
  return { key: `day:${dayOf(date)}`, tag: "div", className: "day", data: {}, deps: [words], template };
}

/** @returns {Entry} */
export function newLine() {
  const template = () => t("new");
  return { key: "new", tag: "div", className: "new-line", data: {}, deps: [], template };
}

/**
 * @param {RoomView} view
 * @param {Message} message
 * @param {boolean} continued
 * @param {string} receipt who has read up to here
 * @returns {Entry}
 */
function said(view, message, continued, receipt) {
  const key = view.keyOf(message);
  const { timeline, mayWrite } = view;
  const { me } = view.app;
  const quoted = message.reply_to === null ? null : view.quotes.get(message.reply_to);
  const { avatar } = view.pictured(message.author);
  const expanded = timeline.expanded.value.has(key);
  const unfolded = timeline.unfolded.value.has(key);
  const mentioned = message.author.id !== me.id && message.mentions.includes(me.id);
  const mode = view.composer.mode.value;
  const state = [
    "message",
    continued ? "" : "first",
    mentioned ? "mentions-me" : "",
    view.marked.value === message.seq ? "marked" : "",
    mode?.kind === "edit" && mode.message.seq === message.seq ? "edited-now" : "",
  ];
  const look = () => ({
    ...common(view, message.reply_to, quoted, continued),
    href: roomPath(view.app.home, view.slug, message.seq),
    receipt,
    expanded,
    unfolded,
    expand: () => timeline.toggle(timeline.expanded, key),
    unfold: () => timeline.toggle(timeline.unfolded, key),
    react: mayWrite ? (/** @type {string} */ emoji) => void react(view, message, emoji) : null,
  });
  return {
    key,
    tag: "article",
    className: state.filter(Boolean).join(" "),
    data: { seq: String(message.seq) },
    deps: [message, continued, quoted, avatar, mayWrite, receipt, expanded, unfolded],
    label: () => `${message.author.name}, ${time(new Date(message.sent_at))}`,
    template: () => messageTemplate(message, view.pictured(message.author), look()),
  };
}

/**
 * Add a reaction that is there already, or take mine back.
 *
 * @param {RoomView} view
 * @param {Message} message
 * @param {string} emoji
 */
function react(view, message, emoji) {
  const mine = message.reactions.find((each) => each.emoji === emoji)?.by.includes(view.app.me.id);
  const fields = { room: view.slug, seq: message.seq, emoji };
  return view.app.act(mine ? "reaction.remove" : "reaction.add", fields);
}

/**
 * @param {RoomView} view
 * @param {number | null} replyTo
 * @param {Message | null} quoted
 * @param {boolean} continued
 */
function common(view, replyTo, quoted, continued) {
  return {
    continued,
    quoted,
    quotedHref: roomPath(view.app.home, view.slug, replyTo),
    me: view.app.me.id,
    nameOf: (/** @type {string} */ id) => view.log.room.members.get(id)?.name ?? null,
  };
}

/**
 * @typedef {{held: boolean, last: boolean, fleeting: boolean}} Queue `held`: one above it was
 *   refused; `fleeting`: some of all these the browser would not keep
 */

/**
 * @param {RoomView} view
 * @param {Item[]} items
 * @param {Previous | null} previous
 */
export function onTheirWay(view, items, previous) {
  const { me } = view.app;
  let above = previous;
  const fleeting = items.some((item) => item.fleeting);
  return items.map((item, i) => {
    const continued = follows(above, me.id, item.createdAt, item);
    above = { author: me.id, sent: item.createdAt, day: dayOf(new Date(item.createdAt)) };
    const held = items.slice(0, i).some(({ state }) => state === "failed");
    // What they all wait for is said once, below the last of them.
    return pending(view, item, continued, { held, last: i === items.length - 1, fleeting });
  });
}

/**
 * @param {RoomView} view
 * @param {Item} item
 * @param {boolean} continued
 * @param {Queue} queue
 * @returns {Entry}
 */
function pending(view, item, continued, queue) {
  const { me } = view.app;
  const quoted = item.replyTo === null ? null : view.quotes.get(item.replyTo);
  const seconds = item.retryAt === null ? 0 : Math.max(1, Math.ceil((item.retryAt - now()) / 1000));
  const online = live(view.app.connection, "status").online;
  return {
    key: `mine:${item.key}`,
    tag: "article",
    className: continued ? "message" : "message first",
    data: { key: item.key, state: item.state === "failed" ? "failed" : "sending" },
    deps: ["pending", item.state, item.error, seconds, online, continued, quoted, queue.held, queue.last, queue.fleeting],
    label: () => `${me.name}, ${time(new Date(item.createdAt))}`,
    template: () => {
      const look = common(view, item.replyTo, quoted, continued);
      return pendingTemplate(item, view.pictured(me), look, delivery(view, item, seconds, online, queue));
    },
  };
}

/**
 * @param {RoomView} view
 * @param {Item} item
 * @param {number} seconds until it is sent again
 * @param {boolean} online
 * @param {Queue} queue
 */
function delivery(view, item, seconds, online, queue) {
  const { outbox } = view.app;
  const note = queue.last && queue.fleeting ? html`<strong>${t("notKept")}</strong>` : nothing;
  if (item.state === "failed") {
    const why = reason(item.error ?? "internal");
    return html`<div class="delivery" role="alert">
      <span class="why">${t("notSent", { why })}</span>
      <button type="button" @click=${() => outbox.retry(item.key)}>${t("retry")}</button>
      <button type="button" @click=${() => outbox.discard(item.key)}>${t("discard")}</button>
      ${note}
    </div>`;
  }
  if (seconds > 0) {
    const words = item.error === "rate_limited" ? "tooFast" : "again";
    return html`<div class="delivery">${t(words, { n: seconds })} ${note}</div>`;
  }
  if (!queue.last || (online && !queue.held)) return nothing;
  return html`<div class="delivery">${t(queue.held ? "waitingAbove" : "waiting")} ${note}</div>`;
}
