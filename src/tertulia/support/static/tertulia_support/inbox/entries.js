import { html, nothing } from "#page/dom.js";
import { follows, more, newLine, onTheirWay, separator } from "#page/entries.js";
import { dateAndTime, dayOf, time } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { messageTemplate } from "#page/message.js";
import { visible } from "#page/world.js";
import { merged, withoutHoles } from "./merge.js";
import { keyOf, words } from "./story.js";

/**
 * @typedef {import("#sdk/types.js").Message} Message
 * @typedef {import("#page/entries.js").Entry} Entry
 * @typedef {import("./conversation-view.js").ConversationView} ConversationView
 * @typedef {import("./story.js").Change} Change
 * @typedef {{at: number, message?: Message, noted: boolean, change?: Change}} Thing
 */

/** Signs of what happens to a conversation. */
const SIGNS = {
  opened: "page",
  assigned: "person",
  resolved: "check",
  reopened: "undo",
  rated: "star",
  snoozed: "clock",
  transferred: "move",
};

/**
 * What the log of a conversation shows, from top to bottom: what was said, the notes, and what
 * happened, by time.
 *
 * @param {ConversationView} view
 * @returns {Entry[]}
 */
export function entriesOf(view) {
  const { me } = view.app;
  // Whoever comes back after midnight sees "yesterday".
  void visible.value;
  const newAfter = view.reading.newAfter.value;
  const read = lastRead(view);
  const above = view.log.window.moreBefore;
  /** @type {Entry[]} */
  const entries = [top(view)];
  /** @type {{author: string, sent: number, day: number, noted: boolean} | null} */
  let previous = null;
  let line = above ? "ahead" : "due";
  for (const { at, message, change, noted } of things(view)) {
    const today = dayOf(new Date(at));
    if (previous?.day !== today && lastDay(entries) !== today) {
      entries.push(separator(at));
      previous = null;
    }
    if (change) {
      entries.push(happened(view, change));
      previous = null;
      continue;
    }
    if (!message) continue;
    const unread = !noted && newAfter !== null && message.seq > newAfter;
    if (!unread && !noted && line === "ahead") line = "due";
    if (unread && message.author.id !== me.id && line === "due") {
      entries.push(newLine());
      line = "shown";
      previous = null;
    }
    const continued = previous?.noted === noted && follows(previous, message.author.id, at, message);
    entries.push(said(view, message, noted, continued, noted ? "" : receipt(view, message, read)));
    previous = { author: message.author.id, sent: at, day: today, noted };
  }
  const notes = view.notes.value?.slug;
  const items = view.items();
  onTheirWay(/** @type {any} */ (view), items, previous).forEach((entry, i) => {
    entries.push({ ...entry, className: `${entry.className} ${items[i].room === notes ? "note" : "ours"}` });
  });
  return entries;
}

/** @param {Entry[]} entries the day of the last separator, where nothing of another stands below */
function lastDay(entries) {
  const found = entries.findLast(({ className }) => className === "day");
  return found ? Number(found.key.slice("day:".length)) : null;
}

/**
 * @param {ConversationView} view
 * @returns {Thing[]}
 */
function things(view) {
  const notes = view.notes.value;
  const said = ofLog(view, view.log, view.messages, false);
  return merged(withoutHoles(notes ? [said, ofLog(view, notes, view.noted, true)] : [said]));
}

/**
 * One log: its messages, and what happened between them, in the order of their seqs.
 *
 * @param {ConversationView} view
 * @param {import("#sdk").RoomLog} log
 * @param {Message[]} messages
 * @param {boolean} noted
 * @returns {{things: Thing[], more: boolean}}
 */
function ofLog(view, log, messages, noted) {
  const more = log.window.moreBefore;
  const from = more ? (messages[0]?.seq ?? Infinity) : 0;
  const changes = view.story.of(log.slug).filter(({ seq }) => seq >= from && seq <= log.head);
  const placed = [
    ...messages.map((message) => ({ seq: message.seq, at: Date.parse(message.sent_at), message, noted })),
    ...changes.map((change) => ({ seq: change.seq, at: Date.parse(change.at), change, noted })),
  ];
  return { things: placed.sort((a, b) => a.seq - b.seq), more };
}

