import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";

/** In place of a conversation: how it stands with the desk. */
export class Idle extends Part {
  #desk;

  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    super();
    this.#desk = desk;
  }

  template() {
    const { page } = this.#desk;
    const inboxes = live(this.#desk.inboxes);
    if (!inboxes.loaded) return nothing;
    if (inboxes.all.length === 0) {
      return html`<div class="room-state">
        ${icon("inbox")}
        <h1>${t("noInboxTitle")}</h1>
        <p>${t("noInboxText")}</p>
        <p class="actions"><a class="button primary" href=${page.urls.chat ?? "/"}>${t("toChat")}</a></p>
      </div>`;
    }
    const waiting = inboxes.count(null, "waiting") ?? 0;
    return html`<div class="room-state">
      ${icon(waiting ? "inbox" : "check")}
      <h1>${waiting ? t("waitingCount", { n: waiting }) : t("nobodyWaits")}</h1>
      <p>${t(waiting ? "chooseOne" : "nobodyWaitsText")}</p>
    </div>`;
  }
}

customElements.define("tertulia-idle", Idle);
