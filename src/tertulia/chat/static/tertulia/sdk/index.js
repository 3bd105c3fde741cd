/**
 * The browser's side of the protocol, free of the page: connect, follow a room, say something.
 *
 *     const connection = new Connection("wss://chat.example.org/ws/");
 *     const outbox = new Outbox(connection);
 *     const lobby = new RoomLog(connection, "lobby");
 *     lobby.on("message", (message) => console.log(message.author.name, message.text));
 *     connection.start();
 *     lobby.open();
 *     outbox.send("lobby", "hola");
 */
export { Connection, wakeWith } from "./connection.js";
export { Disconnected, Refusal } from "./errors.js";
export { newKey } from "./keys.js";
export { RoomLog } from "./log.js";
export { openOutbox } from "./open.js";
export { Outbox } from "./outbox.js";
export { Rooms } from "./rooms.js";
export { localStore, memoryStore, openStore } from "./store.js";
export { Tabs, openTabs } from "./tabs.js";
