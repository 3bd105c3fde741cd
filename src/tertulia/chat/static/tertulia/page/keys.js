import { ask } from "./dialog.js";
import { html } from "./dom.js";
import { t } from "./i18n.js";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
export const COMMAND = MAC ? "⌘" : "Ctrl";
export const ALT = MAC ? "⌥" : "Alt";

/**
 * What a key does: the keys that are pressed together, or instead of the last one, and the words.
 *
 * @typedef {[string[][], string]} Line
 */

/** @returns {[string, Line[]][]} groups with their titles: the chat's */
function groups() {
  return [
    [t("keysAnywhere"), [
      [[[COMMAND, "K"]], t("switchTo")],
      [[[ALT, "↑"], ["↓"]], t("keyNextRoom")],
      [[[ALT, shift(), "↑"], ["↓"]], t("keyNextUnread")],
      [[["/"]], t("keyWrite")],
      [[["?"]], t("keyShow")],
      [[["Esc"]], t("keyLeave")],
    ]],
    [t("keysWriting"), [
      [[[enter()]], t("send")],
      [[[shift(), enter()]], t("keyBreak")],
      [[["↑"]], t("keyEditLast")],
      [[["@"]], t("keyMention")],
      [[[":"]], t("keyEmoji")],
    ]],
    [t("keysMessages"), [
      [[["↑"], ["↓"]], t("keyNextMessage")],
      [[[t("keyHome")], [t("keyEnd")]], t("keyEnds")],
      [[[enter()]], t("keyActions")],
      [[["R"]], t("reply")],
      [[["E"]], t("edit")],
      [[["+"]], t("react")],
      [[[MAC ? "⌫" : t("keyDelete")]], t("delete")],
    ]],
  ];
}

export function shift() {
  return MAC ? "⇧" : t("keyShift");
}

export function enter() {
  return MAC ? "↩" : t("keyEnter");
}

/**
 * The list of keys, in a dialog.
 *
 * @param {[string, Line[]][]} [lists] those of another page
 */
export function showKeys(lists = groups()) {
  return ask(t("keysTitle"), ({ done }) => html`
    <div class="keys">${lists.map(([title, lines]) => html`<section>
      <h3>${title}</h3>
      <dl>${lines.map(line)}</dl>
    </section>`)}</div>
    <div class="actions"><button type="button" class="button" autofocus @click=${() => done(null)}>${t("close")}</button></div>
  `);
}

/** @param {Line} line */
function line([ways, words]) {
  return html`<div><dt>${words}</dt><dd>${ways.map((keys, i) => html`${i > 0 ? " / " : ""}<span class="key-way">${keys.map((key) => html`<kbd>${key}</kbd>`)}</span>`)}</dd></div>`;
}
