import { Connection } from "#sdk";

/** Before the key of a conversation that the server has not been asked for yet. */
const NEW = "new:";

/**
 * Where a message goes that is the first of its conversation: the connection opens that before it
 * sends. The outbox keeps it as it does any other; the same visitor has the same place in each tab.
 *
 * @param {string} visitor his id: 32 hexadecimal digits, which are a UUID as well
 */
export function newPlace(visitor) {
  return NEW + visitor.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

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
    if (type !== "message.send" || !fields.room.startsWith(NEW)) return super.request(type, fields);
    const conversation = await this.openConversation(fields.room.slice(NEW.length));
    this.#opened(conversation);
    return super.request(type, { ...fields, room: conversation.room });
  }

  /**
   * @param {string} key a UUID
   * @returns {Promise<any>} the result: the newest conversation, made where there was none
   */
  async openConversation(key) {
    return super.request("conversation.open", { key, url: await this.#where() });
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
