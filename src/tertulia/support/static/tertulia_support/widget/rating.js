import { signal } from "#signals";
import { html, nothing, svg } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";

const RATINGS = [1, 2, 3, 4, 5];
/** Drawn, since not every system's fonts have all of them: mouths from sad to glad. */
const MOUTHS = ["M8 17c1.500-3.600 6.500-3.600 8 0", "M8.500 16.200c1.500-1.800 5.500-1.800 7 0", "M8.500 15.500h7", "M8.500 14.800c1.500 1.800 5.500 1.800 7 0", "M8 14c1.300 4.400 6.700 4.400 8 0z"];

/** At the end of a conversation: how well it went. */
export class RatingCard extends Part {
  #app;
  #chosen = signal(0);
  #busy = signal(false);
  #failed = signal(false);
  /** @type {string | undefined} the address of the conversation that is rated */
  #rated;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
  }

  template() {
    const conversation = this.#app.session.value?.conversation;
    const state = conversation?.state.value;
    const ended = state?.status === "resolved" ? conversation?.log.value?.slug : undefined;
    if (ended !== this.#rated) {
      this.#rated = ended;
      this.#chosen.value = 0;
      this.#failed.value = false;
    }
    if (!ended || !state) return nothing;
    return html`<section class="card end">
      <p>${t("resolved")}</p>
      ${state.rating === null ? this.#form() : html`<p class="rated" role="status">${face(state.rating)} ${t("rated")}</p>`}
      <button type="button" class="button another" @click=${() => this.#beginAnother()}>${t("another")}</button>
    </section>`;
  }

  #beginAnother() {
    this.#app.session.peek()?.conversation.beginAnother();
    // The button goes away, and the keyboard to where the new one is begun.
    this.#app.takeKeyboard();
  }

  #form() {
    const chosen = this.#chosen.value;
    return html`<form @submit=${(/** @type {SubmitEvent} */ event) => void this.#submit(event)}>
      <fieldset>
        <legend>${t("rate")}</legend>
        <div class="ratings">${RATINGS.map((rating) => this.#choice(rating))}</div>
      </fieldset>
      ${chosen
        ? html`<textarea name="text" rows="2" maxlength="1000" aria-label=${t("rateText")} placeholder=${t("rateText")}></textarea>
            <button class="button primary" ?disabled=${this.#busy.value}>${t("send")}</button>`
        : nothing}
      ${this.#failed.value ? html`<p class="error" role="alert">${t("tryLater")}</p>` : nothing}
    </form>`;
  }

  /** @param {number} rating */
  #choice(rating) {
    const name = t(`rating.${rating}`);
    const choose = () => {
      this.#chosen.value = rating;
    };
    return html`<label title=${name}>
      <input type="radio" name="rating" value=${rating} class="sr-only" aria-label=${name} @change=${choose} />
      ${face(rating)}
    </label>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const text = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("text");
    this.#busy.value = true;
    this.#failed.value = false;
    try {
      await this.#app.session.peek()?.conversation.rate(this.#chosen.peek(), String(text ?? ""));
    } catch {
      this.#failed.value = true;
    } finally {
      this.#busy.value = false;
    }
  }
}

customElements.define("tertulia-rating", RatingCard);

/** @param {number} rating */
function face(rating) {
  const mouth = svg`<path d=${MOUTHS[rating - 1]} />`;
  return html`<svg class="face" viewBox="0 0 24 24" aria-hidden="true">
    <circle cx="12" cy="12" r="9.500" /><path d="M9 9.500v.5M15 9.500v.5" />${mouth}
  </svg>`;
}
