import { newKey } from "#sdk";
import { ask } from "./dialog.js";
import { html, nothing } from "./dom.js";
import { PersonFinder } from "./finder.js";
import { t } from "./i18n.js";
import { explain } from "./notices.js";

/** @typedef {import("../sdk/types.js").Person} Person */

/**
 * Ask for name and kind of a new room and make it.
 *
 * @param {import("../sdk/index.js").Connection} connection
 * @param {{name?: string, offered?: boolean}} [options] `offered`: somebody asked for a room
 *   of this name, and there is none
 * @returns {Promise<string | null>} the room's slug
 */
export function createRoom(connection, { name = "", offered = false } = {}) {
  const key = newKey();
  let error = "";
  return ask(t("newRoom"), ({ done, update }) => {
    const create = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
      const fields = { key, name: String(data.get("name")).trim(), kind: data.get("kind") };
      try {
        const { room } = await connection.request("room.create", fields);
        done(room);
      } catch (refused) {
        error = explain(refused);
        update();
      }
    };
    return html`<form @submit=${create}>
      ${offered ? html`<p>${t("noSuchRoomYet", { name })}</p>` : nothing}
      <div class="field">
        <label for="new-room-name">${t("roomName")}</label>
        <input id="new-room-name" name="name" required maxlength="200" autocomplete="off" autofocus value=${name} />
      </div>
      <fieldset>
        <legend class="sr-only">${t("newRoom")}</legend>
        <label class="choice"><input type="radio" name="kind" value="public" checked /> ${t("publicChoice")}</label>
        <label class="choice"><input type="radio" name="kind" value="private" /> ${t("privateChoice")}</label>
      </fieldset>
      <p class="error" role="alert">${error}</p>
      ${buttons(t("createRoom"))}
    </form>`;
  });
}

/**
 * Ask whom to write to and open the direct room with them; the same people find the same one.
 *
 * @param {import("../sdk/index.js").Connection} connection
 * @param {Person} me
 * @returns {Promise<string | null>} the room's slug
 */
export function writeTo(connection, me) {
  const key = newKey();
  /** @type {Person[]} */
  let chosen = [];
  let error = "";
  let update = () => {};
  const choose = (/** @type {Person} */ person) => {
    chosen = [...chosen, person];
    finder.clear();
    update();
  };
  const excluded = (/** @type {string} */ id) =>
    id === me.id || chosen.some((person) => person.id === id);
  const takeBack = () => {
    chosen = chosen.slice(0, -1);
    update();
  };
  const finder = new PersonFinder(connection, choose, excluded, takeBack);
  return ask(t("writeToTitle"), (dialog) => {
    update = dialog.update;
    const takeOut = (/** @type {Person} */ person) => {
      chosen = chosen.filter((each) => each !== person);
      update();
    };
    const start = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const members = chosen.map((person) => person.id);
      try {
        const { room } = await connection.request("room.create", { key, kind: "direct", members });
        dialog.done(room);
      } catch (refused) {
        error = explain(refused);
        update();
      }
    };
    return html`<form @submit=${start}>
      ${chosen.length ? html`<ul class="chips">${chosen.map((person) => chip(person, takeOut))}</ul>` : nothing}
      ${finder.element}
      <p class="error" role="alert">${error}</p>
      ${buttons(t("startTalk"), chosen.length === 0)}
    </form>`;
  });
}

/**
 * @param {Person} person
 * @param {(person: Person) => void} takeOut
 */
function chip(person, takeOut) {
  const label = t("takeOut", { name: person.name });
  return html`<li>
    <button type="button" class="chip" aria-label=${label} @click=${() => takeOut(person)}>
      <bdi>${person.name}</bdi> <span aria-hidden="true">×</span>
    </button>
  </li>`;
}

/** @param {string} act */
function buttons(act, disabled = false) {
  const close = (/** @type {any} */ event) => event.target.closest("dialog").close();
  return html`<div class="actions">
    <button class="button primary" ?disabled=${disabled}>${act}</button>
    <button type="button" class="button" @click=${close}>${t("cancel")}</button>
  </div>`;
}
