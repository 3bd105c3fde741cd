import { confirm } from "./dialog.js";
import { t } from "./i18n.js";
import { notify } from "./notices.js";
import { roomPath } from "./router.js";

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("./room-view.js").RoomView} RoomView
 */

/**
 * What I may do with a message; null where I may do nothing here.
 *
 * @param {RoomView} view
 * @param {Message} message
 * @param {string} key of its entry
 * @returns {import("./message.js").Tools | null}
 */
export function toolsFor(view, message, key) {
  if (!view.mayWrite) return null;
  const mine = message.author.id === view.app.me.id;
  return {
    mayEdit: mine,
    mayDelete: mine || view.mayModerate,
    reply: () => view.composer.reply(message),
    edit: () => view.composer.edit(message),
    remove: () => remove(view, message),
    pick: () => view.timeline.togglePalette(key),
    react: (emoji) => react(view, message, emoji),
    copyLink: () => copyLink(view, message),
  };
}

/**
 * @param {RoomView} view
 * @param {Message} message
 */
async function remove(view, message) {
  if (!(await confirm(t("deleteAsk"), t("delete")))) return;
  await view.app.act("message.delete", { room: view.slug, seq: message.seq });
}

/**
 * @param {RoomView} view
 * @param {Message} message
 * @param {string} emoji
 */
async function react(view, message, emoji) {
  view.timeline.closePalette();
  const reaction = message.reactions.find((each) => each.emoji === emoji);
  const type = reaction?.by.includes(view.app.me.id) ? "reaction.remove" : "reaction.add";
  await view.app.act(type, { room: view.slug, seq: message.seq, emoji });
}

/**
 * @param {RoomView} view
 * @param {Message} message
 */
async function copyLink(view, message) {
  const path = roomPath(view.app.home, view.slug, message.seq);
  try {
    await navigator.clipboard.writeText(new URL(path, location.href).href);
    notify(t("linkCopied"));
  } catch {
    // Without a secure context there is no clipboard: the address bar has the link then.
    view.app.go(path);
  }
}
