/** Times where there is little room for them. */
import { day, dayOf, time } from "#page/format.js";
import { spoken, t } from "#page/i18n.js";

const DAY = 86_400_000;

/** @param {Date} date one that is past: "12:08", "Yesterday", "Nov 14" */
export function dayOrTime(date) {
  const present = dayOf(new Date());
  const ago = present - dayOf(date);
  if (ago === 0) return time(date);
  if (ago === 1) return day(date);
  const year = yearOf(dayOf(date)) === yearOf(present) ? undefined : "numeric";
  return shown(date, { day: "numeric", month: "short", year });
}

/** @param {Date} date one to come: "18:00", "tomorrow 09:00", "Mon 09:00", "Nov 30 09:00" */
export function dayAndTime(date) {
  const ahead = dayOf(date) - dayOf(new Date());
  if (ahead === 0) return time(date);
  // In a week it is the same weekday again.
  const near = ahead > 0 && ahead < 7;
  const name = ahead === 1 ? t("tomorrowWord") : shown(date, near ? { weekday: "short" } : { day: "numeric", month: "short" });
  return t("dayAndTimeBriefly", { day: name, time: time(date) });
}

/**
 * @param {Date} date its day where the reader is
 * @param {Intl.DateTimeFormatOptions} how
 */
function shown(date, how) {
  return new Intl.DateTimeFormat(spoken(), { ...how, timeZone: "UTC" }).format(dayOf(date) * DAY);
}

/** @param {number} day from 1970 */
function yearOf(day) {
  return new Date(day * DAY).getUTCFullYear();
}
