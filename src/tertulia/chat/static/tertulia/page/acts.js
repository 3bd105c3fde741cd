import { copy } from "./clipboard.js";
import { confirm } from "./dialog.js";
import { t } from "./i18n.js";
import { openMenu } from "./menu.js";
import { loaded } from "./notices.js";
import { roomPath } from "./router.js";

/** What fingers already know; any other emoji is in the picker. */
const PALETTE = ["👍", "❤️", "😂", "🎉", "😮", "✅", "👀"];

/**
 * @typedef {import("../sdk/types.js").Message} Message
 * @typedef {import("./room-view.js").RoomView} RoomView
 */

/**
 * The palette of reactions.
 *
 * @param {RoomView} view
 * @param {Message} message
 * @param {HTMLElement} anchor
 */
export async function react(view, message, anchor) {
  await openMenu(anchor, { label: t("react"), row: reactions(view, message, anchor), items: [] });
}

/**
 * Everything else that may be done with a message.
 *
 * @param {RoomView} view
 * @param {Message} message
 * @param {HTMLElement} anchor
 */
export async function more(view, message, anchor) {
  await openMenu(anchor, { label: t("more"), row: [], items: items(view, message) });
}

/**
 * All of it, under a finger.
 *
 * @param {RoomView} view
 * @param {Message} message
 * @param {HTMLElement} anchor
 */
export async function sheet(view, message, anchor) {
  const reply = { sign: "reply", label: t("reply"), act: () => view.composer.reply(message) };
  const row = reactions(view, message, anchor);
  await openMenu(anchor, { label: t("more"), row, items: [reply, ...items(view, message)] });
}

/**
 * @param {RoomView} view
 * @param {Message} message
 * @param {HTMLElement} anchor
 */
function reactions(view, message, anchor) {
  const known = PALETTE.map((emoji) => ({
    face: emoji,
    label: t("reactWith", { emoji }),
    act: () => toggleReaction(view, message, emoji),
  }));
  const other = async () => {
    const picker = await loaded(import("./emoji/picker.js"));
    const emoji = await picker?.pickEmoji(anchor);
    if (emoji) await toggleReaction(view, message, emoji);
  };
  return [...known, { sign: "plus", label: t("otherEmoji"), act: other }];
}

/**
 * @param {RoomView} view
 * @param {Message} message
 * @returns {import("./menu.js").Item[]}
 */
function items(view, message) {
  const mine = message.author.id === view.app.me.id;
  const edit = { sign: "pencil", label: t("edit"), act: () => view.composer.edit(message) };
  const bin = { sign: "bin", label: t("delete"), danger: true, act: () => remove(view, message) };
  return [
    ...(mine ? [edit] : []),
    { sign: "copy", label: t("copyText"), act: () => copy(message.text, t("textCopied")) },
    { sign: "link", label: t("copyLink"), act: () => copyLink(view, message) },
    ...(mine || view.mayModerate ? [bin] : []),
  ];
}

/**
 * Add a reaction, or take mine back.
 *
 * @param {RoomView} view
 * @param {Message} message as it was when the menu opened
 * @param {string} emoji
 */
async function toggleReaction(view, message, emoji) {
  const present = view.log.window.find(message.seq) ?? message;
  const reaction = present.reactions.find((each) => each.emoji === emoji);
  const type = reaction?.by.includes(view.app.me.id) ? "reaction.remove" : "reaction.add";
  await view.app.act(type, { room: view.slug, seq: message.seq, emoji });
}

/**
 * @param {RoomView} view
 * @param {Message} message
 */
export async function remove(view, message) {
  if (!(await confirm(t("deleteAsk"), t("delete")))) return;
  await view.app.act("message.delete", { room: view.slug, seq: message.seq });
}

/**
 * @param {RoomView} view
 * @param {Message} message
 */
async function copyLink(view, message) {
  const path = roomPath(view.app.home, view.slug, message.seq);
  // Without a secure context there is no clipboard: the address bar has the link then.
  if (!(await copy(new URL(path, location.href).href, t("linkCopied")))) view.app.go(path);
}
