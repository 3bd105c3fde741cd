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
    const toOpen = type === "message.send" && [NEWEST, ANOTHER].includes(fields.room);
    if (!toOpen) return super.request(type, fields);
    const conversation = await this.openConversation(fields.room === ANOTHER);
    this.#opened(conversation);
    return super.request(type, { ...fields, room: conversation.room });
  }

  /**
   * Asked twice, since the first reply was lost, it is the same conversation: the newest by then.
   *
   * @param {boolean} [another] in place of one that is resolved
   * @returns {Promise<any>} the result: the newest conversation, made where there was none
   */
  async openConversation(another = false) {
    return super.request("conversation.open", { key: newKey(), url: await this.#where(), new: another });
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
