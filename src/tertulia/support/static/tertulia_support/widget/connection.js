import { Connection, newKey } from "#sdk";

/**
 * Where a message goes whose conversation the server has not been asked for yet: the connection opens
 * that before it sends. The outbox keeps it as it does any other; they are the same in each tab of a
 * visitor, for whom alone it keeps them.
 *
 * `NEWEST`: the newest, or his first. `ANOTHER`: another, if the newest is resolved.
 */
export const NEWEST = ":newest";
export const ANOTHER = ":another";

/**
 * The connection of a visitor.
 *
 * @extends {Connection}
 */
export class VisitorConnection extends Connection {
  #where;
  #opened;
  /** The page that the server knows of. */
  #told = "";

  /**
   * @param {string} url
   * @param {object} options
   * @param {() => string} options.token
   * @param {() => Promise<string>} options.where the address of the page that the visitor looks at
   * @param {(conversation: any) => void} options.opened a conversation was opened for a message
   */
  constructor(url, { token, where, opened }) {
    super(url, { token, WebSocket: VisitorSocket });
    this.#where = where;
    this.#opened = opened;
  }

  /**
   * @param {string} type
   * @param {Record<string, any>} [fields]
   * @returns {Promise<any>}
   */
  async request(type, fields = {}) {
    if (type !== "message.send") return super.request(type, fields);
    if (![NEWEST, ANOTHER].includes(fields.room)) {
      await this.#tellWhere();
      return super.request(type, fields);
    }
    // Tried again after a lost reply, another one is the same by the key of its first message.
    const another = fields.room === ANOTHER;
    const conversation = await this.openConversation(another, another ? fields.key : newKey());
    this.#opened(conversation);
    return super.request(type, { ...fields, room: conversation.room });
  }

  /**
   * Asked twice, since the first reply was lost, it is the same conversation: the newest by then.
   *
   * @param {boolean} [another] in place of one that is resolved
   * @param {string} [key] whichever it made before, it is that one
   * @returns {Promise<any>} the result: the newest conversation, made where there was none
   */
  async openConversation(another = false, key = newKey()) {
    const url = (this.#told = await this.#where());
    return super.request("conversation.open", { key, url, new: another });
  }

  /** On which page he writes, where it is another than before: a site may have pages without loading any. */
  async #tellWhere() {
    const url = await this.#where();
    if (url === this.#told) return;
    this.#told = url;
    // Before the message on its way, but the message does not hang on it.
    super.request("conversation.open", { key: newKey(), url }).catch(() => {
      this.#told = "";
    });
  }
}

/**
 * Where the site and the chat are parts of one, the browser shows the chat's cookie to the socket,
 * and a member who is signed in there is welcomed before the visitor. That is nobody in here.
 */
class VisitorSocket extends WebSocket {
  #welcomed = false;

  /** @param {((event: any) => void) | null} listener */
  set onmessage(listener) {
    super.onmessage = listener && ((event) => (this.#welcomed || this.#isWelcome(event.data)) && listener(event));
  }

  /** @param {string} data */
  #isWelcome(data) {
    const frame = JSON.parse(data);
    this.#welcomed = frame.type === "welcome" && frame.me.kind === "visitor";
    return this.#welcomed;
  }
}
