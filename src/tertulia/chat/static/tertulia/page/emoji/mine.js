/** What I chose, kept in this browser: my skin tone, and the emoji that I used last. */

const TONE = "tertulia:emoji:tone";
const RECENT = "tertulia:emoji:recent";

/** How many emoji are remembered. */
export const REMEMBERED = 24;

/** @returns {number} 0 for none, else 1 (light) to 5 (dark) */
export function myTone() {
  const tone = Number(read(TONE));
  return Number.isInteger(tone) && tone >= 0 && tone <= 5 ? tone : 0;
}

/** @param {number} tone */
export function setMyTone(tone) {
  write(TONE, String(tone));
}

/** @returns {string[]} the last one first */
export function recentEmoji() {
  try {
    const kept = JSON.parse(read(RECENT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string").slice(0, REMEMBERED) : [];
  } catch {
    return [];
  }
}

/** @param {string} emoji */
export function rememberEmoji(emoji) {
  const others = recentEmoji().filter((each) => each !== emoji);
  write(RECENT, JSON.stringify([emoji, ...others].slice(0, REMEMBERED)));
}

/** @param {string} name */
function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    // The browser forbids it: nothing is remembered.
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function write(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Forbidden, or full: it is not worth a word.
  }
}
