import { html, nothing } from "#page/dom.js";
import { dateAndTime, time } from "#page/format.js";
import { t } from "#page/i18n.js";
import { avatar } from "#page/people.js";

/** Where the chat serves the pictures of people, to those who have an account. */
const PICTURE = /\/-\/picture\/([\w-]+)\.webp$/;

/**
 * @typedef {import("#sdk/types.js").Message} Message
 * @typedef {import("#sdk/types.js").Person} Person
 */

/**
 * Somebody with the picture that a visitor may see: from the inbox's own address, or none.
 *
 * @param {Person} person
 * @param {string} base the inbox's address
 * @returns {Person}
 */
export function pictured(person, base) {
  const stem = PICTURE.exec(person.avatar ?? "")?.[1];
  return { ...person, avatar: stem ? `${base}picture/${stem}.webp` : null };
}

/**
 * The inside of a message's article.
 *
 * @param {Message} message
 * @param {{mine: boolean, first: boolean, base: string, note: string}} look `first` of what its
 *   author says in a row; `note`: how it stands with it
 */
export function bubble(message, { mine, first, base, note }) {
  const sent = new Date(message.sent_at);
  const { author } = message;
  return html`
    ${mine ? nothing : html`<span class="side">${first ? avatar(pictured(author, base), "small") : nothing}</span>`}
    <div class="said">
      <div class=${first && !mine ? "byline" : "byline sr-only"}><bdi>${mine ? t("you") : author.name}</bdi></div>
      ${message.deleted
        ? html`<div class="text gone">${t("deletedText")}</div>`
        : html`<div class="text" dir="auto" .innerHTML=${message.html}></div>`}
      <div class="meta">
        ${message.edited_at && !message.deleted ? html`<span>${t("edited")}</span>` : nothing}
        <time datetime=${message.sent_at} title=${dateAndTime(sent)}>${time(sent)}</time>
        ${note ? html`<span class="state">${note}</span>` : nothing}
      </div>
    </div>`;
}

/**
 * The inside of the article of a message that is on its way.
 *
 * @param {string} text
 * @param {any} note
 */
export function pendingBubble(text, note) {
  return html`<div class="said">
    <div class="byline sr-only">${t("you")}</div>
    <div class="text plain-text" dir="auto">${text}</div>
    <div class="meta">${note}</div>
  </div>`;
}
