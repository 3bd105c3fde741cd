import { untracked } from "#signals";
import { Home } from "./home.js";
import { live, paint } from "./live.js";
import { loaded } from "./notices.js";
import { RoomPart } from "./room-part.js";
import { Sidebar } from "./sidebar.js";
import { StatusLine } from "./status.js";

/** @typedef {import("./app.js").App} App */

/**
 * Put the parts into the landmarks that the server wrote, and keep the right ones there; and
 * what the browser shows of the page: its title, its icon.
 *
 * @param {App} app
 */
export function fillFrame(app) {
  byId("status").replaceChildren(new StatusLine(app));
  byId("sidebar").replaceChildren(new Sidebar(app));
  paint(() => showMain(app));
  paint(() => void showDetails(app));
  paint(() => showTitle(app));
}

/** @param {App} app */
function showMain(app) {
  const view = app.view.value;
  byId("app").dataset.part = view === null ? "home" : "room";
  // What is read while a part is made is the part's own concern.
  untracked(() => byId("main").replaceChildren(view === null ? new Home(app) : new RoomPart(view)));
}

/** @param {App} app */
async function showDetails(app) {
  const view = app.view.value;
  const open = view !== null && view.detailsOpen.value && view.phase !== "refused";
  const panel = byId("details");
  byId("app").classList.toggle("with-details", open);
  panel.hidden = !open;
  if (!open) {
    panel.replaceChildren();
    return;
  }
  const details = await loaded(import("./details.js"));
  // What could not be fetched leaves no empty panel, and is asked for again by the same button.
  if (!details) view.toggleDetails(false);
  const still = app.view.peek() === view && view.detailsOpen.peek() && !panel.hasChildNodes();
  if (details && still) panel.replaceChildren(new details.Details(view));
}

/** @param {App} app */
function showTitle(app) {
  const { unread } = live(app.rooms);
  const count = unread > 0 ? `(${unread}) ` : "";
  const name = app.view.value ? `${app.view.value.title} · ` : "";
  const title = `${count}${name}Tertulia`;
  if (document.title !== title) document.title = title;
  const link = document.querySelector('link[rel="icon"]');
  const file = unread > 0 ? "icon-unread.svg" : "icon.svg";
  const href = link?.getAttribute("href")?.replace(/icon(-unread)?\.svg/, file);
  if (href && href !== link?.getAttribute("href")) link?.setAttribute("href", href);
}

/** @param {string} id of an element that the server wrote */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
