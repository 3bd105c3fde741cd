import { copy } from "./clipboard.js";
import { element, render } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

/**
 * Give each block of code in a message a button that copies it. The tab key finds the buttons
 * once the keyboard is in the message, and not before: there may be hundreds in the log.
 *
 * @param {HTMLElement} article
 */
export function offerCopy(article) {
  for (const pre of article.querySelectorAll(".text pre")) {
    if (pre.parentElement?.className === "code") continue;
    const block = element("div", "code");
    pre.replaceWith(block);
    block.append(pre, button(pre));
  }
  // The same functions again are no second listeners.
  article.addEventListener("focusin", entered);
  article.addEventListener("focusout", left);
}

/** @param {Element} pre */
function button(pre) {
  const made = /** @type {HTMLButtonElement} */ (element("button", "icon-button copy"));
  made.type = "button";
  made.tabIndex = -1;
  made.title = t("copyCode");
  made.setAttribute("aria-label", t("copyCode"));
  made.addEventListener("click", () => void copy(pre.textContent ?? "", t("codeCopied")));
  render(icon("copy"), made);
  return made;
}

/** @param {FocusEvent} event */
function entered({ currentTarget }) {
  reach(currentTarget, 0);
}

/** @param {FocusEvent} event */
function left({ currentTarget, relatedTarget }) {
  const article = /** @type {HTMLElement} */ (currentTarget);
  if (!article.contains(/** @type {Node | null} */ (relatedTarget))) reach(article, -1);
}

/**
 * @param {EventTarget | null} article
 * @param {number} tabIndex
 */
function reach(article, tabIndex) {
  const buttons = /** @type {HTMLElement} */ (article).querySelectorAll(".copy");
  for (const each of buttons) /** @type {HTMLElement} */ (each).tabIndex = tabIndex;
}
