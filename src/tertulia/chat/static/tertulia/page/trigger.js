/**
 * What is being typed that could be completed.
 *
 * @typedef {object} Trigger
 * @property {"person" | "emoji" | "further"} kind `further`: what only some rooms have
 * @property {number} from where its sign, such as `@` or `:`, stands
 * @property {string} query what follows the sign, up to the caret
 * @property {boolean} closed whether the second colon of a short code has just been typed
 */

/** Neither within a word nor in an address, a path or a time. */
const BEFORE = String.raw`(?<![\p{L}\p{N}_@:/.\\])`;
/** Names may hold up to five words; after a space a further one has to be begun. */
const PERSON = new RegExp(`${BEFORE}@((?:[\\p{L}\\p{N}\\p{M}_.+\\-'’]+(?: [\\p{L}\\p{N}\\p{M}_.+\\-'’]+){0,4})?)$`, "u");
/** A letter first, or a sign of `+1` and `-1`: `:)`, `:-D` and `:/` are no beginnings. */
const EMOJI = new RegExp(`${BEFORE}:([\\p{L}\\p{N}+][\\p{L}\\p{N}\\p{M}_+\\-]+|-1)(:?)$`, "u");

/**
 * @param {string} before the text up to the caret
 * @returns {Trigger | null}
 */
export function trigger(before) {
  const person = PERSON.exec(before);
  const found = person ?? EMOJI.exec(before);
  if (found === null || inCode(before)) return null;
  return {
    kind: person ? "person" : "emoji",
    from: found.index,
    query: found[1],
    closed: found[2] === ":",
  };
}

/**
 * Whether a text ends in code: a fenced or indented block, or a span that is still open.
 *
 * @param {string} text
 */
export function inCode(text) {
  /** @type {string | null} the fence of the block that is open */
  let fence = null;
  /** @type {string[]} the lines of the last paragraph */
  let paragraph = [];
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence) && !line.slice(line.indexOf(mark) + mark.length).trim()) fence = null;
    } else if (mark) fence = mark;
    if (mark || fence !== null || !line.trim()) paragraph = [];
    else paragraph.push(line);
  }
  if (fence !== null) return true;
  const indented = paragraph.length === 1 && /^(?: {4}|\t)/.test(paragraph[0]);
  return indented || openSpan(paragraph.join("\n"));
}

/** @param {string} text whether a run of backticks in it has no partner of its length yet */
function openSpan(text) {
  let open = 0;
  for (const [run] of text.matchAll(/`+/g)) {
    if (open === 0) open = run.length;
    else if (open === run.length) open = 0;
  }
  return open > 0;
}
