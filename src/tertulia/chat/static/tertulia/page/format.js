import { spoken, t } from "./i18n.js";

const DAY = 86_400_000;
/** Where clocks differ, they differ by quarters of an hour. */
const QUARTER = 900_000;

/** @type {string | undefined} undefined: the browser's own */
let timeZone;

/** @type {Map<string, Intl.DateTimeFormat>} making one is dear, using it is cheap */
const formats = new Map();
/** @type {Map<number, number>} quarter of an hour → day */
const days = new Map();

/**
 * Tell times as clocks in this zone do.
 *
 * @param {string} name as in the IANA's list; empty or unknown to the browser: its own zone
 */
export function useTimeZone(name) {
  formats.clear();
  days.clear();
  try {
    new Intl.DateTimeFormat("en", { timeZone: name || undefined });
    timeZone = name || undefined;
  } catch {
    timeZone = undefined;
  }
}

/** The language of the page as it is spoken where the reader is: British, say, and not American. */
function locale() {
  return globalThis.navigator?.languages?.find((each) => each.split("-")[0] === spoken()) ?? spoken();
}

/**
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} [language]
 */
function format(options, language = locale()) {
  const key = language + JSON.stringify(options);
  const made = formats.get(key) ?? new Intl.DateTimeFormat(language, { timeZone, ...options });
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
 * The day of a date where the reader is, counted from 1970: equal for two dates of one day.
 *
 * @param {Date} date
 */
export function dayOf(date) {
  const quarter = Math.floor(date.getTime() / QUARTER);
  let day = days.get(quarter);
  if (day === undefined) {
    const parts = format({ year: "numeric", month: "numeric", day: "numeric" }, "en").formatToParts(date);
    const [year, month, dayOfMonth] = ["year", "month", "day"].map((type) =>
      Number(parts.find((part) => part.type === type)?.value),
    );
    day = Date.UTC(year, month - 1, dayOfMonth) / DAY;
    days.set(quarter, day);
  }
  return day;
}

/**
 * @param {Date} date
 * @param {Date} [now]
 */
export function day(date, now = new Date()) {
  const present = dayOf(now);
  const ago = present - dayOf(date);
  if (ago === 0) return t("today");
  if (ago === 1) return t("yesterday");
  const year = yearOf(dayOf(date)) === yearOf(present) ? undefined : "numeric";
  return format({ weekday: "long", day: "numeric", month: "long", year }).format(date);
}

/** @param {number} day from 1970 */
function yearOf(day) {
  return new Date(day * DAY).getUTCFullYear();
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
