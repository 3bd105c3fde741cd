import { FILTERS } from "./filters.js";

/**
 * The list that I looked at last, in this browser.
 *
 * @typedef {{filter: import("./filters.js").Filter, inbox: string | null}} Choice
 */

/**
 * @param {string} me my id
 * @returns {Choice}
 */
export function keptChoice(me) {
  try {
    const { filter, inbox } = JSON.parse(localStorage.getItem(name(me)) ?? "{}");
    return { filter: FILTERS.includes(filter) ? filter : "unassigned", inbox: typeof inbox === "string" ? inbox : null };
  } catch {
    // The browser forbids it, or something else wrote there.
    return { filter: "unassigned", inbox: null };
  }
}

/**
 * @param {string} me my id
 * @param {Choice} choice
 */
export function keepChoice(me, choice) {
  try {
    localStorage.setItem(name(me), JSON.stringify(choice));
  } catch {
    // Forbidden, or full.
  }
}

/** @param {string} me */
function name(me) {
  return `tertulia:inbox:${me}`;
}
