import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { avatar } from "#page/people.js";
import { pictured } from "./bubble.js";

/** Who is at the other end, and the way out. */
export class Header extends Part {
  #app;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    super();
    this.#app = app;
  }

  takeKeyboard() {
    this.querySelector("h1")?.focus();
  }

  template() {
    const { page, presence, session, host } = this.#app;
    const connection = session.value?.connection;
    const state = session.value?.conversation.state.value;
    const agent = state?.status === "resolved" ? null : (state?.agent ?? null);
    // Without a connection nobody knows.
    const here = presence.here.value && (!connection || live(connection, "status").online);
    const words = agent ? t("answersYou", { name: agent.name }) : here ? t("here") : presence.here.value ? nothing : presence.away;
    return html`<header>
      ${agent ? avatar(pictured(agent, page.base)) : nothing}
      <div class="titles">
        <h1 tabindex="-1">${page.texts.title || t("title")}</h1>
        <p class=${here ? "presence here" : "presence"}>${words}</p>
      </div>
      <button type="button" class="icon-button" aria-label=${t("close")} title=${t("close")}
        @click=${() => host.close()}>${icon("close")}</button>
    </header>`;
  }
}

customElements.define("tertulia-widget-header", Header);
