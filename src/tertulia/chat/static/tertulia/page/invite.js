import { ask } from "./dialog.js";
import { html, nothing } from "./dom.js";
import { PersonFinder } from "./finder.js";
import { dateAndTime } from "./format.js";
import { t } from "./i18n.js";
import { MailInvites } from "./invite-mail.js";
import { explain } from "./notices.js";
import { RoomLinks } from "./room-links.js";

/** Seconds for which a link can be good, with the name of each; a week unless one chooses. */
const LIVES = /** @type {const} */ ([
  [3_600, "linkHour"],
  [86_400, "linkDay"],
  [604_800, "linkWeek"],
  [2_592_000, "linkMonth"],
]);
const WEEK = 604_800;
/** Milliseconds after which the list is asked for again, while it tells of mails on their way. */
const PATIENCE = 3_000;

/** @typedef {import("./room-links.js").RoomLink} RoomLink */

/**
 * Invite people to a room: by name, who are members at once, by mail, or by a link to send them.
 *
 * @param {import("./room-view.js").RoomView} view
 * @returns {Promise<void>} when the dialog is closed
 */
export async function openInvite(view) {
  const invite = new Invite(view);
  await ask(t("inviteTitle"), (dialog) => invite.template(dialog));
}

class Invite {
  #view;
  #links;
  #finder;
  #mails;
  /** @type {import("./room-links.js").MailForm | null} */
  #mailForm = null;
  /** What the last act came to, told to a screen reader too. */
  #told = "";
  #error = "";
  /** The address of the link that was just made: it is shown only now. */
  #link = "";
  /** @type {RoomLink[]} */
  #list = [];
  #update = () => {};

  /** @param {import("./room-view.js").RoomView} view */
  constructor(view) {
    this.#view = view;
    this.#links = new RoomLinks(view.app.home, view.slug);
    this.#finder = new PersonFinder(
      view.app.connection,
      (person) => this.#act(() => this.#add(person)),
      (id) => view.log.room.members.has(id),
    );
    this.#mails = new MailInvites(this.#links, (sent) => {
      this.#update();
      if (sent) void this.#act(() => this.#reload());
    });
    void this.#act(() => this.#reload());
  }

  /** @param {{update: () => void}} dialog */
  template(dialog) {
    this.#update = dialog.update;
    const close = (/** @type {any} */ event) => event.target.closest("dialog").close();
    return html`<div class="invite">
      <section>
        <h3>${t("inviteByName")}</h3>
        ${this.#finder.element}
      </section>
      ${this.#mailForm ? this.#mails.template(this.#mailForm) : nothing}
      <section>
        <h3 id="invite-links" tabindex="-1">${t("inviteByLink")}</h3>
        ${this.#making()}
        ${this.#link ? this.#made() : nothing}
        <p class="quiet" role="status">${this.#told}</p>
        <p class="error" role="alert">${this.#error}</p>
        ${this.#list.length ? html`<ul class="links">${this.#list.map((line) => this.#line(line))}</ul>` : nothing}
      </section>
      <div class="actions"><button type="button" class="button" @click=${close}>${t("close")}</button></div>
    </div>`;
  }

  #making() {
    const make = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
      void this.#act(() => this.#make(Number(data.get("life"))));
    };
    return html`<form class="enter" @submit=${make}>
      <div class="field">
        <label for="invite-life">${t("linkLife")}</label>
        <select id="invite-life" name="life">
          ${LIVES.map(([life, name]) => html`<option value=${life} ?selected=${life === WEEK}>${t(name)}</option>`)}
        </select>
      </div>
      <button class="button">${t("makeLink")}</button>
    </form>`;
  }

  #made() {
    return html`<div class="enter">
      <div class="field">
        <label for="invite-link">${t("newLink")}</label>
        <input id="invite-link" type="text" readonly dir="ltr" .value=${this.#link}
          @focus=${(/** @type {any} */ event) => event.target.select()} />
      </div>
      <button type="button" class="button primary" @click=${() => this.#act(() => this.#copy())}>${t("copyLink")}</button>
    </div>`;
  }

  /** @param {RoomLink} line */
  #line(line) {
    const until = t("linkUntil", { when: dateAndTime(new Date(line.expires_at)) });
    const mine = line.by.id === this.#view.app.me.id;
    const what = line.mail?.to ?? until;
    const revoke = () => this.#act(() => this.#revoke(line));
    return html`<li>
      <span class="words">
        ${line.mail ? mailed(line.mail) : nothing}
        <span class=${line.mail ? "quiet" : ""}>${until}</span>
        <span class="quiet">${mine ? nothing : html`<bdi>${line.by.name}</bdi> · `}${uses(line)}</span>
      </span>
      <button type="button" class="button" aria-label=${t("takeBackName", { what })} @click=${revoke}>${t("takeBack")}</button>
    </li>`;
  }

  /** @param {() => Promise<void>} act a refusal of it is told */
  async #act(act) {
    this.#told = this.#error = "";
    try {
      await act();
    } catch (refused) {
      this.#error = explain(refused);
    }
    this.#update();
  }

  async #reload() {
    const { invitations, mail } = await this.#links.list();
    this.#list = invitations;
    this.#mailForm = mail;
    if (invitations.some((line) => line.mail?.state === "waiting")) setTimeout(() => this.#again(), PATIENCE);
  }

  /** A mail was on its way; whether it has arrived is told by the list. */
  async #again() {
    if (!document.querySelector("dialog .invite")) return;
    // What failed just now may succeed later, and nobody has asked for it.
    await this.#reload().catch(() => {});
    this.#update();
  }

  /** @param {import("../sdk/types.js").Person} person */
  async #add(person) {
    const { app, slug } = this.#view;
    await app.connection.request("member.add", { room: slug, member: person.id });
    this.#finder.clear();
    this.#told = t("isMember", { name: person.name });
  }

  /** @param {number} seconds */
  async #make(seconds) {
    this.#link = (await this.#links.make(seconds)).link;
    this.#told = t("linkMade");
    this.#update();
    document.getElementById("invite-link")?.focus();
    await this.#reload();
  }

  async #copy() {
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById("invite-link"));
    try {
      await navigator.clipboard.writeText(this.#link);
      this.#told = t("linkCopied");
    } catch {
      // Without a secure context there is no clipboard: the selected text can be copied by hand.
      field?.focus();
      this.#told = t("notCopied");
    }
  }

  /** @param {RoomLink} line */
  async #revoke(line) {
    await this.#links.revoke(line.id);
    this.#told = t("linkTakenBack");
    await this.#reload();
    // The button that had the focus goes with its line.
    document.getElementById("invite-links")?.focus();
  }
}

/** @param {{to: string | null, state: string}} mail */
function mailed({ to, state }) {
  const told = state === "sent" ? nothing : html` · ${t(`mailState.${state}`)}`;
  return html`<span>${to ? html`<bdi>${to}</bdi>` : t("mailSomebody")}${told}</span>`;
}

/** @param {RoomLink} line */
function uses({ mail, uses: n }) {
  if (!mail) return t("linkUses", { n });
  return n ? t("mailUsed") : t("mailUnused");
}
