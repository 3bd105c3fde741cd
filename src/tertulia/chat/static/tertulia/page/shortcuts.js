import { isWriting } from "./dom.js";
import { loaded } from "./notices.js";
import { inOrder } from "./order.js";

/** @typedef {import("./app.js").App} App */

/**
 * The keys that work wherever the keyboard is.
 *
 * @param {App} app
 */
export function listenToKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const act = actOf(app, event);
    if (act === null) {
      if (isWords(app, event)) app.view.peek()?.composer.focus();
      return;
    }
    event.preventDefault();
    act();
  });
}

/**
 * Whether somebody writes where nothing can be written: the letter goes into the composer, which
 * has the keyboard before the browser acts on the key.
 *
 * @param {App} app
 * @param {KeyboardEvent} event
 */
function isWords(app, { key, target, ctrlKey, metaKey, altKey }) {
  const letter = [...key].length === 1 && key !== " " && !ctrlKey && !metaKey && !altKey;
  if (!letter || isWriting(target) || !app.view.peek()?.mayWrite) return false;
  // On a message that the keyboard came to, letters are commands.
  if (target instanceof Element && target.matches("article :focus-visible, article:focus-visible")) return false;
  return document.querySelector("dialog[open], :popover-open") === null;
}

/**
 * @param {App} app
 * @param {KeyboardEvent} event
 * @returns {(() => void) | null}
 */
function actOf(app, event) {
  const { key, altKey, shiftKey } = event;
  const command = event.ctrlKey || event.metaKey;
  if (command && !altKey && !shiftKey && key.toLowerCase() === "k") return () => void app.openSwitcher();
  if (document.querySelector("dialog[open]")) return null;
  if (altKey && !command && (key === "ArrowUp" || key === "ArrowDown")) {
    return () => goAlong(app, key === "ArrowUp" ? -1 : 1, shiftKey);
  }
  if (altKey || command) return null;
  const view = app.view.peek();
  if (key === "Escape" && view?.detailsOpen.peek()) return () => view.toggleDetails(false);
  if (isWriting(event.target)) return null;
  if (key === "/" && view?.mayWrite) return () => view.composer.focus();
  if (key === "?") return () => void showKeys();
  return null;
}

export async function showKeys() {
  (await loaded(import("./keys.js")))?.showKeys();
}

/**
 * To the room above or below the present one, as they stand in the list; past its end it
 * begins anew.
 *
 * @param {App} app
 * @param {-1 | 1} way
 * @param {boolean} unread only to one with something unread
 */
function goAlong(app, way, unread) {
  const rooms = inOrder(app.rooms.all, app.kept);
  const present = rooms.findIndex((room) => room.room === app.view.peek()?.slug);
  const start = present < 0 && way < 0 ? 0 : present;
  for (let step = 1; step <= rooms.length; step += 1) {
    const room = rooms[(start + way * step + rooms.length * 2) % rooms.length];
    if (!unread || room.unread > 0) {
      app.goTo(room.room);
      return;
    }
  }
}
