/**
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").DurableEvent} DurableEvent
 */

/**
 * A run of a room's messages without a gap: what of its history is at hand.
 *
 * Message objects are never changed, only replaced, so whoever shows them can compare by
 * identity. A message is never replaced by a lower version of itself.
 */
export class MessageWindow {
  /** @type {Message[]} ascending by seq */
  messages = [];
  moreBefore = false;
  /** False: the run reaches the room's newest message, and new ones belong to it. */
  moreAfter = false;

  /** @param {number} seq of the message's creation */
  find(seq) {
    const index = this.#place(seq);
    const message = this.messages[index];
    return message?.seq === seq ? message : null;
  }

  /**
   * Another run in place of this one.
   *
   * @param {Message[]} messages
   * @param {boolean} moreBefore
   * @param {boolean} moreAfter
   */
  replace(messages, moreBefore, moreAfter) {
    this.messages = [...messages];
    this.moreBefore = moreBefore;
    this.moreAfter = moreAfter;
  }

  /**
   * A page that ends just before this run.
   *
   * @param {Message[]} page
   * @param {boolean} more
   */
  prepend(page, more) {
    for (const message of page) this.#put(message);
    this.moreBefore = more;
  }

  /**
   * A page that begins just after this run.
   *
   * @param {Message[]} page
   * @param {boolean} more
   */
  append(page, more) {
    for (const message of page) this.#put(message);
    this.moreAfter = more;
  }

  /**
   * Forget the oldest messages beyond `limit`.
   *
   * @param {number} limit
   */
  trimStart(limit) {
    if (this.messages.length <= limit) return;
    this.messages = this.messages.slice(-limit);
    this.moreBefore = true;
  }

  /**
   * Forget the newest messages beyond `limit`.
   *
   * @param {number} limit
   */
  trimEnd(limit) {
    if (this.messages.length <= limit) return;
    this.messages = this.messages.slice(0, limit);
    this.moreAfter = true;
  }

  /**
   * Bring the run to what it is after `event`. Events may be repeated.
   *
   * @param {DurableEvent} event
   */
  apply(event) {
    if (event.type === "message.created" && event.message) {
      if (this.find(event.message.seq) || !this.moreAfter) this.#put(event.message);
    } else if (event.message) {
      if (this.find(event.message.seq)) this.#put(event.message);
    } else if (event.type === "reaction.added" || event.type === "reaction.removed") {
      this.#react(event);
    }
  }

  /** @param {DurableEvent} event */
  #react(event) {
    const message = this.find(event.target ?? 0);
    if (message) this.#put({ ...message, version: event.seq, reactions: reacted(message, event) });
  }

  /** @param {Message} message */
  #put(message) {
    const index = this.#place(message.seq);
    const present = this.messages[index];
    const known = present?.seq === message.seq;
    if (known && present.version >= message.version) return;
    const before = this.messages.slice(0, index);
    const after = this.messages.slice(known ? index + 1 : index);
    this.messages = [...before, message, ...after];
  }

  /**
   * Where `seq` is, or would be put. New messages are asked for most, so from the end.
   *
   * @param {number} seq
   */
  #place(seq) {
    let index = this.messages.length;
    while (index > 0 && this.messages[index - 1].seq >= seq) index -= 1;
    return index;
  }
}

/**
 * The message's reactions after `event`. The server names at most 50 people a reaction; here
 * nobody is cut whose reaction was seen, or the reader's own could be the one.
 *
 * @param {Message} message
 * @param {DurableEvent} event
 */
function reacted(message, event) {
  const { emoji = "", count = 0 } = event;
  const before = message.reactions.find((reaction) => reaction.emoji === emoji);
  const others = (before?.by ?? []).filter((id) => id !== event.actor.id);
  const by = event.type === "reaction.added" ? [...others, event.actor.id] : others;
  const after = { emoji, count, by };
  if (!before) return count > 0 ? [...message.reactions, after] : message.reactions;
  return message.reactions.flatMap((reaction) => {
    if (reaction !== before) return [reaction];
    return count > 0 ? [after] : [];
  });
}
