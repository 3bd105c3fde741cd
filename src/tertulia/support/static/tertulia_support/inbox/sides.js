import { signal } from "#signals";
import { live } from "#page/live.js";
import { trigger } from "./variables.js";
import { t } from "#page/i18n.js";

/**
 * The two sides of a conversation, each to its field what a room is to the chat's.
 *
 * @typedef {import("./conversation-view.js").ConversationView} ConversationView
 * @typedef {import("#sdk/types.js").Message} Message
 */

class Side {
  // What stands beside the conversation is none of the field's business.
  detailsOpen = signal(false);
  /** That people who are named come in from elsewhere is offered in other rooms. */
  state = { kind: "support" };

  /** @param {ConversationView} view */
  constructor(view) {
    this.view = view;
    this.app = view.app;
  }

  get title() {
    return this.view.title;
  }

  get timeline() {
    return this.view.timeline;
  }

  /** @param {Message[]} messages */
  lastOf(messages) {
    const { me } = this.app;
    return messages.findLast((each) => each.author.id === me.id && !each.deleted) ?? null;
  }
}

/** What the visitor reads. */
export class ReplySide extends Side {
  get slug() {
    return this.view.slug;
  }

  /** Nobody is named to a visitor. */
  get log() {
    const { window, head } = this.view.log;
    return { window, head, messages: [], room: { members: new Map(), here: [], membersMore: null } };
  }

  get messages() {
    return this.view.messages;
  }

  /** The answers that are ready. */
  get further() {
    const { app, view } = this;
    return {
      label: t("cannedReplies"),
      trigger,
      suggest: async (/** @type {string} */ query) => (await import("./canned-list.js")).suggest(app, view, query),
    };
  }

  /**
   * @param {string} text
   * @param {number | null} replyTo
   */
  send(text, replyTo) {
    this.app.outbox.send(this.slug, text, { replyTo, seen: this.view.seen.value });
    this.timeline.goToEnd();
  }

  myLastMessage() {
    return this.lastOf(this.view.log.messages);
  }
}

/** What colleagues read. */
export class NoteSide extends Side {
  #log;

  /**
   * @param {ConversationView} view
   * @param {import("#sdk").RoomLog} log
   */
  constructor(view, log) {
    super(view);
    this.#log = log;
  }

  get slug() {
    return this.#log.slug;
  }

  /** Colleagues can be named, though they are no members. */
  get log() {
    const { window, head, messages, room } = this.#log;
    const members = new Map(this.view.colleagues.map((agent) => [agent.id, agent]));
    return { window, head, messages, room: { members, here: room.here, membersMore: null } };
  }

  get messages() {
    return live(this.#log).messages;
  }

  /** @param {string} text */
  send(text) {
    this.app.outbox.send(this.slug, text);
    this.timeline.goToEnd();
  }

  myLastMessage() {
    return this.lastOf(this.#log.messages);
  }
}
