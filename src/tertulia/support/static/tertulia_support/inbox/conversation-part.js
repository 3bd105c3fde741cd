import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { excerpt } from "#page/format.js";
import { t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { back, header } from "./head.js";

/** So much of a name is enough to know who types. */
const NAME = 24;

/** @typedef {import("./conversation-view.js").ConversationView} ConversationView */

/** An open conversation, or why it is not: header, log, who types, and where to write. */
export class ConversationPart extends Part {
  #view;

  /** @param {ConversationView} view */
  constructor(view) {
    super();
    this.#view = view;
  }

  template() {
    const view = this.#view;
    if (view.phase === "refused") return refused(view);
    return html`${header(view)}${view.timeline}
      <p class="typing">${typing(view)}</p>
      ${view.guard}
      ${view.answer}`;
  }
}

customElements.define("tertulia-conversation", ConversationPart);

/** @param {ConversationView} view who is writing, and what */
function typing(view) {
  const { me } = view.app;
  const notes = view.notes.value;
  const typists = (/** @type {import("#sdk").RoomLog} */ log) =>
    [...live(log).room.typing.values()].map(({ who }) => who).filter(({ id }) => id !== me.id);
  const here = typists(view.log);
  const visitor = here.find(({ kind }) => kind === "visitor");
  const colleague = here.find(({ kind }) => kind !== "visitor");
  const noting = notes ? typists(notes)[0] : undefined;
  const name = excerpt((colleague ?? visitor ?? noting)?.name ?? "", NAME);
  // That a colleague answers, too, is what one has to know first.
  if (colleague) return html`<span class="also">${t(view.answer.replying ? "typingAnswerToo" : "typingAnswer", { name })}</span>`;
  if (visitor) return t("typingOne", { a: name });
  return noting ? t("typingNote", { name }) : "";
}

/** @param {ConversationView} view in place of a conversation that is none of mine, or no longer */
function refused(view) {
  const { refusal } = view.log;
  const { app, answer, slug } = view;
  const taken = refusal === "removed";
  const notes = view.notes.value?.slug;
  const unsent = [...live(app.outbox).items(slug), ...(notes ? app.outbox.items(notes) : [])].filter(({ state }) => state !== "sent");
  const { draft } = answer;
  return html`<header class="room-header">${back(view)}<h1><bdi>${taken ? view.title : ""}</bdi></h1></header>
    <div class="room-state">
      ${icon(taken ? "lock" : "search")}
      <h2>${t(taken ? "takenTitle" : "noConversationTitle")}</h2>
      <p>${t(taken ? "takenText" : "noConversationText")}</p>
      ${unsent.length ? html`<h3>${t("neverSent")}</h3>
        <ul class="unsent">${unsent.map((item) => html`<li>
          <p dir="auto">${item.text}</p>
          <button type="button" class="button" @click=${() => app.outbox.discard(item.key)}>${t("discard")}</button>
        </li>`)}</ul>` : nothing}
      ${draft ? html`<div class="field">
        <label for="kept-draft">${t("keptDraft")}</label>
        <textarea id="kept-draft" rows="4" readonly dir="auto" .value=${draft}></textarea>
      </div>` : nothing}
      <p class="actions"><a class="button primary" href=${app.home}>${t("toInbox")}</a></p>
    </div>`;
}
