import { spoken } from "#page/i18n.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long something has lasted, in one word: minutes, hours, days.
 *
 * @param {number} ms
 * @param {"short" | "long"} [how] `long` for who hears it
 */
export function duration(ms, how = "short") {
  const [unit, size] = ms >= DAY ? ["day", DAY] : ms >= HOUR ? ["hour", HOUR] : ["minute", MINUTE];
  const n = Math.max(0, Math.floor(ms / Number(size)));
  return new Intl.NumberFormat(spoken(), { style: "unit", unit: String(unit), unitDisplay: how }).format(n);
}
