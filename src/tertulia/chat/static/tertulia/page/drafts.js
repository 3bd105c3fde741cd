/**
 * What is written and not sent, by name: for as long as the tab lives, or the page, where the
 * browser keeps nothing more.
 *
 * @type {Map<string, string>}
 */
const drafts = new Map();

/** @param {string} name */
export function draftOf(name) {
  try {
    return drafts.get(name) ?? sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} name
 * @param {string} text empty: there is none any more
 */
export function keepDraft(name, text) {
  drafts.set(name, text);
  try {
    if (text) sessionStorage.setItem(name, text);
    else sessionStorage.removeItem(name);
  } catch {
    // Forbidden, or full.
  }
}
