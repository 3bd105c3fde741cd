import { Disconnected, Refusal } from "#sdk";

/**
 * @typedef {{id: number, by: import("../sdk/types.js").Person, created_at: string,
 *   expires_at: string, uses: number, mail: null | {to: string | null, state: string}}} RoomLink
 *   a link that is still good; its address is not kept. `mail`: it was sent to somebody, whose
 *   address only the sender sees
 * @typedef {{id: number, link: string, expires_at: string}} NewLink
 * @typedef {{addresses: number, note: number, language: string, newcomers: boolean | null}} MailForm
 *   how many addresses at a time and letters of a note a mail may have, in which language it is,
 *   and whether people without an account can come by it
 * @typedef {{sent: string[], waiting: string[], failed: {address: string, why: string}[]}} Mailed
 */

/** The invitation links into one room, at the server. What it refuses is a `Refusal`. */
export class RoomLinks {
  #path;

  /**
   * @param {string} home the chat's address
   * @param {string} slug
   */
  constructor(home, slug) {
    this.#path = `${home}-/rooms/${encodeURIComponent(slug)}/invitations/`;
  }

  /**
   * @returns {Promise<{invitations: RoomLink[], mail: MailForm | null}>} those that I may take
   *   back, the newest first; `mail` is null where I send none
   */
  list() {
    return ask(this.#path);
  }

  /**
   * @param {string} addresses as they were typed
   * @param {string} note
   * @returns {Promise<Mailed>} when the mail server has answered, or has taken too long
   */
  mail(addresses, note) {
    return ask(`${this.#path}mail/`, { addresses, note });
  }

  /**
   * @param {number} seconds for which it is good: an hour, a day, 7 or 30 days
   * @returns {Promise<NewLink>}
   */
  make(seconds) {
    return ask(this.#path, { expires_in: seconds });
  }

  /** @param {number} id */
  async revoke(id) {
    await ask(`${this.#path}${id}/revoke/`, {});
  }
}

/**
 * @param {string} path
 * @param {Record<string, any>} [body] posted, where there is one
 * @returns {Promise<any>}
 */
async function ask(path, body) {
  const response = await fetch(path, body && posted(body)).catch(() => {
    throw new Disconnected();
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(answer.error ?? { code: "internal", detail: response.statusText });
}

/** @param {Record<string, any>} body */
function posted(body) {
  /** @type {HTMLInputElement | null} */
  const field = document.querySelector("[name=csrfmiddlewaretoken]");
  const headers = { "Content-Type": "application/json", "X-CSRFToken": field?.value ?? "" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
