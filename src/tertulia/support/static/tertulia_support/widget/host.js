import { Emitter } from "#sdk/emitter.js";

/**
 * The page around the frame: the loader on somebody's site. What it says first is believed only of
 * the parent, and of a site that the inbox is for; everything after it comes through a channel that
 * nobody else has.
 *
 * @extends {Emitter<{start: {token: string | null, identity: string | null, link: string | null,
 *   mark: string}, shown: {focus: boolean}, hidden: any, identity: {identity: string | null},
 *   token: {token: string | null}, forget: {mark: string}}>}
 */
export class Host extends Emitter {
  #sites;
  /** @type {MessagePort | null} */
  #port = null;
  #asked = 0;
  /** @type {Map<number, (value: any) => void>} */
  #waiting = new Map();

  /** @param {string[]} sites origins; one that the browser refuses to read was mistyped, and is no page's */
  constructor(sites) {
    super();
    this.#sites = new Set(sites.filter((site) => URL.canParse(site)).map((site) => new URL(site).origin));
  }

  start() {
    window.addEventListener("message", (event) => this.#started(event));
    // Whoever it is learns nothing by it.
    window.parent.postMessage("tertulia:ready", "*");
  }

  /** @param {number} unread for the badge */
  count(unread) {
    this.#say({ type: "unread", unread });
  }

  close() {
    this.#say({ type: "close" });
  }

  /** What this frame keeps is as it is to be after the visitor was forgotten: it may go. */
  forgotten() {
    this.#say({ type: "forgotten" });
  }

  /** @returns {Promise<string | null>} the token that is to be brought now, by whichever page */
  known() {
    return this.ask({ what: "recall", name: "visitor" });
  }

  /**
   * @param {string | null} token to be brought by the next page; null: none
   * @returns {Promise<void>} when other pages find it
   */
  keep(token) {
    return this.ask({ what: "keep", name: "visitor", value: token });
  }

  /** The link in a mail by which he came has done its work. */
  unlink() {
    this.#say({ type: "unlink" });
  }

  /** @returns {Promise<string>} the address of the page that the visitor is looking at */
  page() {
    return this.ask({ what: "page" });
  }

  /**
   * @param {Record<string, any>} question
   * @returns {Promise<any>}
   */
  ask(question) {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#say({ type: "ask", id, ...question });
    });
  }

  /** @param {any} said */
  #say(said) {
    this.#port?.postMessage(said);
  }

  /** @param {MessageEvent} event */
  #started({ source, origin, data, ports }) {
    if (this.#port || source !== window.parent || !this.#sites.has(origin)) return;
    if (data?.type !== "start" || ports.length !== 1) return;
    [this.#port] = ports;
    this.#port.onmessage = ({ data: said }) => this.#heard(said);
    this.emit("start", data);
  }

  /** @param {any} said */
  #heard(said) {
    if (said.type === "answer") {
      this.#waiting.get(said.id)?.(said.value);
      this.#waiting.delete(said.id);
    } else {
      this.emit(said.type, said);
    }
  }
}
