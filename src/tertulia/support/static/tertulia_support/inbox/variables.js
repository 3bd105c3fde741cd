/**
 * Answers that are ready: how they are asked for, found and filled. Nothing of the page is known here.
 *
 * @typedef {{shortcut: string, text: string}} Reply
 */

/** At the beginning, or after a space: a path or a date is none. */
const SHORTCUT = /(?<![^\s])\/([\p{L}\p{N}\p{M}_-]*)$/u;
const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;
const MADE = /^visitor-[0-9a-f]{6}$/;
/** Stands where nothing is to stand, until it is known what goes with it. */
const GAP = "\u0000";
const AT_START = /^\0[,;:]?[ \t]*(\p{L}?)/gmu;
const AT_END = /,?[ \t]*\0(?=[.,;:!?…]|[ \t]*$)/gm;
const BETWEEN = /[ \t]*\0/g;

/**
 * @param {string} before the text up to the caret
 * @returns {{kind: "further", from: number, query: string, closed: boolean} | null}
 */
export function trigger(before) {
  const found = SHORTCUT.exec(before);
  return found && { kind: "further", from: found.index, query: found[1], closed: false };
}

/**
 * Those that are meant: by their shortcut, then by a word in it or in the text.
 *
 * @template {Reply} R
 * @param {R[]} replies
 * @param {string} query
 * @param {number} most
 * @returns {R[]}
 */
export function find(replies, query, most) {
  const wanted = fold(query);
  const quality = (/** @type {R} */ { shortcut, text }) => {
    if (fold(shortcut).startsWith(wanted)) return 3;
    if (fold(shortcut).includes(wanted)) return 2;
    return ` ${fold(text)}`.includes(` ${wanted}`) ? 1 : 0;
  };
  const found = replies.map((reply) => ({ reply, quality: quality(reply) })).filter((each) => each.quality > 0);
  found.sort((a, b) => b.quality - a.quality || a.reply.shortcut.localeCompare(b.reply.shortcut));
  return found.slice(0, most).map(({ reply }) => reply);
}

/** @param {string} text without the differences that nobody types */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * Put values into a text. A variable that is not known stays, so that it is seen; over one whose
 * value is empty the sentence closes.
 *
 * @param {string} text
 * @param {Record<string, string>} values
 */
export function filled(text, values) {
  return text
    .replace(VARIABLE, (whole, name) => (Object.hasOwn(values, name) ? values[name] || GAP : whole))
    .replace(AT_START, (_, letter) => letter.toLocaleUpperCase())
    .replace(AT_END, "")
    .replace(BETWEEN, "");
}

/**
 * The name that a visitor has: "" where the server has made it, for somebody of whom none is known.
 * Without what would be Markdown in an answer: he has chosen it perhaps, and it is said in another's name.
 *
 * @param {string} name
 */
export function ownName(name) {
  return MADE.test(name) ? "" : name.replace(/[[\]<>`*_~|\\]/g, "");
}
