import { spoken } from "../i18n.js";
import { fold } from "../match.js";

/**
 * @typedef {object} Emoji
 * @property {string} text the emoji itself, in no skin tone
 * @property {string} name in the language of the page
 * @property {string[]} codes short codes without colons, the best known first
 * @property {0 | 1 | 2} tones how a skin tone is put in; 0 if it comes in none
 * @property {[string, number][]} terms folded, what it is found by and how good that is
 * @property {Set<string>} full what it may be called between two colons
 * @typedef {{name: string, emoji: Emoji[]}} Group
 * @typedef {{groups: string[], emoji: any[][][]}} File see tools/emoji.py
 */

const FILES = new URL("../../vendor/emoji/", import.meta.url);
const JOINER = "\u200d";

/** How good a finding is: the whole of a code or name, and beginnings of these. */
const EXACT = 100;
/** Codes are English, and worth less where another language is spoken. */
const CODE = { en: 6, es: 4 };
const NAME = 5;
const NAME_WORD = 4;
const SEARCH_WORD = 2;
/** What a term of the language that the page does not speak is worth less. */
const FOREIGN = 1;

/** @type {Promise<Group[]> | null} */
let loading = null;

/**
 * All emoji by groups, fetched when they are first wanted.
 *
 * @returns {Promise<Group[]>}
 */
export function allEmoji() {
  loading ??= Promise.all([fetched("en"), fetched("es")]).then(([english, spanish]) =>
    prepare(english, spanish, spoken()),
  );
  // What failed is tried again the next time.
  loading.catch(() => (loading = null));
  return loading;
}

/**
 * @param {string} language
 * @returns {Promise<File>}
 */
async function fetched(language) {
  const response = await fetch(new URL(`${language}.json`, FILES));
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return response.json();
}

/**
 * Both files as one list: everything is found by either language.
 *
 * @param {File} english
 * @param {File} spanish
 * @param {string} language of the names
 * @returns {Group[]}
 */
export function prepare(english, spanish, language) {
  const native = language === "es" ? spanish : english;
  const codeRank = CODE[language === "es" ? "es" : "en"];
  return native.groups.map((name, group) => ({
    name,
    emoji: english.emoji[group].map(([text, label, codes, words, tones = 0], i) => {
      const [other, otherWords] = spanish.emoji[group][i];
      const names = language === "es" ? [other, label] : [label, other];
      const found = language === "es" ? [otherWords, words] : [words, otherWords];
      return { ...entry(text, names, codes.split(" ").filter(Boolean), found, codeRank), tones };
    }),
  }));
}

/**
 * @param {string} text
 * @param {string[]} names of the page's language and of the other one
 * @param {string[]} codes
 * @param {string[]} words in the languages of the names
 * @param {number} codeRank
 * @returns {Omit<Emoji, "tones">}
 */
function entry(text, names, codes, words, codeRank) {
  /** @type {[string, number][]} */
  const terms = codes.map((code) => [fold(code), codeRank]);
  names.forEach((name, i) => {
    const parts = split(name);
    terms.push([parts.join("_"), NAME - i * FOREIGN]);
    for (const part of parts.slice(1)) terms.push([part, NAME_WORD - i * FOREIGN]);
    for (const word of split(words[i])) terms.push([word, SEARCH_WORD - i * FOREIGN]);
  });
  const called = names.map((name) => split(name).join("_"));
  return { text, name: names[0], codes, terms, full: new Set([...codes.map(fold), ...called]) };
}

/** @param {string} text */
function split(text) {
  return fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

/**
 * What somebody means who typed `query`, the best first.
 *
 * @param {Group[]} groups
 * @param {string} query words with spaces or underscores between them
 * @param {number} [limit]
 */
export function find(groups, query, limit = Infinity) {
  const whole = fold(query.trim()).replace(/[\s_]+/g, "_");
  if (!whole) return [];
  const parts = whole.split("_").filter(Boolean);
  const found = [];
  for (const { emoji } of groups) {
    for (const each of emoji) {
      const rank = each.full.has(whole)
        ? EXACT + Number(each.codes[0] === whole)
        : rankOf(each, whole) || Math.min(...parts.map((part) => rankOf(each, part)));
      if (rank > 0) found.push({ each, rank });
    }
  }
  // Sorting keeps the order of the groups among equals.
  return found.sort((a, b) => b.rank - a.rank).slice(0, limit).map(({ each }) => each);
}

/**
 * @param {Emoji} emoji
 * @param {string} beginning
 */
function rankOf(emoji, beginning) {
  let best = 0;
  for (const [term, rank] of emoji.terms) if (rank > best && term.startsWith(beginning)) best = rank;
  return best;
}

/**
 * The emoji that is called so, whole: `tada`, `party_popper`, `cañón_de_confeti`.
 *
 * @param {Group[]} groups
 * @param {string} called
 * @returns {Emoji | null}
 */
export function named(groups, called) {
  const [first] = find(groups, called, 1);
  return first?.full.has(fold(called)) ? first : null;
}

/**
 * An emoji in a skin tone; one that comes in none stays as it is.
 *
 * @param {Emoji} emoji
 * @param {number} tone 0 for none, else 1 (light) to 5 (dark)
 */
export function toned({ text, tones }, tone) {
  if (!tones || !tone) return text;
  const colour = String.fromCodePoint(0x1f3fa + tone);
  const parts = text.split(JOINER);
  const last = parts.length - 1;
  return parts
    .map((part, i) => (i === 0 || (tones === 2 && i === last) ? coloured(part, colour) : part))
    .join(JOINER);
}

/**
 * @param {string} part
 * @param {string} colour
 */
function coloured(part, colour) {
  const [first, ...rest] = part;
  if (rest[0] === "\ufe0f") rest.shift();
  return first + colour + rest.join("");
}
