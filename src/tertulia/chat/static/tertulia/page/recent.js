/** How many rooms are remembered. */
const MOST = 50;

/**
 * The rooms that I was in last, in this browser: the present one first.
 *
 * @param {string} me my id
 * @returns {string[]} slugs
 */
export function recentRooms(me) {
  try {
    const kept = JSON.parse(localStorage.getItem(name(me)) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    // The browser forbids it, or something else wrote there.
    return [];
  }
}

/**
 * @param {string} me my id
 * @param {string} slug of the room that I am in now
 */
export function rememberRoom(me, slug) {
  const others = recentRooms(me).filter((each) => each !== slug);
  try {
    localStorage.setItem(name(me), JSON.stringify([slug, ...others].slice(0, MOST)));
  } catch {
    // Forbidden, or full: the switcher then goes by names alone.
  }
}

/** @param {string} me */
function name(me) {
  return `tertulia:recent:${me}`;
}
