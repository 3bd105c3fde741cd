import { element } from "./dom.js";
import { excerpt } from "./format.js";
import { t } from "./i18n.js";

/** Milliseconds in which messages are gathered. */
const GATHERED = 1_000;
/** Up to so many are read out one by one; more only as a number. */
const SINGLY = 3;
/** How long the words stay, for a screen reader that is slow; they are shown nowhere. */
const KEPT = 10_000;
/** How much of a message is read out: who wants all of it goes there. */
const LENGTH = 300;

/** @typedef {import("../sdk/types.js").Message} Message */

/** Says to a screen reader what others said, many at once only as a number. */
export class Announcer {
  element = element("div", "sr-only");
  /** @type {Message[]} */
  #gathered = [];

  /** @param {Message} message */
  heard(message) {
    this.#gathered.push(message);
    if (this.#gathered.length === 1) setTimeout(() => this.#say(), GATHERED);
  }

  #say() {
    const messages = this.#gathered;
    this.#gathered = [];
    const said = messages.map(({ author, text }) => t("saidBy", { name: author.name, text: excerpt(text, LENGTH) }));
    const lines = messages.length > SINGLY ? [t("newMessages", { n: messages.length })] : said;
    for (const words of lines) {
      const line = document.createElement("p");
      line.textContent = words;
      this.element.append(line);
      setTimeout(() => line.remove(), KEPT);
    }
  }
}
