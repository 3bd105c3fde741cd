/**
 * Where a text was matched: pairs of its indices, from and to, in order and apart.
 *
 * @typedef {[number, number][]} Ranges
 * @typedef {{quality: number, ranges: Ranges}} Match `quality` is one of those below
 */

/** How well something matches, the best last. A text is as good as its worst word. */
export const SCATTERED = 1;
export const WITHIN = 2;
export const WORD = 3;
export const START = 4;
export const WHOLE = 5;

/** What accents and Arabic and Hebrew vowel points are when they are taken apart. */
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]/g;
const LETTER = /[\p{L}\p{N}\p{M}]/u;

/** @param {string} text without case and accents */
export function fold(text) {
  return text.normalize("NFD").replace(MARKS, "").toLowerCase();
}

/**
 * Whether a text is what somebody means who typed `query`. Each of its words has to be found:
 * as the beginning of a word, else within one, else as letters that follow each other with
 * others between (“gnl” for “general”).
 *
 * @param {string} query
 * @param {string} text
 * @returns {Match | null} null if it is not
 */
export function match(query, text) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const source = taken(text);
  /** @type {Match} */
  const found = { quality: WHOLE, ranges: [] };
  for (const word of words) {
    const each = place(word, source) ?? scattered(word, source);
    if (each === null) return null;
    found.quality = Math.min(found.quality, each.quality);
    found.ranges.push(...each.ranges);
  }
  const whole = words.join(" ") === source.folded.trim();
  if (!whole) found.quality = Math.min(found.quality, START);
  return { ...found, ranges: joined(found.ranges) };
}

/**
 * A text cut at the ranges, in order: what is marked, and what is between.
 *
 * @param {string} text
 * @param {Ranges} ranges
 * @returns {{text: string, marked: boolean}[]} no piece is empty
 */
export function pieces(text, ranges) {
  const cut = [];
  let end = 0;
  for (const [from, to] of ranges) {
    cut.push({ text: text.slice(end, from), marked: false }, { text: text.slice(from, to), marked: true });
    end = to;
  }
  cut.push({ text: text.slice(end), marked: false });
  return cut.filter((piece) => piece.text);
}

/**
 * A text folded, with the way back: folding may change how many characters there are.
 *
 * @typedef {{folded: string, from: number[], to: number[], starts: boolean[]}} Taken
 *   for each character of `folded` where its source begins and ends, and whether a word
 *   begins there
 * @param {string} text
 * @returns {Taken}
 */
function taken(text) {
  /** @type {Taken} */
  const all = { folded: "", from: [], to: [], starts: [] };
  let inWord = false;
  let at = 0;
  for (const char of text) {
    const end = at + char.length;
    const folded = fold(char);
    const letter = LETTER.test(char);
    for (let i = 0; i < folded.length; i += 1) {
      all.from.push(at);
      all.to.push(end);
      all.starts.push(i === 0 && letter && !inWord);
    }
    // A mark of its own belongs to the letter before it.
    if (folded === "" && all.to.length > 0) all.to[all.to.length - 1] = end;
    all.folded += folded;
    inWord = letter;
    at = end;
  }
  return all;
}

/**
 * @param {string} word
 * @param {Taken} source
 * @returns {Match | null}
 */
function place(word, { folded, from, to, starts }) {
  /** @type {Match | null} */
  let best = null;
  for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + 1)) {
    const quality = at === 0 ? START : starts[at] ? WORD : WITHIN;
    if (best !== null && best.quality >= quality) continue;
    best = { quality, ranges: [[from[at], to[at + word.length - 1]]] };
    if (quality >= WORD) break;
  }
  // What begins the text may as well be all of it.
  return best?.quality === START ? { ...best, quality: WHOLE } : best;
}

/**
 * @param {string} word
 * @param {Taken} source
 * @returns {Match | null}
 */
function scattered(word, { folded, from, to, starts }) {
  /** @type {Ranges} */
  const ranges = [];
  let after = -1;
  for (let i = 0; i < word.length; i += 1) {
    let at = folded.indexOf(word[i], after + 1);
    // The first letter has to begin a word, or nearly everything would match.
    while (i === 0 && at >= 0 && !starts[at]) at = folded.indexOf(word[i], at + 1);
    if (at < 0) return null;
    ranges.push([from[at], to[at]]);
    after = at;
  }
  return word.length > 1 ? { quality: SCATTERED, ranges } : null;
}

/**
 * @param {Ranges} ranges in any order
 * @returns {Ranges}
 */
function joined(ranges) {
  /** @type {Ranges} */
  const all = [];
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = all.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}
