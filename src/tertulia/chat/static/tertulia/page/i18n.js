/** @type {Record<string, string | Record<string, string>>} */
let strings = {};
let language = "en";
/** @type {Intl.PluralRules} */
let plurals = new Intl.PluralRules("en");

/**
 * Take up a language; one that is not there is English.
 *
 * @param {string} wanted as in `<html lang>`
 * @param {(language: string) => Promise<{default: typeof strings}>} [load] the texts, of a page that
 *   has others than the chat's
 */
export async function speak(wanted, load = (code) => import(`./strings/${code}.js`)) {
  language = wanted.toLowerCase().startsWith("es") ? "es" : "en";
  const module = await load(language);
  strings = module.default;
  plurals = new Intl.PluralRules(language);
}

/** The language of the page, for `Intl`. */
export function spoken() {
  return language;
}

/**
 * A text of the page. `{name}` in it is replaced by the value of that name; one with
 * several forms is chosen by the plural of `n`.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const entry = strings[key] ?? key;
  const text = typeof entry === "string" ? entry : (entry[plurals.select(Number(values.n))] ?? entry.other);
  return (text ?? key).replace(/\{(\w+)\}/g, (_, name) => show(values[name]));
}

/** @param {string} key */
export function known(key) {
  return key in strings;
}

/** Letters written from right to left, and the signs that turn the direction. */
const TURNS = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]|\ud802|\ud803|\ud83a/;

/**
 * A value within a text; one that would turn the text around it is isolated.
 *
 * @param {string | number | undefined} value
 */
function show(value) {
  if (typeof value === "number") return value.toLocaleString(language);
  return value !== undefined && TURNS.test(value) ? `\u2068${value}\u2069` : (value ?? "");
}
