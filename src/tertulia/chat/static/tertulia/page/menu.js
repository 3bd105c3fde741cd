import { element, html, nothing, render } from "./dom.js";
import { icon } from "./icons.js";

/** Between a menu and what it belongs to, and the edge of the window, in pixels. */
const GAP = 8;

/**
 * @typedef {{sign?: string, face?: any, label: string, note?: string, checked?: boolean, danger?: boolean,
 *   act: () => any}} Item `face`: an emoji or a picture in place of a sign; `note`: further words; `checked`: of
 *   several, the one that holds
 * @typedef {{label: string, row: Item[], items: Item[]}} Menu `row`: small ones side by side, on top
 */

/**
 * A menu beside an element; on a narrow screen it comes from below. The keyboard goes to its
 * first item, and back to where it was. Chosen, it closes first and acts then.
 *
 * @param {HTMLElement} anchor
 * @param {Menu} menu
 * @returns {Promise<void>} when it is closed, and what was chosen is done
 */
export function openMenu(anchor, { label, row, items }) {
  const menu = element("div", "popup");
  const before = document.activeElement;
  // Closed by hand: the finger that rested until it opened is still to be lifted.
  menu.popover = "manual";
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", label);
  /** @type {Item | null} */
  let chosen = null;
  // Whoever chose by the pointer writes on next, and not on what the pointer was on.
  let byPointer = false;
  const choose = (/** @type {Item} */ item, /** @type {MouseEvent} */ { detail }) => {
    chosen = item;
    byPointer = detail > 0;
    menu.hidePopover();
  };
  render(html`
    ${row.length ? html`<div class="popup-row" role="group" aria-label=${label}>${row.map((item) => small(item, choose))}</div>` : nothing}
    ${items.map((item) => line(item, choose))}
  `, menu);
  const outside = (/** @type {PointerEvent} */ { target }) => {
    if (!menu.contains(/** @type {Node} */ (target))) menu.hidePopover();
  };
  menu.addEventListener("keydown", keydown);
  document.addEventListener("pointerdown", outside, true);
  // In a landmark, as all that a screen reader is to find by them.
  (document.getElementById("main") ?? document.body).append(menu);
  menu.showPopover();
  place(menu, anchor);
  /** @type {HTMLElement | null} */ (menu.querySelector("button"))?.focus();
  return new Promise((resolve) => {
    menu.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
      document.removeEventListener("pointerdown", outside, true);
      const held = menu.contains(document.activeElement) || document.activeElement === document.body;
      menu.remove();
      if (held && !byPointer && before instanceof HTMLElement) before.focus({ preventScroll: true });
      resolve(chosen?.act());
    });
  });
}

/**
 * @param {Item} item
 * @param {(item: Item, event: MouseEvent) => void} choose
 */
function small(item, choose) {
  return html`<button type="button" role="menuitem" tabindex="-1" aria-label=${item.label} title=${item.label}
    @click=${(/** @type {MouseEvent} */ event) => choose(item, event)}>${item.face ?? icon(item.sign ?? "")}</button>`;
}

/**
 * @param {Item} item
 * @param {(item: Item, event: MouseEvent) => void} choose
 */
function line(item, choose) {
  const { face, sign = "", label, note, checked } = item;
  return html`<button type="button" role=${checked === undefined ? "menuitem" : "menuitemradio"} tabindex="-1"
    aria-checked=${checked === undefined ? nothing : String(checked)} class=${item.danger ? "danger" : ""}
    @click=${(/** @type {MouseEvent} */ event) => choose(item, event)}>${face ?? icon(sign)}${note ? html`<span class="popup-words">${label}<span class="popup-note">${note}</span></span>` : label}</button>`;
}

/** @param {KeyboardEvent} event */
function keydown(event) {
  const menu = /** @type {HTMLElement} */ (event.currentTarget);
  const buttons = [...menu.querySelectorAll("button")];
  const present = buttons.findIndex((button) => button === document.activeElement);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  let next = present + (steps[/** @type {"ArrowDown"} */ (event.key)] ?? 0);
  if (event.key === "Home") next = 0;
  else if (event.key === "End") next = buttons.length - 1;
  else if (event.key === "Tab") menu.hidePopover();
  if (event.key === "Escape") {
    // No other Esc may be meant by it.
    event.stopPropagation();
    menu.hidePopover();
  }
  if (next === present) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[(next + buttons.length) % buttons.length].focus();
}

/**
 * Below the anchor, or above it where there is more room; never beyond the window.
 *
 * @param {HTMLElement} menu
 * @param {HTMLElement} anchor
 */
function place(menu, anchor) {
  if (matchMedia("(max-width: 719.98px)").matches) return;
  const to = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = to.bottom + GAP + height <= innerHeight;
  const top = below ? to.bottom + 4 : Math.max(GAP, to.top - height - 4);
  const left = Math.min(Math.max(GAP, to.right - width), innerWidth - width - GAP);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}
