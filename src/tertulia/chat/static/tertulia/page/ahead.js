/** What the first look at a room does without. */
const LATER = [
  () => import("./switcher.js"),
  () => import("./completion.js"),
  () => import("./acts.js"),
  () => import("./details.js"),
];

/**
 * Fetch it when somebody has begun to do something and the browser has nothing better to do:
 * then it opens at once, and without a connection too.
 */
export function fetchAhead() {
  const begun = new AbortController();
  const begin = () => {
    begun.abort();
    idle(() => {
      // What cannot be fetched now is fetched when it is asked for.
      for (const load of LATER) load().catch(() => {});
    });
  };
  for (const sign of ["keydown", "pointerdown"]) addEventListener(sign, begin, { signal: begun.signal });
}

/** @param {() => void} act */
function idle(act) {
  // Not every browser can tell when it is idle.
  if (globalThis.requestIdleCallback) requestIdleCallback(act);
  else setTimeout(act, 1_000);
}
