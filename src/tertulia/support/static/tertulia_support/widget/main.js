import { speak } from "#page/i18n.js";
import { App } from "./app.js";

const page = JSON.parse(document.getElementById("tertulia-widget")?.textContent ?? "{}");
await speak(document.documentElement.lang, (language) => import(`./strings/${language}.js`));
new App(page).start();
