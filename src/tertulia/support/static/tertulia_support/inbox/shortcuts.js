import { isWriting } from "#page/dom.js";
import { t } from "#page/i18n.js";
import { loaded } from "#page/notices.js";

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
  if (shiftKey) return null;
  if (key === "j" || key === "k") return () => goAlong(desk, key === "k" ? -1 : 1);
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
    "/": () => view.answer.switchTo("reply"),
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
  const list = desk.conversations.list;
  if (list.length === 0) return;
  const present = list.findIndex(({ room }) => room === desk.view.peek()?.slug);
  const next = present < 0 ? (way > 0 ? 0 : list.length - 1) : (present + way + list.length) % list.length;
  desk.goTo(list[next].room);
  document.querySelector(`.row[data-room="${CSS.escape(list[next].room)}"]`)?.scrollIntoView({ block: "nearest" });
}

async function showKeys() {
  const keys = await loaded(import("#page/keys.js"));
  if (!keys) return;
  const { ALT, COMMAND, enter, shift } = keys;
  await keys.showKeys([
    [t("keysAnywhere"), [
      [[[ALT, "↑"], ["↓"]], t("keyNextConversation")],
      [[["J"], ["K"]], t("keyNextConversation")],
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
