export { html, nothing, render, svg } from "../vendor/lit-html.js";

/**
 * Something that is done once, soon, however often it is asked for. A hidden page is given
 * no frames, but its title still has to change.
 *
 * @param {() => void} act
 * @returns {() => void}
 */
export function soon(act) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    const run = () => {
      asked = false;
      act();
    };
    if (document.hidden) setTimeout(run, 0);
    else requestAnimationFrame(run);
  };
}

/**
 * An element of one's own, to render into.
 *
 * @param {string} tag
 * @param {string} className
 */
export function element(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
