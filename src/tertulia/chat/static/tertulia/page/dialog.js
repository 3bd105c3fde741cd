import { html, render } from "./dom.js";
import { t } from "./i18n.js";

/**
 * A dialog over the page. Esc and its close button end it with null; focus goes back to
 * where it was.
 *
 * @template T
 * @param {string} title
 * @param {(dialog: {done: (value: T) => void, update: () => void}) => any} content
 *   the template inside; `update` renders it again
 * @returns {Promise<T | null>}
 */
export function ask(title, content) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", title);
  document.body.append(dialog);
  return new Promise((resolve) => {
    /** @type {T | null} */
    let answer = null;
    const handle = {
      done: (/** @type {T} */ value) => {
        answer = value;
        dialog.close();
      },
      update: () => render(html`<h2>${title}</h2>${content(handle)}`, dialog),
    };
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    handle.update();
    dialog.showModal();
  });
}

/**
 * @param {string} question
 * @param {string} act the name of what is done on yes
 * @returns {Promise<boolean>}
 */
export async function confirm(question, act) {
  const yes = await ask(question, ({ done }) => html`
    <div class="actions">
      <button type="button" class="button danger" @click=${() => done(true)}>${act}</button>
      <button type="button" class="button" autofocus @click=${() => done(false)}>${t("cancel")}</button>
    </div>
  `);
  return yes === true;
}
