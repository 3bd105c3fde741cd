import { Refusal } from "#sdk";
import { html, nothing } from "./dom.js";
import { spoken, t } from "./i18n.js";
import { explain } from "./notices.js";

/**
 * @typedef {import("./room-links.js").MailForm} MailForm
 * @typedef {import("./room-links.js").Mailed} Mailed
 */

/** Inviting by mail: a part of the dialog in which people are invited. */
export class MailInvites {
  #links;
  #changed;
  #addresses = "";
  #note = "";
  #sending = false;
  #error = "";
  /** @type {Mailed | null} what the last mails came to */
  #mailed = null;

  /**
   * @param {import("./room-links.js").RoomLinks} links
   * @param {(sent: boolean) => void} changed the part looks different; `sent`: there are new links
   */
  constructor(links, changed) {
    this.#links = links;
    this.#changed = changed;
  }

  /** @param {MailForm} form what the server takes */
  template(form) {
    const language = new Intl.DisplayNames([spoken()], { type: "language" }).of(form.language);
    return html`<section>
      <h3>${t("inviteByMail")}</h3>
      <div role="status">${this.#told()}</div>
      <div class="error" role="alert">${this.#failed()}</div>
      <form @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event)}>
        <div class="field">
          <label for="mail-addresses">${t("mailAddresses")}</label>
          <textarea id="mail-addresses" name="addresses" rows="2" required autocomplete="off" spellcheck="false"
            aria-describedby="mail-hint" .value=${this.#addresses}></textarea>
        </div>
        <div class="field">
          <label for="mail-note">${t("mailNote")}</label>
          <input id="mail-note" name="note" type="text" maxlength=${form.note} autocomplete="off" .value=${this.#note} />
        </div>
        <p class="quiet" id="mail-hint">${t("mailHint", { language: language ?? form.language, n: form.addresses })}
          ${form.newcomers === false ? t("mailMembersOnly") : nothing}</p>
        <button class="button" aria-disabled=${this.#sending}>${this.#sending ? t("mailSending") : t("mailSend")}</button>
      </form>
    </section>`;
  }

  #told() {
    const { sent = [], waiting = [] } = this.#mailed ?? {};
    return html`
      ${sent.length ? html`<p>${t("mailSent")} ${addresses(sent)}</p>` : nothing}
      ${waiting.length ? html`<p>${t("mailWaiting")} ${addresses(waiting)}</p>` : nothing}
    `;
  }

  #failed() {
    if (this.#error) return html`<p>${this.#error}</p>`;
    const failed = this.#mailed?.failed ?? [];
    if (failed.length === 0) return nothing;
    return html`<p>${t("mailFailed")}</p>
      <ul>${failed.map(({ address, why }) => html`<li><bdi>${address}</bdi>: ${t(`mailWhy.${why}`)}</li>`)}</ul>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    if (this.#sending) return;
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    this.#addresses = String(data.get("addresses"));
    this.#note = String(data.get("note"));
    this.#mailed = null;
    this.#error = "";
    this.#sending = true;
    this.#changed(false);
    try {
      this.#keep(await this.#links.mail(this.#addresses, this.#note));
    } catch (refused) {
      const noted = refused instanceof Refusal && refused.field === "note";
      this.#error = noted ? t("mailNoteRefused") : explain(refused);
    }
    this.#sending = false;
    this.#changed(this.#mailed !== null);
    if (this.#error || this.#addresses) form.querySelector("textarea")?.focus();
  }

  /** @param {Mailed} mailed whoever got no mail stays in the field */
  #keep(mailed) {
    this.#mailed = mailed;
    this.#addresses = mailed.failed.map(({ address }) => address).join(", ");
    if (!this.#addresses) this.#note = "";
  }
}

/** @param {string[]} all */
function addresses(all) {
  return all.map((address, index) => html`${index ? ", " : nothing}<bdi>${address}</bdi>`);
}
