import { element, html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";
import { live } from "#page/live.js";
import { networkUp, now } from "#page/world.js";
import { Composer } from "./composer.js";
import { Header } from "./header.js";
import { Log } from "./log.js";

/** A connection that comes at once is not worth a word: milliseconds. */
const UNNOTICED = 1_500;

/** What stands in place of the panel where no page around has begun the conversation. */
export function notHere() {
  const words = element("p", "not-here");
  words.setAttribute("role", "status");
  words.textContent = t("notHere");
  return words;
}

/** The whole panel: who answers, what is said, where one writes. */
export class Panel extends Part {
  #header;
  #log;
  #trouble;
  #composer;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#header = new Header(app);
    this.#log = new Log(app);
    this.#trouble = new Trouble(app);
    this.#composer = new Composer(app, () => this.#log.goToEnd());
  }

  /** Where the keyboard is to be: in the field; where fingers type, a field would open the keyboard. */
  takeKeyboard() {
    if (matchMedia("(pointer: coarse)").matches) this.#header.takeKeyboard();
    else this.#composer.takeKeyboard();
  }

  template() {
    return html`${this.#header}${this.#log}${this.#trouble}${this.#composer}`;
  }
}

/** The line that says what is wrong with the connection. */
class Trouble extends Part {
  #app;
  #since = 0;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
    this.setAttribute("role", "status");
  }

  template() {
    const words = this.#words();
    if (!words) {
      this.#since = 0;
      return nothing;
    }
    this.#since ||= Date.now();
    return now() - this.#since < UNNOTICED ? nothing : html`<p>${t(words)}</p>`;
  }

  #words() {
    const { session, trouble } = this.#app;
    if (trouble.value) return trouble.value;
    const { connection, conversation } = session.value ?? {};
    if (!connection || live(connection, "status").online) return conversation?.trouble.value ?? "";
    return networkUp.value ? "connecting" : "offline";
  }
}

customElements.define("tertulia-trouble", Trouble);
customElements.define("tertulia-panel", Panel);
