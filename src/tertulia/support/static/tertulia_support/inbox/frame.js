import { untracked } from "#signals";
import { t } from "#page/i18n.js";
import { live, paint } from "#page/live.js";
import { loaded } from "#page/notices.js";
import { StatusLine } from "#page/status.js";
import { ConversationPart } from "./conversation-part.js";
import { Idle } from "./idle.js";
import { ListPart } from "./list.js";

/** @typedef {import("./desk.js").Desk} Desk */

/**
 * Put the parts into the landmarks that the server wrote, and keep the right ones there.
 *
 * @param {Desk} desk
 */
export function fillFrame(desk) {
  byId("sidebar").setAttribute("aria-label", t("conversations"));
  byId("details").setAttribute("aria-label", t("visitor"));
  byId("status").replaceChildren(new StatusLine(/** @type {any} */ (desk)));
  byId("sidebar").replaceChildren(new ListPart(desk));
  paint(() => showMain(desk));
  paint(() => void showDetails(desk));
  paint(() => showTitle(desk));
}

/** @param {Desk} desk */
function showMain(desk) {
  const view = desk.view.value;
  byId("app").dataset.part = view === null ? "list" : "conversation";
  // What is read while a part is made is the part's own concern.
  untracked(() => byId("main").replaceChildren(view === null ? new Idle(desk) : new ConversationPart(view)));
}

/** What stands beside the conversation. @type {import("./visitor.js").VisitorPart | null} */
let shown = null;

/** @param {Desk} desk */
async function showDetails(desk) {
  const view = desk.view.value;
  const open = view !== null && desk.detailsOpen.value && view.phase !== "refused";
  const panel = byId("details");
  byId("app").classList.toggle("with-details", open);
  panel.hidden = !open;
  if (open && shown?.isConnected && shown.view === view) return;
  panel.replaceChildren();
  if (!open) return;
  const module = await loaded(import("./visitor.js"));
  // What could not be fetched leaves no empty panel, and is asked for again by the same button.
  if (!module) desk.detailsOpen.value = false;
  const still = desk.view.peek() === view && desk.detailsOpen.peek() && !panel.hasChildNodes();
  if (!module || !still) return;
  shown = new module.VisitorPart(view);
  panel.replaceChildren(shown);
}

/** @param {Desk} desk */
function showTitle(desk) {
  const waiting = live(desk.inboxes).count(null, "waiting") ?? 0;
  const count = waiting > 0 ? `(${waiting}) ` : "";
  const name = desk.view.value ? `${desk.view.value.title} · ` : "";
  const title = `${count}${name}${t("inbox")} · Tertulia`;
  if (document.title !== title) document.title = title;
  const link = document.querySelector('link[rel="icon"]');
  const href = link?.getAttribute("href") ?? "";
  const next = href.replace(/icon(-unread)?\.svg/, waiting > 0 ? "icon-unread.svg" : "icon.svg");
  if (next !== href) link?.setAttribute("href", next);
}

/** @param {string} id of an element that the server wrote */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
