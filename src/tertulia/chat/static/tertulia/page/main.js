import { App } from "./app.js";
import { useTimeZone } from "./format.js";
import { speak } from "./i18n.js";

const page = JSON.parse(document.getElementById("tertulia-page")?.textContent ?? "{}");
useTimeZone(page.timeZone ?? "");
await speak(document.documentElement.lang);
await new App(page).start();
