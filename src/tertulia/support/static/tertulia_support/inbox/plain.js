/** So much is enough for an excerpt, and what follows could take long: a text may be nothing but marks. */
const ENOUGH = 1_000;

const FENCED = /^[ \t]*(`{3,}|~{3,}).*\n([^]*?)(?:\n[ \t]*\1.*$|(?![^]))/gm;
/** What is meant as it stands: after a backslash, and code. */
const VERBATIM = /\\([!-/:-@[-`{-~])|(?<!`)(`+)(?!`)(.*?[^`])\2(?!`)/g;
const ADDRESS = /https?:\/\/[^\s<>]+/g;
const LINK = /\[([^\]\n]+)\]\((?:https?:|mailto:)[^\s)]+\)|<((?:https?:|mailto:)[^\s<>]+)>/gi;
/** Titles, quotations and points; the numbers of others are shown. */
const BLOCKS = /^[ \t]*(?:>[ \t]?|(?:#{1,6}|[-*+])[ \t]+)+/gm;
const EMPHASIS = /(\*{1,3}|~~)(?=[^\s*~])(.*?)(?<=[^\s*~])\1(?!\*)|(?<![\p{L}\p{N}_])(_{1,3})(?=[^\s_])(.*?)(?<=[^\s_])\3(?![\p{L}\p{N}_])/gu;

/**
 * The beginning of a message without the usual marks of Markdown.
 *
 * @param {string} text
 */
export function plain(text) {
  /** @type {string[]} */
  const kept = [];
  const keep = (/** @type {string} */ part) => `\0${kept.push(part) - 1}\0`;
  const open = text
    .slice(0, ENOUGH)
    .replace(FENCED, (_, __, code) => keep(code))
    .replace(VERBATIM, (_, sign, __, code) => keep(sign ?? code))
    .replace(LINK, (_, words, address) => words ?? address)
    .replace(ADDRESS, keep)
    .replace(BLOCKS, "");
  // One may stand in another, and what is kept holds what was kept before it.
  const shown = (/** @type {string} */ words) => words.replace(/\0(\d+)\0/g, (_, n) => shown(kept[n] ?? ""));
  return shown(emphasised(emphasised(open)));
}

/** @param {string} text */
function emphasised(text) {
  return text.replace(EMPHASIS, (_, __, one, ___, other) => one ?? other);
}
