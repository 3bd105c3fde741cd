import { html, nothing } from "./dom.js";
import { dateAndTime, excerpt, list, time } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { avatar } from "./people.js";

/** What fingers already know; any other emoji can be written. */
const PALETTE = ["👍", "❤️", "😂", "🎉", "😮", "😢", "✅", "👀"];

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("../sdk/types.js").Person} Person
 * @typedef {object} Look how a message is shown
 * @property {boolean} continued by the same author, a moment after the one above
 * @property {boolean} active its tools are shown
 * @property {boolean} picking the palette is open
 * @property {Message | null} quoted the message it replies to
 * @property {string} href its permanent address
 * @property {string} quotedHref
 * @property {Tools | null} tools what may be done with it; null: nothing
 * @property {string} me my id
 * @property {(id: string) => string | null} nameOf a member's name, where it is known
 * @typedef {object} Tools
 * @property {boolean} mayEdit
 * @property {boolean} mayDelete
 * @property {() => void} reply
 * @property {() => void} edit
 * @property {() => void} remove
 * @property {() => void} pick opens and closes the palette
 * @property {(emoji: string) => void} react adds the reaction, or takes mine back
 * @property {() => void} copyLink
 */

/**
 * The inside of a message's article.
 *
 * @param {Message} message
 * @param {Look} look
 */
export function messageTemplate(message, look) {
  const sent = new Date(message.sent_at);
  return html`
    ${side(message.author, look, sent)}
    ${byline(message.author, look, sent)}
    ${message.reply_to !== null ? quote(look) : nothing}
    ${message.deleted
      ? html`<div class="text gone">${t("deletedText")}</div>`
      : html`<div class="text" dir="auto" .innerHTML=${message.html}></div>`}
    ${message.edited_at && !message.deleted ? html`<span class="edited">${t("edited")}</span>` : nothing}
    ${message.reactions.length ? reactions(message, look) : nothing}
    ${look.active && look.tools && !message.deleted ? toolbar(look, look.tools) : nothing}
    ${look.picking && look.tools ? palette(look.tools) : nothing}
  `;
}

/**
 * The inside of the article of a message that is still on its way.
 *
 * @param {import("../sdk/outbox.js").Item} item
 * @param {Person} author
 * @param {Look} look
 * @param {any} delivery how it stands with it
 */
export function pendingTemplate(item, author, look, delivery) {
  const sent = new Date(item.createdAt);
  return html`
    ${side(author, { ...look, href: "" }, sent)}
    ${byline(author, { ...look, href: "" }, sent)}
    ${item.replyTo !== null ? quote(look) : nothing}
    <div class="text plain-text" dir="auto">${item.text}</div>
    ${delivery}
  `;
}

/**
 * @param {Person} author
 * @param {Look} look
 * @param {Date} sent
 */
function side(author, look, sent) {
  return html`<span class="side">${look.continued ? clock(look, sent) : avatar(author)}</span>`;
}

/**
 * Each message says who spoke and when, also where the eye has seen it above.
 *
 * @param {Person} author
 * @param {Look} look
 * @param {Date} sent
 */
function byline(author, look, sent) {
  return html`<div class=${look.continued ? "byline sr-only" : "byline"}>
    <span class="author"><bdi>${author.name}</bdi></span>
    ${look.continued ? nothing : clock(look, sent)}
  </div>`;
}

/**
 * @param {Look} look
 * @param {Date} sent
 */
function clock(look, sent) {
  const shown = html`<time datetime=${sent.toISOString()} title=${dateAndTime(sent)}>${time(sent)}</time>`;
  // The permanent address is one of many links in the log: a stop for the tab key only when active.
  return look.href
    ? html`<a class="time" href=${look.href} tabindex=${look.active ? 0 : -1}>${shown}</a>`
    : html`<span class="time">${shown}</span>`;
}

/** @param {Look} look */
function quote({ quoted, quotedHref }) {
  if (!quoted) return html`<span class="quote">…</span>`;
  const words = quoted.deleted ? t("deletedText") : excerpt(quoted.text);
  return html`<a class="quote" href=${quotedHref}>
    <bdi>${quoted.author.name}</bdi><span class="excerpt" dir="auto">${words}</span>
  </a>`;
}

/**
 * @param {Message} message
 * @param {Look} look
 */
function reactions(message, look) {
  return html`<ul class="reactions">${message.reactions.map((reaction) => html`<li>
    <button type="button" class="reaction" ?disabled=${look.tools === null}
      aria-pressed=${String(reaction.by.includes(look.me))}
      aria-label=${who(reaction, look)} title=${who(reaction, look)}
      @click=${() => look.tools?.react(reaction.emoji)}>
      <span>${reaction.emoji}</span><span>${reaction.count.toLocaleString()}</span>
    </button>
  </li>`)}</ul>`;
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

/**
 * @param {Look} look
 * @param {Tools} tools
 */
function toolbar(look, tools) {
  return html`<div class="tools">
    ${tool("smile", t("react"), tools.pick, look.picking)}
    ${tool("reply", t("reply"), tools.reply)}
    ${tools.mayEdit ? tool("pencil", t("edit"), tools.edit) : nothing}
    ${tools.mayDelete ? tool("bin", t("delete"), tools.remove) : nothing}
    ${tool("link", t("copyLink"), tools.copyLink)}
  </div>`;
}

/**
 * @param {string} sign
 * @param {string} label
 * @param {() => void} act
 * @param {boolean} [expanded]
 */
function tool(sign, label, act, expanded) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label}
    aria-expanded=${expanded === undefined ? nothing : String(expanded)} @click=${act}>${icon(sign)}</button>`;
}

/** @param {Tools} tools */
function palette(tools) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const emoji = String(data.get("emoji")).trim();
    if (emoji) tools.react(emoji);
  };
  return html`<div class="palette" role="group" aria-label=${t("react")}>
    ${PALETTE.map((emoji) => html`
      <button type="button" aria-label=${t("reactWith", { emoji })} @click=${() => tools.react(emoji)}>${emoji}</button>
    `)}
    <form @submit=${submit}>
      <input name="emoji" maxlength="32" autocomplete="off" aria-label=${t("otherEmoji")} placeholder="…" />
      <button>${t("add")}</button>
    </form>
  </div>`;
}
