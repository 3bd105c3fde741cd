import { html, nothing } from "./dom.js";
import { Part } from "./element.js";
import { t } from "./i18n.js";
import { live } from "./live.js";
import { networkUp, now } from "./world.js";

/** A connection that comes at once is not worth a word. */
const UNNOTICED = 1_000;

/** @typedef {"ended" | "lost" | "loading" | "behind" | "fine"} Kind */

/** The line at the top that says what the connection is doing, when it is not simply there. */
export class StatusLine extends Part {
  #app;
  /** @type {Kind} */
  #kind = "lost";
  #since = Date.now();

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
  }

  template() {
    const kind = this.#present();
    if (kind !== this.#kind) this.#since = Date.now();
    this.#kind = kind;
    this.className = kind;
    if (kind === "fine") return nothing;
    if (kind === "ended") return this.#ended();
    // The seconds go down, and a short loss is told once it is no longer short.
    const time = now();
    if (time - this.#since < UNNOTICED) return nothing;
    if (kind === "lost") return this.#lost(time);
    return kind === "loading" ? t("loading") : t("catchingUp");
  }

  /** @returns {Kind} */
  #present() {
    const { status } = live(this.#app.connection, "status");
    if (status.state === "ended") return "ended";
    if (status.state !== "online") return "lost";
    const phase = this.#app.view.value?.phase;
    return phase === "loading" || phase === "behind" ? phase : "fine";
  }

  /** @param {number} time */
  #lost(time) {
    const { connection } = this.#app;
    const { state, retryAt } = connection.status;
    const { size } = live(this.#app.outbox);
    const waits = size > 0 ? t("wait", { n: size }) : "";
    if (!networkUp.value) {
      return html`<span>${t("offline")}${waits ? `: ${waits}` : ""}</span>`;
    }
    const seconds = Math.max(1, Math.ceil(((retryAt ?? 0) - time) / 1000));
    const again = state === "waiting";
    // The countdown is not read out every second.
    return html`<span>
        ${again ? t("connectingAgain") : t("connecting")}
        ${again ? html`<span aria-hidden="true">${t("inSeconds", { n: seconds })}</span>` : nothing}
        ${waits ? ` · ${waits}` : nothing}
      </span>
      ${again ? html`<button type="button" class="link" @click=${() => connection.wake()}>${t("connectNow")}</button>` : nothing}`;
  }

  #ended() {
    const { connection, page } = this.#app;
    if (connection.status.code !== 4401) return html`<span>${t("banned")}</span>`;
    const next = encodeURIComponent(location.pathname);
    return html`<span>${t("signedOut")}</span>
      <a href="${page.urls.signIn}?next=${next}">${t("signIn")}</a>`;
  }
}

customElements.define("tertulia-status", StatusLine);
