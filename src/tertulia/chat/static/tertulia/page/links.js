import { samePage } from "./router.js";

/**
 * Links to what this page shows by itself are followed without loading another.
 *
 * @param {{home: string, go: (path: string) => void, route: () => void}} app `route` shows what the
 *   address says
 */
export function followLinks(app) {
  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || !plainClick(event)) return;
    // To a place in this page, such as "Skip to the content": the browser knows the way.
    if (link.hash && link.pathname === location.pathname) return;
    if (samePage(link, app.home)) {
      event.preventDefault();
      if (link.pathname === location.pathname) app.route();
      else app.go(link.pathname);
    } else if (link.origin !== location.origin && link.closest(".text")) {
      // Whoever follows a link in a message keeps the room.
      event.preventDefault();
      window.open(link.href, "_blank", "noopener,noreferrer");
    }
  });
}

/** @param {MouseEvent} event */
function plainClick(event) {
  const { button, metaKey, ctrlKey, shiftKey, altKey, defaultPrevented } = event;
  return button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey && !defaultPrevented;
}
