import { html } from "#page/dom.js";
import { excerpt } from "#page/format.js";
import { filled, find, ownName } from "./variables.js";

/** At most so many are offered. */
const MOST = 8;

/**
 * The answers that somebody may mean, for the list over the field.
 *
 * @param {import("./desk.js").Desk} desk
 * @param {import("./conversation-view.js").ConversationView} view
 * @param {string} query
 * @returns {Promise<import("#page/suggestions.js").Suggestion[]>}
 */
export async function suggest(desk, view, query) {
  const inbox = view.state?.inbox;
  const replies = inbox ? find(await desk.canned.awaited(inbox), query, MOST) : [];
  const values = { name: ownName(view.title), agent: desk.me.name };
  return replies.map(({ shortcut, text }) => {
    const insert = filled(text, values);
    return {
      key: shortcut,
      insert,
      line: html`<span class="suggested canned">
        <span class="canned-shortcut">/${shortcut}</span><span class="canned-text" dir="auto">${excerpt(insert, 200)}</span>
      </span>`,
    };
  });
}
