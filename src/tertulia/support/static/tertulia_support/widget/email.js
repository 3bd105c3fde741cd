import { signal } from "#signals";
import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";

/** Says when somebody will be there, to who has written while nobody is, and offers to leave an e-mail address. */
export class EmailCard extends Part {
  #app;
  #trouble = signal("");
  #changing = signal(false);
  #kept = signal("");
  /** @type {import("./session.js").Session | null} whose address it is */
  #of = null;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
  }

  template() {
    const session = this.#app.session.value;
    if (session !== this.#of) {
      this.#of = session;
      this.#kept.value = session?.email ?? "";
    }
    const { conversation } = session ?? {};
    const written = conversation && (conversation.messages.length > 0 || conversation.items.length > 0);
    const over = conversation?.state.value?.status === "resolved";
    if (!written || over || this.#app.presence.here.value) return nothing;
    const email = this.#kept.value;
    return html`<section class="card">
      <p>${this.#app.presence.away}</p>
      ${this.#app.page.mail ? this.#offer(email) : nothing}
    </section>`;
  }

  /** @param {string} email Only where answers can be mailed: else it would promise what nobody keeps. */
  #offer(email) {
    return email && !this.#changing.value ? this.#known(email) : this.#form(email);
  }

  /** @param {string} email */
  #known(email) {
    const change = () => {
      this.#changing.value = true;
    };
    return html`<p role="status">${t("emailKept", { email })}
      <button type="button" class="link" @click=${change}>${t("change")}</button></p>`;
  }

  /** @param {string} email */
  #form(email) {
    return html`<form novalidate @submit=${(/** @type {SubmitEvent} */ event) => void this.#submit(event)}>
      <label for="email">${t("emailOffer")}</label>
      <div class="row">
        <input id="email" type="email" name="email" autocomplete="email" required maxlength="254" value=${email}
          placeholder=${t("email")} aria-describedby="email-error" aria-invalid=${String(this.#trouble.value !== "")} />
        <button class="button">${t("leave")}</button>
      </div>
      <p id="email-error" class="error" role="alert">${this.#trouble.value ? t(this.#trouble.value) : nothing}</p>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.target).elements.namedItem("email"));
    const session = this.#app.session.peek();
    const email = field.value.trim();
    if (!session) return;
    this.#trouble.value = email ? "" : "emailWrong";
    if (!email) return;
    const answer = await fetch(`${this.#app.page.base}address/`, {
      method: "POST",
      credentials: "omit",
      body: JSON.stringify({ token: session.token, email }),
    }).catch(() => null);
    if (answer?.ok) {
      session.email = email;
      this.#kept.value = email;
      this.#changing.value = false;
    } else {
      this.#trouble.value = { 400: "emailWrong", 403: "emailNoMore" }[answer?.status ?? 0] ?? "tryLater";
    }
  }
}

customElements.define("tertulia-email", EmailCard);
