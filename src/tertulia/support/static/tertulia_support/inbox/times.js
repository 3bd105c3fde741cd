/** Times of a clock that stands in another zone than the browser's. Nothing of the page is known here. */

const DAY = 86_400_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The hours at which work begins and ends, for who puts something away. */
const MORNING = 9;
const EVENING = 18;
/** There is little left of a day whose evening comes sooner than this. */
const SOON = 2 * HOUR;
const MONDAY = 1;

/**
 * What a clock shows at a moment.
 *
 * @param {number} moment in milliseconds
 * @param {string} [zone] as in the IANA's list; undefined: the browser's
 * @returns {number} the moment at which a clock at Greenwich shows the same
 */
export function shownAt(moment, zone) {
  const options = /** @type {Intl.DateTimeFormatOptions} */ ({
    ...{ year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23", timeZone: zone },
  });
  const parts = new Intl.DateTimeFormat("en", options).formatToParts(moment);
  const [year, month, day, hour, minute, second] = ["year", "month", "day", "hour", "minute", "second"].map((type) =>
    Number(parts.find((part) => part.type === type)?.value),
  );
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * When a clock in a zone shows something; the hour that is left out in spring is the one after it.
 *
 * @param {number} shown the moment at which a clock at Greenwich does
 * @param {string} [zone]
 * @returns {number} in milliseconds
 */
export function momentOf(shown, zone) {
  const whole = (/** @type {number} */ guess) => Math.floor(guess / 1000) * 1000;
  const offset = (/** @type {number} */ guess) => shownAt(guess, zone) - whole(guess);
  const first = shown - offset(shown);
  const second = shown - offset(first);
  return shownAt(second, zone) === shown ? second : Math.max(first, second);
}

/**
 * Times until which something can be put away.
 *
 * @param {number} now in milliseconds
 * @param {string} [zone]
 * @returns {{name: "laterToday" | "tomorrow" | "nextWeek", at: number}[]}
 */
export function later(now, zone) {
  const shown = shownAt(now, zone);
  const today = Math.floor(shown / DAY) * DAY;
  const weekday = new Date(today).getUTCDay();
  const monday = today + ((MONDAY - weekday + 6) % 7 + 1) * DAY;
  const evening = today + EVENING * HOUR;
  // In three hours, to the half; in the evening at the latest.
  const inAWhile = Math.ceil((shown + 3 * HOUR) / (30 * MINUTE)) * 30 * MINUTE;
  const tomorrow = today + DAY + MORNING * HOUR;
  const times = [
    ...(evening - shown >= SOON ? [{ name: /** @type {const} */ ("laterToday"), at: Math.min(inAWhile, evening) }] : []),
    { name: /** @type {const} */ ("tomorrow"), at: tomorrow },
    { name: /** @type {const} */ ("nextWeek"), at: monday + MORNING * HOUR },
  ];
  const found = times.filter(({ at }, i) => !times.slice(0, i).some((each) => each.at === at));
  return found.map(({ name, at }) => ({ name, at: momentOf(at, zone) }));
}

/**
 * For a field of the kind `datetime-local`, whose text has no zone.
 *
 * @param {number} moment
 * @param {string} [zone]
 */
export function fieldText(moment, zone) {
  return new Date(shownAt(moment, zone)).toISOString().slice(0, 16);
}

/**
 * @param {string} text of such a field
 * @param {string} [zone]
 * @returns {number | null} null where it is no time
 */
export function fieldMoment(text, zone) {
  const shown = Date.parse(`${text}Z`);
  return Number.isNaN(shown) ? null : momentOf(shown, zone);
}
