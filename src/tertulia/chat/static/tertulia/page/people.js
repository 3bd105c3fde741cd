import { html } from "./dom.js";
import { list } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

/** How many `tint-…` classes the style sheet has. */
const TINTS = 10;

/**
 * @typedef {import("../sdk/types.js").Person} Person
 * @typedef {import("../sdk/types.js").RoomState} RoomState
 */

/** @param {string} id */
function tint(id) {
  // FNV-1a, whose high bits are mixed well enough for ids that differ in one digit.
  let hash = 0x811c9dc5;
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 16) % TINTS;
}

/** @param {string} name one or two letters, of any script */
export function initials(name) {
  const words = name.split(/[\s._-]+/u).filter(Boolean);
  const letters = words.map((word) => [...word].find((char) => /[\p{L}\p{N}]/u.test(char)) ?? "");
  const shown = letters.filter(Boolean).slice(0, 2);
  return (shown.join("") || [...name][0] || "?").toLocaleUpperCase();
}

/**
 * The picture of a person. It says nothing that the name beside it does not.
 *
 * @param {Person} person
 */
export function avatar(person, size = "") {
  const content = person.avatar
    ? html`<img src=${person.avatar} alt="" />`
    : html`${initials(person.name)}`;
  return html`<span class="avatar ${size} tint-${tint(person.id)}" aria-hidden="true">${content}</span>`;
}

/**
 * @param {RoomState & {people?: Person[]}} room
 * @param {Person[]} [others] the others of a direct room, where the state does not name them
 */
export function roomTitle(room, others = room.people ?? []) {
  if (room.name) return room.name;
  return others.length > 0 ? list(others.map((person) => person.name)) : room.room;
}

/** Beside the name of somebody who is here. */
export function hereDot() {
  return html`<span class="here-dot" title=${t("here")}><span class="sr-only">${t("here")}</span></span>`;
}

/** @param {RoomState} room */
export function kindSign(room) {
  const sign = { public: "hash", private: "lock", direct: "people", support: "buoy" }[room.kind];
  return html`<span class="kind" title=${t(`kind.${room.kind}`)}>${icon(sign ?? "hash")}</span>`;
}
