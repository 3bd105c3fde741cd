import { useTimeZone } from "#page/format.js";
import { speak } from "#page/i18n.js";
import { Desk } from "./desk.js";
import "./icons.js";

/** The chat's texts, which its modules ask for, and this page's own. @param {string} code */
async function load(code) {
  const [chat, own] = await Promise.all([import(`#page/strings/${code}.js`), import(`./strings/${code}.js`)]);
  return { default: { ...chat.default, ...own.default } };
}

const page = JSON.parse(document.getElementById("tertulia-page")?.textContent ?? "{}");
useTimeZone(page.timeZone ?? "");
await speak(document.documentElement.lang, load);
await new Desk(page).start();
