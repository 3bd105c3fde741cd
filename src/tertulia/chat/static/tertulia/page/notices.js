import { Disconnected, Refusal } from "../sdk/index.js";
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
