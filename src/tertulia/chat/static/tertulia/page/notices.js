import { Disconnected, Refusal } from "#sdk";
import { element } from "./dom.js";
import { known, t } from "./i18n.js";

const SHOWN_FOR = 6_000;

/**
 * Say something for some seconds, to a screen reader too.
 *
 * @param {string} text
 */
export function notify(text) {
  const notice = element("div", "notice");
  notice.textContent = text;
  document.getElementById("notices")?.append(notice);
  setTimeout(() => notice.remove(), SHOWN_FOR);
}

/**
 * @param {string} code of a refusal
 * @param {string} [detail] the server's own words, where the page has none
 */
export function reason(code, detail = code) {
  return known(`error.${code}`) ? t(`error.${code}`) : detail;
}

/**
 * Why something was not done, in words.
 *
 * @param {unknown} error
 */
export function explain(error) {
  if (error instanceof Disconnected) return reason("disconnected");
  if (!(error instanceof Refusal)) throw error;
  // The server says exactly what is wrong with a value, the page only that something is.
  return error.code === "invalid" ? error.message : reason(error.code, error.message);
}

/**
 * Do something that the server may refuse, and say so if it does.
 *
 * @template T
 * @param {Promise<T>} act
 * @returns {Promise<T | null>} null when it was refused
 */
export async function attempt(act) {
  try {
    return await act;
  } catch (error) {
    notify(explain(error));
    return null;
  }
}

/**
 * A module that is loaded when it is first used: `await loaded(import("./create.js"))`.
 *
 * @template T
 * @param {Promise<T>} module
 * @returns {Promise<T | null>} null where it could not be had, which is said: there is no
 *   connection, or the server has another version than this page by now
 */
export async function loaded(module) {
  try {
    return await module;
  } catch (error) {
    // What browsers throw when a module cannot be fetched or does not fit the others; a fault in
    // a module is of another kind.
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    notify(t("notLoaded"));
    return null;
  }
}
