import { html, nothing } from "#page/dom.js";
import { Part } from "#page/element.js";
import { dateAndTime, day, dayOf, excerpt, time } from "#page/format.js";
import { spoken, t } from "#page/i18n.js";
import { icon } from "#page/icons.js";
import { live } from "#page/live.js";
import { avatar } from "#page/people.js";
import { roomPath } from "#page/router.js";
import { wide } from "./desk.js";
import { plain } from "./plain.js";
import { shownAt } from "./times.js";

/**
 * @typedef {import("./conversation-view.js").ConversationView} ConversationView
 * @typedef {import("./conversations.js").Visitor} Visitor
 * @typedef {import("./filters.js").Conversation} Conversation
 */

/** Who writes, from where, and what else he has written about. */
export class VisitorPart extends Part {
  /** @param {ConversationView} view */
  constructor(view) {
    super();
    this.view = view;
  }

  connectedCallback() {
    super.connectedCallback();
    // Where it comes over the conversation the keyboard goes with it.
    if (!wide.matches) /** @type {HTMLElement | null} */ (this.querySelector("button"))?.focus();
  }

  template() {
    const { view } = this;
    const { about, state } = view;
    return html`<header class="details-top">
        <h2>${t("visitor")}</h2>
        <button type="button" class="icon-button" aria-label=${t("close")} title=${t("close")} @click=${() => view.app.toggleDetails(false)}>${icon("close")}</button>
      </header>
      <div class="details-body visitor">
        ${state ? html`<div class="visitor-who">${avatar(state.client, "large")}<div><h3><bdi>${state.client.name}</bdi></h3>
          ${about?.visitor.external_id ? html`<p class="quiet">${t("knownAs", { id: about.visitor.external_id })}</p>` : html`<p class="quiet">${t("anonymous")}</p>`}</div></div>` : nothing}
        ${about ? facts(view, about.visitor, mailed(view)) : nothing}
        ${state ? conversation(view, state) : nothing}
        ${about ? past(view, about.past) : nothing}
      </div>`;
  }
}

customElements.define("tertulia-visitor", VisitorPart);

/**
 * @param {string} sign
 * @param {string} name
 * @param {any} value
 */
function fact(sign, name, value) {
  return html`<div><dt title=${name}>${icon(sign)}<span class="sr-only">${name}</span></dt><dd>${value}</dd></div>`;
}

/** @param {ConversationView} view how the answers fare that go to him by mail */
function mailed(view) {
  const { state, clientRead } = view;
  const mail = state?.mail;
  if (!mail || (mail.state === "waiting" && mail.seq <= clientRead)) return nothing;
  return html`<p class="mailed ${mail.state}" role="status">${t(`mail.${mail.state}`, { time: short(new Date(mail.at)) })}</p>`;
}

/**
 * @param {ConversationView} view
 * @param {Visitor} visitor
 * @param {any} mail
 */
function facts(view, { email, language, time_zone, url }, mail) {
  return html`<dl class="facts">
    ${fact("mail", t("email"), html`${email ? html`<a href="mailto:${encodeURIComponent(email).replaceAll("%40", "@")}"><bdi>${email}</bdi></a>` : html`<span class="quiet">${t("noEmail")}</span>`}${mail}`)}
    ${language ? fact("globe", t("language"), languageName(language)) : nothing}
    ${fact("clock", t("localTime"), localTime(view.app.time, time_zone))}
    ${fact("page", t("pageOf"), pageLink(url))}
  </dl>`;
}

/** @param {string} code */
function languageName(code) {
  try {
    return new Intl.DisplayNames(spoken(), { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/**
 * @param {number} now
 * @param {string} zone as his browser names it, or whoever says that it is one
 */
function localTime(now, zone) {
  try {
    const clock = new Date(shownAt(now, zone || "?"));
    const place = zone.split("/").at(-1)?.replaceAll("_", " ");
    const shown = new Intl.DateTimeFormat(spoken(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23", weekday: "short", timeZone: "UTC" }).format(clock);
    return html`${shown} <span class="quiet">${place}</span>`;
  } catch {
    return html`<span class="quiet">${t("noTimeZone")}</span>`;
  }
}

/** @param {string} url as the visitor's browser told it: only what a browser opens as a page is a link */
function pageLink(url) {
  if (!url) return html`<span class="quiet">${t("noPage")}</span>`;
  let address;
  try {
    address = new URL(url);
  } catch {
    return excerpt(url, 200);
  }
  if (!["https:", "http:"].includes(address.protocol)) return excerpt(url, 200);
  const shown = `${address.host}${address.pathname === "/" ? "" : decoded(address.pathname)}${address.search}`;
  return html`<a href=${address.href} target="_blank" rel="noopener noreferrer nofollow" title=${address.href}><bdi>${excerpt(shown, 80)}</bdi><span class="sr-only"> ${t("newTab")}</span></a>`;
}

/** @param {string} path */
function decoded(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/**
 * @param {ConversationView} view
 * @param {Conversation} state
 */
function conversation({ app }, { opened_at, inbox, rating, rating_text }) {
  const opened = new Date(opened_at);
  return html`<section>
    <h3>${t("conversation")}</h3>
    <dl class="facts plain">
      <div><dt>${t("begun")}</dt><dd><time datetime=${opened_at} title=${dateAndTime(opened)}>${short(opened)}</time></dd></div>
      <div><dt>${t("inbox")}</dt><dd><bdi>${live(app.inboxes).nameOf(inbox) ?? ""}</bdi></dd></div>
      ${rating ? html`<div><dt>${t("rating")}</dt><dd>${stars(rating)}${rating_text ? html`<q class="rating-text" dir="auto">${rating_text}</q>` : nothing}</dd></div>` : nothing}
    </dl>
  </section>`;
}

/** @param {number} rating */
function stars(rating) {
  return html`<span class="stars"><span class="sr-only">${t("ratedOf", { n: rating })}</span>${[1, 2, 3, 4, 5].map((n) => html`<span class=${n <= rating ? "star-on" : "star-off"}>${icon("star")}</span>`)}</span>`;
}

/**
 * @param {ConversationView} view
 * @param {Conversation[]} others
 */
function past({ app }, others) {
  return html`<section>
    <h3>${t("pastConversations")}</h3>
    ${others.length === 0 ? html`<p class="quiet">${t("noPast")}</p>` : html`<ul class="past">${others.map((each) => html`<li><a href=${roomPath(app.home, each.room)}>
      <span class="past-text" dir="auto">${each.last ? excerpt(plain(each.last.text), 90) : t("nothingSaid")}</span>
      <span class="quiet">${short(new Date(each.last?.at ?? each.opened_at))} · ${t(`status.${each.status}`)}</span>
    </a></li>`)}</ul>`}
  </section>`;
}

/** @param {Date} date */
function short(date) {
  return dayOf(date) === dayOf(new Date()) ? t("dayAndTime", { day: day(date), time: time(date) }) : day(date);
}
