/** @type {Record<string, string | Record<string, string>>} */
let strings = {};
let language = "en";
/** @type {Intl.PluralRules} */
let plurals = new Intl.PluralRules("en");

/**
 * Take up a language; one that is not there is English.
 *
 * @param {string} wanted as in `<html lang>`
 */
export async function speak(wanted) {
  language = wanted.toLowerCase().startsWith("es") ? "es" : "en";
  const module = await import(`./strings/${language}.js`);
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

/** @param {string | number | undefined} value */
function show(value) {
  return typeof value === "number" ? value.toLocaleString(language) : (value ?? "");
}
