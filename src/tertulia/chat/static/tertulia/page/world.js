import { signal } from "#signals";

/** How often what goes by the clock is painted, in milliseconds. */
const TICK = 500;

/** Whether anybody can see this page. */
export const visible = signal(!document.hidden);

/** Whether the browser knows of a network. */
export const networkUp = signal(navigator.onLine);

document.addEventListener("visibilitychange", () => {
  visible.value = !document.hidden;
});
for (const name of ["online", "offline"]) {
  window.addEventListener(name, () => {
    networkUp.value = navigator.onLine;
  });
}

/** @type {any} */
let timer = null;
// It goes only while somebody looks.
const ticks = signal(0, {
  watched() {
    timer = setInterval(() => {
      ticks.value += 1;
    }, TICK);
  },
  unwatched() {
    clearInterval(timer);
  },
});

/** The time in milliseconds; what was painted with it is painted again while it goes on. */
export function now() {
  void ticks.value;
  return Date.now();
}
