import { t } from "./i18n.js";
import { notify } from "./notices.js";

/**
 * @param {string} text
 * @param {string} done what is said then
 * @returns {Promise<boolean>}
 */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    notify(done);
    return true;
  } catch {
    notify(t("notCopied"));
    return false;
  }
}
