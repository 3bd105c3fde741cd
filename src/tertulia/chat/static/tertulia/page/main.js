import { App } from "./app.js";
import { speak } from "./i18n.js";

const page = JSON.parse(document.getElementById("tertulia-page")?.textContent ?? "{}");
await speak(document.documentElement.lang);
await new App(page).start();
