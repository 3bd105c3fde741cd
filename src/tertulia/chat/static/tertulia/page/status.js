import { html, nothing, render } from "./dom.js";
import { t } from "./i18n.js";

/** A connection that comes at once is not worth a word. */
const UNNOTICED = 1_000;

/** The line at the top that says what the connection is doing, when it is not simply there. */
export class StatusLine {
  #app;
  #kind = "lost";
  #since = Date.now();
  /** @type {any} */
  #timer = null;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.#app = app;
  }

  render() {
    const line = document.getElementById("status");
    if (!line) return;
    const kind = this.#now();
    if (kind !== this.#kind) this.#since = Date.now();
    this.#kind = kind;
    line.classList.toggle("final", kind === "ended");
    clearTimeout(this.#timer);
    // The seconds go down, and a short loss is told once it is no longer short.
    if (kind !== "fine" && kind !== "ended") this.#timer = setTimeout(this.#app.update, 500);
    const early = kind !== "ended" && Date.now() - this.#since < UNNOTICED;
    render(early || kind === "fine" ? nothing : this.#words(kind), line);
  }

  #now() {
    const { connection, view } = this.#app;
    if (connection.status.state === "ended") return "ended";
    if (!connection.online) return "lost";
    const phase = view !== null && "log" in view ? view.log.phase : "live";
    return phase === "loading" || phase === "behind" ? phase : "fine";
  }

  /** @param {string} kind */
  #words(kind) {
    if (kind === "ended") return this.#ended();
    if (kind === "lost") return this.#lost();
    return kind === "loading" ? t("loading") : t("catchingUp");
  }

  #lost() {
    const { connection, outbox } = this.#app;
    const { state, retryAt } = connection.status;
    const waits = outbox.size > 0 ? t("wait", { n: outbox.size }) : "";
    if (!navigator.onLine) {
      return html`<span>${t("offline")}${waits ? `: ${waits}` : ""}</span>`;
    }
    const seconds = Math.max(1, Math.ceil(((retryAt ?? 0) - Date.now()) / 1000));
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
