import { Emitter } from "./emitter.js";
import { Disconnected, Refusal } from "./errors.js";
import { systemClock } from "./types.js";

/** Close codes after which connecting again cannot help. */
const FINAL = new Set([4401, 4403, 4404]);
const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
/** Each delay to the one before: gentle, so that a short restart is a short pause. */
const GROWTH = 1.6;
/** A connection that lived this long is taken for a good one: the delays begin anew. */
const STEADY = 5_000;
/** From opening the socket to `welcome`. */
const OPENING_DEADLINE = 15_000;
const PROBE_DEADLINE = 4_000;
/** Quiet for so long, it is asked again while the browser says that there is no network: what was
 *  under way when that went may have looked like an answer. */
const DOUBTED = 4_000;
/** How much later than it is due a heartbeat may come before we ask: a dead connection is known
 *  after a heartbeat, this and a probe: within 30 seconds. */
const HEARTBEAT_LATE = 500;
/** A command is answered in less, or the connection may be dead without telling. */
const ANSWER_EXPECTED = 8_000;

/**
 * @typedef {{state: "idle" | "connecting" | "online" | "waiting" | "ended",
 *   retryAt: number | null, code: number | null}} Status
 *   `retryAt`: when the next try begins (by the clock's `now`), while waiting;
 *   `code`: the close code that ended it for good, or of the last loss
 */

/**
 * One WebSocket to the server, for as long as the page lives.
 *
 * It connects again by itself, answers each request once, and never lets a request hang:
 * it ends with the reply's result, a `Refusal`, or `Disconnected`.
 *
 * @extends {Emitter<{status: Status, welcome: import("./types.js").Welcome,
 *   me: import("./types.js").Person, event: any}>}
 */
export class Connection extends Emitter {
  /** @type {import("./types.js").Welcome | null} */
  welcome = null;
  /** @type {Status} */
  status = { state: "idle", retryAt: null, code: null };

  #url;
  #token;
  /** The last connect token: it spares the server every question about us. */
  #connect;
  #WebSocket;
  #clock;
  #random;
  #networkUp;
  /** @type {any} */
  #socket = null;
  #attempts = 0;
  #lastRef = 0;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void, timer: any}>} */
  #requests = new Map();
  #openedAt = 0;
  #probing = false;
  #onlineSince = 0;
  #lastFrameAt = 0;
  /** @type {any} */
  #timer = null;

