import { isWriting } from "#page/dom.js";
import { t } from "#page/i18n.js";
import { soon } from "#page/live.js";
import { loaded } from "#page/notices.js";
import { placePath } from "./place.js";
import { focusSearch } from "./results.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * The keys that work wherever the keyboard is; letters only where nothing is written.
 *
 * @param {Desk} desk
 */
export function listenToKeys(desk) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const act = actOf(desk, event);
    if (act === null) return;
    event.preventDefault();
    act();
  });
}

/**
 * @param {Desk} desk
 * @param {KeyboardEvent} event
 * @returns {(() => void) | null}
 */
function actOf(desk, event) {
  const { key, altKey, shiftKey } = event;
  const command = event.ctrlKey || event.metaKey;
  if (document.querySelector("dialog[open], :popover-open")) return null;
  const view = desk.view.peek();
  if (altKey && !command && (key === "ArrowUp" || key === "ArrowDown")) return () => goAlong(desk, key === "ArrowUp" ? -1 : 1);
  if (command && !altKey && key === "/" && view?.mayWrite) return () => view.answer.toggle();
  if (command && key === "Enter" && view?.guard.waits) return () => view.guard.insist();
  if (altKey || command) return null;
  if (key === "Escape" && desk.detailsOpen.peek() && document.activeElement?.closest("#details")) return () => desk.toggleDetails(false);
  if (isWriting(event.target)) return null;
  if (key === "?") return () => void showKeys();
  // Where it needs Shift, as on a Spanish keyboard, too.
  if (key === "/") return () => search(desk);
  if (shiftKey) return null;
  if (key === "j" || key === "k") return () => readAlong(desk, key === "k" ? -1 : 1);
  return view?.mayWrite && view.state ? commandOf(desk, view, key) : null;
}

/**
 * @param {Desk} desk
 * @param {import("./conversation-view.js").ConversationView} view
 * @param {string} key
 * @returns {(() => void) | null}
 */
function commandOf(desk, view, key) {
  const button = (/** @type {string} */ name) => document.getElementById(`${name}-button`) ?? document.body;
  const act = (/** @type {(actions: typeof import("./actions.js")) => any} */ what) => async () => {
    const actions = await loaded(import("./actions.js"));
    if (actions) await what(actions);
  };
  /** @type {Record<string, () => void>} */
  const commands = {
    r: () => view.answer.switchTo("reply"),
    n: () => view.answer.switchTo("note"),
    t: act((actions) => actions.take(view)),
    a: act((actions) => actions.assign(view, shown(button("assign"), button("more")))),
    z: act((actions) => actions.snooze(view, shown(button("snooze"), button("more")))),
    e: act((actions) => actions.resolveOrReopen(view)),
    d: () => desk.toggleDetails(!desk.detailsOpen.peek()),
  };
  return Object.hasOwn(commands, key) ? commands[key] : null;
}

/**
 * @param {HTMLElement} button
 * @param {HTMLElement} other where that is not shown on a narrow screen
 */
function shown(button, other) {
  return button.getClientRects().length > 0 ? button : other;
}

/**
 * To the conversation above or below the present one, as they stand in the list.
 *
 * @param {Desk} desk
 * @param {-1 | 1} way
 */
function goAlong(desk, way) {
  const list = shownPlaces(desk);
  if (list.length === 0) return;
  const present = list.findIndex(({ room }) => room === desk.view.peek()?.slug);
  const next = present < 0 ? (way > 0 ? 0 : list.length - 1) : (present + way + list.length) % list.length;
  const { room, path } = list[next];
  desk.go(path);
  document.querySelector(`.row[data-room="${CSS.escape(room)}"]`)?.scrollIntoView({ block: "nearest" });
}

/**
 * The same by letters, which are not to be written to somebody: the keyboard stays out of the field.
 *
 * @param {Desk} desk
 * @param {-1 | 1} way
 */
function readAlong(desk, way) {
  goAlong(desk, way);
  desk.view.peek()?.onlyRead();
}

/** What the list shows, or the search. @param {Desk} desk */
function shownPlaces({ home, search: { active, results }, conversations }) {
  if (!active) return conversations.list.map(({ room }) => ({ room, path: placePath(home, room) }));
  return results.map(({ conversation: { room }, found }) => ({ room, path: placePath(home, room, found) }));
}

/** On a narrow screen the list comes first. @param {Desk} desk */
function search(desk) {
  const field = document.getElementById("search-field");
  if (field && field.getClientRects().length === 0) desk.go(desk.home);
  soon(focusSearch);
}

async function showKeys() {
  const keys = await loaded(import("#page/keys.js"));
  if (!keys) return;
  const { ALT, COMMAND, enter, shift } = keys;
  await keys.showKeys([
    [t("keysAnywhere"), [
      [[[ALT, "↑"], ["↓"]], t("keyNextConversation")],
      [[["K"], ["J"]], t("keyNextConversation")],
      [[["/"]], t("searchConversations")],
      [[["?"]], t("keyShow")],
    ]],
    [t("keysConversation"), [
      [[["R"]], t("mode.replyTitle")],
      [[["N"]], t("mode.noteTitle")],
      [[["T"]], t("take")],
      [[["A"]], t("assign")],
      [[["Z"]], t("snooze")],
      [[["E"]], t("keyResolve")],
      [[["D"]], t("visitor")],
    ]],
    [t("keysWriting"), [
      [[[enter()]], t("send")],
      [[[shift(), enter()]], t("keyBreak")],
      [[[COMMAND, "/"]], t("keyMode")],
      [[["/"]], t("cannedReplies")],
      [[["↑"]], t("keyEditLast")],
      [[[":"]], t("keyEmoji")],
      [[["Esc"]], t("keyToLog")],
    ]],
  ]);
}
