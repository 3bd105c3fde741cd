import { signal } from "#signals";
import { day, dayOf, time } from "#page/format.js";
import { t } from "#page/i18n.js";

/** Milliseconds for which what is known is believed. */
const GOOD_FOR = 60_000;
/** Milliseconds from one question to the next, until who has just come is known to be there. */
const AGAIN = [2_000, 5_000, 10_000];

/** Whether somebody of the inbox is there, and when somebody will be. */
export class Presence {
  here = signal(false);
  /** @type {import("#signals").Signal<string | null>} */
  opens = signal(/** @type {string | null} */ (null));
  #base;
  #known = performance.now();
  #asking = false;

  /** @param {import("./app.js").Page} page */
  constructor({ base, here, opens }) {
    this.#base = base;
    this.here.value = here;
    this.opens.value = opens;
    setInterval(() => document.hidden || this.look(), GOOD_FOR);
  }

  /** An agent has been seen to do something. */
  somebody() {
    this.#known = performance.now();
    this.here.value = true;
    this.opens.value = null;
  }

  /** Something has come to an agent, though nobody is known to be there: the server will know in a moment. */
  async delivered() {
    if (this.here.peek() || this.#asking) return;
    this.#asking = true;
    for (const pause of [0, ...AGAIN]) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (!this.here.peek()) await this.look(true);
      // Outside of its hours the inbox is closed, whoever is connected.
      if (this.here.peek() || this.opens.peek() !== null) break;
    }
    this.#asking = false;
  }

  /**
   * Ask, if it is a while ago.
   *
   * @param {boolean} [anyway] however lately that was
   */
  async look(anyway = false) {
    if (!anyway && performance.now() - this.#known < GOOD_FOR / 4) return;
    this.#known = performance.now();
    const answer = await fetch(`${this.#base}settings/`, { credentials: "omit" }).catch(() => null);
    if (!answer?.ok) return;
    const { here, opens } = await answer.json();
    this.here.value = here;
    this.opens.value = opens;
  }

  /** @returns {string} in words, where nobody is there */
  get away() {
    if (this.opens.value === null) return t("nobody");
    const opens = new Date(this.opens.value);
    const ahead = dayOf(opens) - dayOf(new Date());
    const words = ["opensToday", "opensTomorrow"][ahead] ?? "opens";
    return t(words, { day: day(opens), time: time(opens) });
  }
}
