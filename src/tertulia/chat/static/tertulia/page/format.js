import { spoken, t } from "./i18n.js";

const DAY = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} making one is dear, using it is cheap */
const formats = new Map();

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const key = spoken() + JSON.stringify(options);
  const made = formats.get(key) ?? new Intl.DateTimeFormat(spoken(), options);
  formats.set(key, made);
  return made;
}

/** @param {Date} date */
export function time(date) {
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

/** @param {Date} date */
export function dateAndTime(date) {
  return format({ dateStyle: "full", timeStyle: "short" }).format(date);
}

/**
 * The day of a date where the reader is: equal for two dates of one day.
 *
 * @param {Date} date
 */
export function dayOf(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * @param {Date} date
 * @param {Date} [now]
 */
export function day(date, now = new Date()) {
  // Days are 23 to 25 hours long where clocks are put forward and back.
  const ago = Math.round((dayOf(now) - dayOf(date)) / DAY);
  if (ago === 0) return t("today");
  if (ago === 1) return t("yesterday");
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return format({ weekday: "long", day: "numeric", month: "long", year }).format(date);
}

/** @param {string[]} words */
export function list(words) {
  return new Intl.ListFormat(spoken(), { type: "conjunction" }).format(words);
}

/**
 * Letters as a person counts them for a limit: code points, as the server does.
 *
 * @param {string} text
 */
export function codePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * The beginning of a text, on one line.
 *
 * @param {string} text
 */
export function excerpt(text, length = 140) {
  const line = text.replace(/\s+/g, " ").trim();
  const points = [...line.slice(0, (length + 1) * 2)];
  return points.length > length ? `${points.slice(0, length).join("")}…` : line;
}
