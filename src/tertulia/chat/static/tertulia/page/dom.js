export { html, nothing, render, svg } from "#lit-html";

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

/** Whether the keyboard writes somewhere, so that letters are no commands. */
export function isWriting(/** @type {EventTarget | null} */ target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
