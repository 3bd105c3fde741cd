/**
 * The keyboard is never nowhere: where the element that has it is taken out of the page, by what
 * somebody else did or by what it did itself, the nearest one around it that can have it gets it.
 */
export function keepFocus() {
  /** What has the keyboard, and all that is around it. @type {Element[]} */
  let path = [];
  document.addEventListener("focusin", ({ target }) => {
    path = around(/** @type {Element} */ (target));
  });
  // Browsers differ in whether they tell of this for an element that is removed.
  document.addEventListener("focusout", ({ target }) => {
    queueMicrotask(() => {
      const left = /** @type {Element} */ (target).isConnected && document.activeElement === document.body;
      if (left) path = [];
    });
  });
  const observer = new MutationObserver(() => {
    if (document.activeElement !== document.body || path.length === 0 || path[0].isConnected) return;
    const next = path.find((each) => each.isConnected && each.hasAttribute("tabindex"));
    path = [];
    const place = next ?? document.getElementById("main");
    /** @type {HTMLElement | null} */ (place)?.focus({ preventScroll: true });
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

/** @param {Element} element */
function around(element) {
  const path = [];
  for (let each = /** @type {Element | null} */ (element); each; each = each.parentElement) path.push(each);
  return path;
}
