import { visible } from "#page/world.js";

/** Milliseconds for which something stands before one's eyes until one is taken to have seen it. */
export const A_LOOK = 1_000;

/**
 * Up to which seq I have had the conversation before my eyes: an answer is written against that. What
 * came in the moment in which it was sent, or out of view, is not in it.
 */
export class Seen {
  value = 0;

  #view;
  /** @type {any} */
  #timer = null;

  /** @param {import("./conversation-view.js").ConversationView} view */
  constructor(view) {
    this.#view = view;
  }

  /** The conversation is shown for the first time, or anew. */
  begin() {
    this.#stop();
    this.value = this.#view.log.head;
  }

  /** Something may have come into view, or gone out of it. */
  look() {
    const { head } = this.#view.log;
    if (!this.#inView()) this.#stop();
    else if (head > this.value) this.#timer ??= setTimeout(() => this.#looked(head), A_LOOK);
  }

  /** What has come was shown to me otherwise. @param {number} seq up to which */
  told(seq) {
    this.value = Math.max(this.value, seq);
  }

  close() {
    this.#stop();
  }

  /** @param {number} head when the look began */
  #looked(head) {
    this.#timer = null;
    if (this.#inView()) this.value = Math.max(this.value, head);
    this.look();
  }

  #inView() {
    const { log, timeline } = this.#view;
    return visible.peek() && timeline.atEnd.peek() && log.phase === "live";
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
