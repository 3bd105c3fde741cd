/** Milliseconds after which `typing.start` is told again, and after which I type no more. */
const AGAIN = 4_000;

/** Tells the others in a room that I am typing. */
export class TypingTeller {
  #connection;
  #slug;
  #since = 0;
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("../sdk/index.js").Connection} connection
   * @param {string} slug
   */
  constructor(connection, slug) {
    this.#connection = connection;
    this.#slug = slug;
  }

  /** @param {string} text that stands in the field now */
  typed(text) {
    clearTimeout(this.#timer);
    if (!text.trim()) {
      this.stop();
      return;
    }
    this.#timer = setTimeout(() => this.stop(), AGAIN);
    if (Date.now() - this.#since < AGAIN) return;
    this.#since = Date.now();
    this.#tell("typing.start");
  }

  stop() {
    clearTimeout(this.#timer);
    if (this.#since > 0) this.#tell("typing.stop");
    this.#since = 0;
  }

  /** @param {string} type that I type is worth no second try */
  #tell(type) {
    this.#connection.request(type, { room: this.#slug }).catch(() => {});
  }
}