/**
 * What stands below an answer: that its visitor has read up to there, or how it fares by mail.
 *
 * @param {ConversationView} view
 * @param {Message} message
 * @param {number | null} read
 */
function receipt({ state, clientRead }, { seq, author }, read) {
  if (seq === read) return t("readByVisitor");
  const mail = state?.mail;
  if (!mail || mail.seq !== seq || author.id === state?.client.id || seq <= clientRead) return "";
  if (mail.state === "sent") return t("mailOut", { time: time(new Date(mail.at)) });
  return t(mail.state === "failed" ? "mailUndelivered" : "mailDue");
}

/** @param {ConversationView} view the newest of ours that its visitor has read, unless he has answered since */
function lastRead(view) {
  const { clientRead, messages, state } = view;
  for (const { author, seq } of messages.toReversed()) {
    if (author.id === state?.client.id) return null;
    if (seq <= clientRead) return seq;
  }
  return null;
}

/**
 * @param {ConversationView} view
 * @returns {Entry}
 */
function top(view) {
  if (view.shortest !== null) return more("earlier", t("earlier"), () => view.loadEarlier());
  const loading = view.phase === "loading";
  return {
    key: "top",
    tag: "div",
    className: loading ? "loading" : "beginning",
    data: {},
    deps: [loading],
    // What is coming, in outline; the style sheet shows it only after a moment.
    template: () => (loading ? html`<i></i><i></i><i></i>` : nothing),
  };
}

/**
 * @param {ConversationView} view
 * @param {Change} change
 * @returns {Entry}
 */
function happened(view, change) {
  const text = words(view, change);
  const date = new Date(change.at);
  const sign = SIGNS[/** @type {keyof typeof SIGNS} */ (change.change)] ?? "info";
  return {
    key: `change:${keyOf(change)}`,
    tag: "p",
    className: `happened ${change.change}`,
    data: {},
    deps: [text],
    template: () => html`${icon(sign)}<span>${text}</span> · <time datetime=${change.at} title=${dateAndTime(date)}>${time(date)}</time>`,
  };
}

/**
 * @param {ConversationView} view
 * @param {Message} message
 * @param {boolean} noted
 * @param {boolean} continued
 * @param {string} below what stands below it; or ""
 * @returns {Entry}
 */
function said(view, message, noted, continued, below) {
  const key = view.keyOf(message, noted);
  const { timeline, app } = view;
  const author = view.pictured(message.author);
  const quoted = message.reply_to === null || noted ? null : view.quotes.get(message.reply_to);
  const expanded = timeline.expanded.value.has(key);
  const theirs = message.author.id === view.state?.client.id || message.author.kind === "visitor";
  const look = () => ({
    continued,
    quoted,
    quotedHref: "",
    me: app.me.id,
    nameOf: () => null,
    href: "",
    receipt: below,
    expanded,
    unfolded: false,
    expand: () => timeline.toggle(timeline.expanded, key),
    unfold: () => {},
    react: null,
  });
  const kind = noted ? "note" : theirs ? "theirs" : "ours";
  return {
    key,
    tag: "article",
    className: `message ${kind}${continued ? "" : " first"}${view.marked.value === key ? " marked" : ""}`,
    // Two logs have the same seqs.
    data: noted ? {} : { seq: String(message.seq) },
    deps: [message, continued, quoted, author.avatar, below, expanded],
    label: () => t(noted ? "noteLabel" : "saidLabel", { name: message.author.name, time: time(new Date(message.sent_at)) }),
    template: () => html`${messageTemplate(message, author, look())}
      ${noted && !continued ? html`<span class="note-sign">${icon("note")}${t("onlyColleagues")}</span>` : nothing}`,
  };
}
