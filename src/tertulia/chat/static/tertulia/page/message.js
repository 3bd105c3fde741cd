import { html, nothing } from "./dom.js";
import { dateAndTime, excerpt, list, time } from "./format.js";
import { t } from "./i18n.js";
import { avatar } from "./people.js";

/** A message of more characters or lines than these is shown in part, until it is asked for. */
const LONG = 3_000;
const MANY_LINES = 40;
/** Beyond so many kinds of reactions the others are folded. */
const KINDS = 20;

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("../sdk/types.js").Person} Person
 * @typedef {object} Surroundings of a message, sent or not
 * @property {boolean} continued by the same author, a moment after the one above
 * @property {Message | null} quoted the message it replies to
 * @property {string} quotedHref
 * @property {string} me my id
 * @property {(id: string) => string | null} nameOf a member's name, where it is known
 * @typedef {object} Sent what a message in the log has beyond that
 * @property {string} href its permanent address
 * @property {string} receipt who has read up to here; empty: it is not said here
 * @property {boolean} expanded a long one is shown in full
 * @property {boolean} unfolded all reactions are shown
 * @property {() => void} expand
 * @property {() => void} unfold
 * @property {((emoji: string) => void) | null} react null: I may not
 * @typedef {Surroundings & Sent} Look how a message is shown
 */

/**
 * The inside of a message's article.
 *
 * @param {Message} message
 * @param {Person} author as he is pictured now
 * @param {Look} look
 */
export function messageTemplate(message, author, look) {
  const sent = new Date(message.sent_at);
  return html`
    ${side(author, look, sent, look.href)}
    ${byline(author, look, sent, look.href)}
    ${message.reply_to !== null ? quote(look) : nothing}
    ${message.deleted ? html`<div class="text gone">${t("deletedText")}</div>` : words(message, look)}
    ${message.edited_at && !message.deleted ? html`<span class="edited">${t("edited")}</span>` : nothing}
    ${message.reactions.length ? reactions(message, look) : nothing}
    ${look.receipt ? html`<div class="receipt">${look.receipt}</div>` : nothing}
  `;
}

/**
 * The inside of the article of a message that is still on its way.
 *
 * @param {import("../sdk/outbox.js").Item} item
 * @param {Person} author
 * @param {Surroundings} look
 * @param {any} delivery how it stands with it
 */
export function pendingTemplate(item, author, look, delivery) {
  const sent = new Date(item.createdAt);
  return html`
    ${side(author, look, sent, "")}
    ${byline(author, look, sent, "")}
    ${item.replyTo !== null ? quote(look) : nothing}
    <div class="text plain-text ${isLong(item.text) ? "clipped" : ""}" dir="auto">${item.text}</div>
    ${delivery}
  `;
}

/** @param {string} text */
function isLong(text) {
  return text.length > LONG || text.split("\n", MANY_LINES + 1).length > MANY_LINES;
}

/**
 * @param {Message} message
 * @param {Look} look
 */
function words(message, look) {
  const long = isLong(message.text);
  const clipped = long && !look.expanded ? "text clipped" : "text";
  return html`<div class=${clipped} dir="auto" .innerHTML=${message.html}></div>
    ${long ? html`<button type="button" class="link expand" aria-expanded=${String(look.expanded)} @click=${look.expand}>
      ${t(look.expanded ? "showLess" : "showAll")}
    </button>` : nothing}`;
}

/**
 * @param {Person} author
 * @param {Surroundings} look
 * @param {Date} sent
 * @param {string} href
 */
function side(author, look, sent, href) {
  return html`<span class="side">${look.continued ? clock(sent, href) : avatar(author)}</span>`;
}

/**
 * Each message says who spoke and when, also where the eye has seen it above.
 *
 * @param {Person} author
 * @param {Surroundings} look
 * @param {Date} sent
 * @param {string} href
 */
function byline(author, look, sent, href) {
  return html`<div class=${look.continued ? "byline sr-only" : "byline"}>
    <span class="author" title=${author.name}><bdi>${author.name}</bdi></span>
    ${look.continued ? nothing : clock(sent, href)}
  </div>`;
}

/**
 * The time, which leads to the permanent address; one of many links in the log, and so no stop
 * for the tab key, which finds it in the message's menu.
 *
 * @param {Date} sent
 * @param {string} href
 */
function clock(sent, href) {
  const shown = html`<time datetime=${sent.toISOString()} title=${dateAndTime(sent)}>${time(sent)}</time>`;
  return href
    ? html`<a class="time" href=${href} tabindex="-1">${shown}</a>`
    : html`<span class="time">${shown}</span>`;
}

/** @param {Surroundings} look */
function quote({ quoted, quotedHref }) {
  if (!quoted) return html`<span class="quote">…</span>`;
  const said = quoted.deleted ? t("deletedText") : excerpt(quoted.text);
  return html`<a class="quote" href=${quotedHref}>
    <bdi>${quoted.author.name}</bdi><span class="excerpt" dir="auto">${said}</span>
  </a>`;
}

/**
 * @param {Message} message
 * @param {Look} look
 */
function reactions(message, look) {
  const all = message.reactions;
  const shown = look.unfolded ? all : all.slice(0, KINDS);
  const folded = all.length - shown.length;
  return html`<ul class="reactions">
    ${shown.map((reaction) => chip(reaction, look))}
    ${folded > 0 ? html`<li><button type="button" class="reaction" aria-label=${t("moreReactions", { n: folded })}
      @click=${look.unfold}>+${folded.toLocaleString()}</button></li>` : nothing}
  </ul>`;
}

/**
 * @param {import("../sdk/types.js").Reaction} reaction
 * @param {Look} look
 */
function chip(reaction, look) {
  const label = who(reaction, look);
  return html`<li>
    <button type="button" class="reaction" ?disabled=${look.react === null}
      aria-pressed=${String(reaction.by.includes(look.me))} aria-label=${label} title=${label}
      @click=${() => look.react?.(reaction.emoji)}>
      <span>${reaction.emoji}</span><span>${reaction.count.toLocaleString()}</span>
    </button>
  </li>`;
}

/**
 * @param {import("../sdk/types.js").Reaction} reaction
 * @param {Look} look
 */
function who({ emoji, count, by }, look) {
  const names = by
    .slice(0, 10)
    .map((id) => (id === look.me ? t("you") : look.nameOf(id)))
    .filter((name) => name !== null);
  const others = count - names.length;
  const all = others > 0 ? [...names, t("andOthers", { n: others })] : names;
  return t("reactedBy", { emoji, names: list(/** @type {string[]} */ (all)) });
}