  /**
   * @param {string} url
   * @param {object} [options]
   * @param {(() => string | null) | null} [options.token] a bearer token, where no cookie speaks
   * @param {string | null} [options.connect] a connect token for the first connection
   * @param {any} [options.WebSocket]
   * @param {import("./types.js").Clock} [options.clock]
   * @param {() => number} [options.random] from 0 to 1
   * @param {() => boolean} [options.networkUp] whether there is one, as far as is known here
   */
  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#token = options.token ?? null;
    this.#connect = options.connect ?? "";
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#networkUp = options.networkUp ?? (() => globalThis.navigator?.onLine !== false);
  }

  get online() {
    return this.status.state === "online";
  }

  start() {
    if (this.status.state === "idle") this.#open();
  }

  stop() {
    this.#discard();
    this.#setStatus("idle");
  }

  /**
   * The network or the page came back, or went: connect at once, or find out whether we still
   * are. An attempt that has hung for a while may belong to the network that was left.
   */
  wake() {
    const { state } = this.status;
    const hangs = state === "connecting" && this.#clock.now() - this.#openedAt >= PROBE_DEADLINE;
    if (state === "waiting" || hangs) this.#open();
    else if (this.online) this.#probe();
  }

  /**
   * While the connection is being opened a request waits for the outcome: who presses a button
   * right after the page has loaded need not know of it.
   *
   * @param {string} type the command
   * @param {Record<string, any>} [fields]
   * @returns {Promise<any>} the reply's `result`
   */
  async request(type, fields = {}) {
    if (this.status.state === "connecting") await this.#settled();
    if (!this.online) throw new Disconnected();
    return this.#send(type, fields);
  }

  /** @returns {Promise<void>} when the attempt to connect has come to its end, well or badly */
  #settled() {
    return new Promise((resolve) => {
      const stop = this.on("status", ({ state }) => {
        if (state === "connecting") return;
        stop();
        resolve();
      });
    });
  }

  /**
   * @param {string} type
   * @param {Record<string, any>} fields
   */
  #send(type, fields) {
    const ref = ++this.#lastRef;
    return new Promise((resolve, reject) => {
      const wake = () => this.wake();
      const timer = type === "ping" ? null : this.#clock.setTimeout(wake, ANSWER_EXPECTED);
      this.#requests.set(ref, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ ...fields, type, ref }));
    });
  }

  #open() {
    this.#discard();
    this.#openedAt = this.#clock.now();
    this.#setStatus("connecting");
    // A browser can send no header of its own, so the token goes where a subprotocol does.
    const protocols = ["tertulia.v1", `tertulia.connect.${this.#connect}`];
    const socket = new this.#WebSocket(this.#url, protocols);
    this.#socket = socket;
    // A closed socket may still hand out frames and a late `close`; only the present one counts.
    const present = (/** @type {(event: any) => void} */ act) => (/** @type {any} */ event) => {
      if (this.#socket === socket) act(event);
    };
    socket.onopen = present(() => this.#introduce());
    socket.onmessage = present((event) => this.#receive(event.data));
    socket.onclose = present((event) => this.#lost(event.code, event.reason));
    this.#setTimer(() => this.#lost(1006, ""), OPENING_DEADLINE);
  }

  /** Say who speaks, or by a first command find out at once that nobody is signed in. */
  #introduce() {
    const token = this.#token?.() ?? null;
    if (token !== null) {
      this.#socket.send(JSON.stringify({ type: "auth", token }));
      return;
    }
    this.#send("ping", {}).catch((error) => {
      if (error instanceof Refusal && error.code === "unauthenticated") this.#lost(4401, "");
    });
  }

  /** @param {string} data */
  #receive(data) {
    this.#lastFrameAt = this.#clock.now();
    const frame = JSON.parse(data);
    if (frame.type === "reply") this.#answer(frame);
    else if (frame.type === "welcome") this.#welcomed(frame);
    else if (frame.type === "heartbeat") this.#connect = frame.connect ?? "";
    else {
      if (frame.type === "person.changed" && frame.room === null) this.#renamed(frame.who);
      this.emit("event", frame);
    }
  }

  /** @param {import("./types.js").Person} me as I am called now, whichever device it was changed on */
  #renamed(me) {
    if (this.welcome === null) return;
    this.welcome = { ...this.welcome, me };
    this.emit("me", me);
  }

  /** @param {any} frame */
  #answer(frame) {
    const request = this.#requests.get(frame.ref);
    this.#requests.delete(frame.ref);
    this.#clock.clearTimeout(request?.timer);
    if (frame.ok) request?.resolve(frame.result ?? {});
    else request?.reject(new Refusal(frame.error));
  }

  /** @param {import("./types.js").Welcome} frame */
  #welcomed(frame) {
    this.welcome = frame;
    this.#connect = frame.connect ?? "";
    this.#onlineSince = this.#clock.now();
    this.#watch();
    this.#setStatus("online");
    this.emit("welcome", frame);
  }

  /** A heartbeat has not come: ask, before giving the connection up (we may have slept). */
  #watch() {
    const due = 1000 * (this.welcome?.heartbeat ?? 25) + HEARTBEAT_LATE;
    const limit = this.#networkUp() ? due : DOUBTED;
    const quiet = this.#clock.now() - this.#lastFrameAt;
    if (quiet >= limit) this.#probe();
    else this.#setTimer(() => this.#watch(), limit - quiet);
  }

  #probe() {
    if (this.#probing) return;
    this.#probing = true;
    const asked = this.#clock.now();
    this.#setTimer(() => {
      this.#probing = false;
      if (this.#lastFrameAt >= asked) this.#watch();
      else this.#lost(1006, "");
    }, PROBE_DEADLINE);
    this.#send("ping", {}).catch(() => {});
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    const steady = this.online && this.#clock.now() - this.#onlineSince >= STEADY;
    this.#discard();
    if (FINAL.has(code)) {
      this.#setStatus("ended", null, code);
      return;
    }
    if (steady) this.#attempts = 0;
    const delay = this.#delay(reason);
    this.#attempts += 1;
    this.#setTimer(() => this.#open(), delay);
    this.#setStatus("waiting", this.#clock.now() + delay, code);
  }

  /**
   * Exponential with full jitter, or a random part of what the server asked for.
   *
   * @param {string} reason of the close: `{"retry_after": seconds}` or anything else
   */
  #delay(reason) {
    const backoff = Math.min(LONGEST_DELAY, FIRST_DELAY * GROWTH ** this.#attempts);
    return this.#random() * Math.max(backoff, 1000 * retryAfter(reason));
  }

  /** Let go of the present socket; nobody may wait for its answers any more. */
  #discard() {
    this.#clock.clearTimeout(this.#timer);
    this.#probing = false;
    const socket = this.#socket;
    this.#socket = null;
    // Closing a dead connection can take a minute to be reported; we do not wait for it.
    if (socket !== null) socket.close();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject, timer } of requests) {
      this.#clock.clearTimeout(timer);
      reject(new Disconnected());
    }
  }

  /**
   * @param {() => void} act
   * @param {number} ms
   */
  #setTimer(act, ms) {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(act, ms);
  }

  /**
   * @param {Status["state"]} state
   * @param {number | null} [retryAt]
   * @param {number | null} [code]
   */
  #setStatus(state, retryAt = null, code = null) {
    this.status = { state, retryAt, code };
    this.emit("status", this.status);
  }
}

/**
 * @param {string} reason
 * @returns {number} seconds; 0 where the server asked for nothing
 */
function retryAfter(reason) {
  try {
    const seconds = Number(JSON.parse(reason).retry_after);
    return seconds > 0 ? seconds : 0;
  } catch {
    return 0;
  }
}

/**
 * Wake the connection when the network or the tab comes back; and when the network goes, since
 * a socket may take minutes to notice.
 *
 * @param {Connection} connection
 * @param {EventTarget} window
 * @param {EventTarget & {visibilityState: string}} document
 */
export function wakeWith(connection, window, document) {
  for (const name of ["online", "offline", "pageshow"]) {
    window.addEventListener(name, () => connection.wake());
  }
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") connection.wake();
  });
}
