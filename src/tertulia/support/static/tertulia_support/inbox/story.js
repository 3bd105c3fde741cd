import { signal } from "#signals";
import { t } from "#page/i18n.js";
import { day, dayOf, time } from "#page/format.js";

/**
 * @typedef {import("#sdk/types.js").Person} Person
 * @typedef {{room: string, seq: number, at: string, actor: Person, agent: Person | null, change: string,
 *   status: string, inbox: string, snoozed_until: string | null, rating: number | null}} Change
 */

/** Milliseconds until what happened before is asked for again, where the server could not say. */
const AGAIN = 5_000;

/** What has happened to a conversation: from before, and as it happens. */
export class Story {
  #view;
  /** By place in its log; replaced, never changed. @type {import("#signals").Signal<Map<string, Change>>} */
  #changes = signal(new Map());

  /** @param {import("./conversation-view.js").ConversationView} view */
  constructor(view) {
    this.#view = view;
  }

  open() {
    this.follow(this.#view.log);
  }

  /**
   * Hear of a log's changes; when it begins anew, ask what they were.
   *
   * @param {import("#sdk").RoomLog} log
   */
  follow(log) {
    log.on("event", (event) => {
      if (event.type === "conversation.changed") this.#put([/** @type {any} */ (event)]);
    });
    log.on("reset", () => {
      // Of another history, perhaps.
      const others = [...this.#changes.peek().values()].filter(({ room }) => room !== log.slug);
      this.#changes.value = new Map(others.map((change) => [keyOf(change), change]));
      void this.#fetch();
    });
  }

  /** @param {string} room a log's changes, in their order */
  of(room) {
    return [...this.#changes.value.values()].filter((change) => change.room === room).sort((a, b) => a.seq - b.seq);
  }

  async #fetch() {
    const { app, slug } = this.#view;
    const answer = await fetch(`${app.home}${encodeURIComponent(slug)}/changes/`).catch(() => null);
    if (answer?.ok) this.#put((await answer.json()).changes);
    else if (answer === null || answer.status >= 500) setTimeout(() => app.view.peek() === this.#view && this.#fetch(), AGAIN);
  }

  /** @param {Change[]} changes */
  #put(changes) {
    this.#changes.value = new Map([...this.#changes.peek(), ...changes.map((change) => /** @type {const} */ ([keyOf(change), change]))]);
  }
}

/** @param {Change} change */
export function keyOf({ room, seq }) {
  return `${room}:${seq}`;
}

/**
 * A change in words.
 *
 * @param {import("./conversation-view.js").ConversationView} view
 * @param {Change} change
 */
export function words(view, change) {
  const { me, inboxes } = view.app;
  const { actor, agent, rating } = change;
  const mine = actor.id === me.id;
  const name = actor.name;
  const by = (/** @type {string} */ key, values = {}) => t(mine ? `you.${key}` : `they.${key}`, { name, ...values });
  switch (change.change) {
    case "opened":
      return t("happened.opened", { name });
    case "assigned":
      if (agent === null) return by("unassigned");
      if (agent.id === actor.id) return by("took");
      return agent.id === me.id ? t("they.assignedYou", { name }) : by("assigned", { agent: agent.name });
    case "resolved":
      return by("resolved");
    case "reopened":
      return actor.kind === "visitor" ? t("happened.wroteAgain", { name }) : by("reopened");
    case "rated":
      return t("happened.rated", { name, n: rating ?? 0 });
    case "snoozed":
      return by("snoozed", { time: moment(change.snoozed_until ?? change.at) });
    case "transferred":
      return by("transferred", { inbox: inboxes.nameOf(change.inbox) ?? "…" });
    default:
      return change.change;
  }
}

/**
 * A time to come: the day is left away where it is today.
 *
 * @param {string} at
 */
export function moment(at) {
  const date = new Date(at);
  return dayOf(date) === dayOf(new Date()) ? time(date) : t("dayAndTime", { day: day(date), time: time(date) });
}
