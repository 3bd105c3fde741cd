import { html, nothing } from "./dom.js";
import { allEmoji, find, toned } from "./emoji/data.js";
import { myTone } from "./emoji/mine.js";
import { t } from "./i18n.js";
import { START, WORD, fold, match } from "./match.js";
import { avatar } from "./people.js";

/** At most so many are offered. */
const MOST = 8;

/**
 * @typedef {import("../sdk/types.js").Person} Person
 * @typedef {import("./room-view.js").RoomView} RoomView
 * @typedef {{key: string, insert: string, emoji?: string, line: any}} Suggestion `line`: the
 *   template of what is shown; `emoji`: the one that choosing it uses
 */

/**
 * Members of the room whose name somebody begins to write: those who are here first, then
 * those who spoke last.
 *
 * @param {RoomView} view
 * @param {string} query empty: all of them
 * @returns {Suggestion[]}
 */
export function members(view, query) {
  const { room, messages } = view.log;
  const here = new Set(Array.isArray(room.here) ? room.here.map((person) => person.id) : []);
  const spoke = new Map(messages.map((message, i) => [message.author.id, i + 1]));
  const found = [...room.members.values()].flatMap((person) => {
    const quality = person.id === view.app.me.id ? 0 : qualityOf(query, person.name);
    return quality > 0 ? [{ person, quality }] : [];
  });
  found.sort(
    (a, b) =>
      Number(here.has(b.person.id)) - Number(here.has(a.person.id)) ||
      b.quality - a.quality ||
      (spoke.get(b.person.id) ?? 0) - (spoke.get(a.person.id) ?? 0) ||
      a.person.name.localeCompare(b.person.name),
  );
  return found.slice(0, MOST).map(({ person }) => suggested(person, here.has(person.id) ? t("here") : ""));
}

/**
 * Whether nothing is left to complete: the only one who is meant is named in full.
 *
 * @param {Suggestion[]} suggestions
 * @param {string} query
 */
export function complete(suggestions, query) {
  return suggestions.length === 1 && fold(suggestions[0].insert) === fold(`@${query} `);
}

/**
 * Further people of this name, of whom the server knows.
 *
 * @param {RoomView} view
 * @param {string} query
 * @returns {Promise<Suggestion[]>}
 */
export async function outsiders(view, query) {
  // Nobody comes into a conversation by being named.
  if (view.state?.kind === "support") return [];
  const { room } = view.log;
  const fields = { text: query, limit: MOST };
  const { people } = await view.app.connection.request("person.find", fields).catch(() => ({ people: [] }));
  const others = people.filter(
    (/** @type {Person} */ person) => !room.members.has(person.id) && qualityOf(query, person.name) > 0,
  );
  // Of a large room not all members are at hand.
  const note = room.membersMore === null ? t("notInRoom") : "";
  return others.map((/** @type {Person} */ person) => suggested(person, note, note !== ""));
}

/**
 * @param {string} query
 * @param {string} name
 * @returns {number} 0 if it is not meant
 */
function qualityOf(query, name) {
  const quality = match(query, name)?.quality ?? 0;
  // After a space only who is named in this order is meant, or any sentence would find somebody.
  if (query.includes(" ")) return fold(name).startsWith(fold(query)) ? START : 0;
  return quality >= WORD ? quality : 0;
}

/**
 * @param {Person} person
 * @param {string} note
 * @returns {Suggestion}
 */
function suggested(person, note, outside = false) {
  const line = html`<span class=${outside ? "suggested outside" : "suggested"}>
    ${avatar(person, "small")}<bdi class="suggested-name">${person.name}</bdi>
    ${note ? html`<span class="suggested-note">${note}</span>` : nothing}
  </span>`;
  return { key: person.id, insert: `@${person.name} `, line };
}

/**
 * Emoji that are found by what follows a colon.
 *
 * @param {string} query
 * @returns {Promise<Suggestion[]>}
 */
export async function emojiFor(query) {
  const groups = await allEmoji();
  return find(groups, query, MOST).map((emoji) => {
    const text = toned(emoji, myTone());
    const code = emoji.codes[0];
    const line = html`<span class="suggested">
      <span class="suggested-emoji" aria-hidden="true">${text}</span>
      <span class="suggested-name">${emoji.name}</span>
      ${code ? html`<span class="suggested-note">:${code}:</span>` : nothing}
    </span>`;
    return { key: text, insert: text, emoji: text, line };
  });
}
