import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Rooms } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";
import { ANA, FakeClock, FakeNetwork, STATE, created, event, message } from "./support.js";

const LOBBY = { ...STATE, messages: 10, head: 12, read: 12, unread: 0, mentions: 0, favourite: false };

async function start(rooms = [LOBBY]) {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const options = { WebSocket: network.WebSocket, clock, random: () => 0.5 };
  const connection = new Connection("ws://chat.test/ws/", options);
  const list = new Rooms(connection, { clock });
  connection.start();
  await network.welcome();
  await network.answer("room.list", { rooms, more: null });
  return { network, clock, connection, list };
}

test("lists all pages", async () => {
  const { network, list } = await start();
  const refreshed = list.refresh();
  await network.answer("room.list", { rooms: [LOBBY], more: "2" });
  assert.equal(network.commands("room.list").at(-1).cursor, "2");
  await network.answer("room.list", { rooms: [{ ...LOBBY, room: "kitchen" }], more: null });
  await refreshed;
  assert.deepEqual(list.all.map((room) => room.room), ["lobby", "kitchen"]);
});

test("counts what is said in a room that I follow", async () => {
  const { network, list } = await start();
  await network.give(created(13, { number: 11 }));
  await network.give(created(14, { number: 12, mentions: ["a1"] }));
  assert.deepEqual([list.get("lobby").unread, list.get("lobby").mentions, list.unread], [2, 1, 2]);
});

test("my own message leaves nothing unread", async () => {
  const { network, list } = await start();
  await network.give(created(13, { number: 11 }));
  await network.give(created(14, { number: 12, author: ANA }));
  assert.equal(list.get("lobby").unread, 0);
});

test("counts what is said elsewhere", async () => {
  const { network, list } = await start();
  const activity = { type: "room.activity", room: "lobby", head: 15, messages: 13, mentioned: [] };
  await network.give(activity);
  assert.equal(list.get("lobby").unread, 3);
});

test("asks the server when somebody mentions me, since only it can count", async () => {
  const { network, clock, list } = await start();
  const activity = { type: "room.activity", room: "lobby", head: 15, messages: 13 };
  await network.give({ ...activity, mentioned: ["a1"] });
  await clock.pass(300);
  await network.answer("room.list", {
    rooms: [{ ...LOBBY, head: 15, messages: 13, unread: 3, mentions: 2 }],
    more: null,
  });
  assert.deepEqual([list.get("lobby").unread, list.get("lobby").mentions], [3, 2]);
});

test("a list that is older than what I heard is asked for again", async () => {
  const { network, clock, list } = await start();
  const refreshed = list.refresh();
  await network.give(created(13, { number: 11 }));
  await network.answer("room.list", { rooms: [LOBBY], more: null });
  await refreshed;
  await clock.pass(300);
  assert.equal(network.commands("room.list").length, 3);
});

test("reading on another device empties it here", async () => {
  const { network, list } = await start([{ ...LOBBY, read: 8, unread: 4 }]);
  await network.give({ type: "read.changed", room: "lobby", read: 12, who: ANA });
  assert.equal(list.get("lobby").unread, 0);
});

test("rooms come and go", async () => {
  const { network, clock, list } = await start();
  await network.give({ type: "room.left", room: "lobby" });
  assert.deepEqual(list.all, []);
  await network.give({ type: "room.entered", room: "kitchen" });
  await clock.pass(300);
  await network.answer("room.list", { rooms: [{ ...LOBBY, room: "kitchen" }], more: null });
  assert.deepEqual(list.all.map((room) => room.room), ["kitchen"]);
});

test("what I have read elsewhere before I hear of it is not unread", async () => {
  const { network, list } = await start();
  await network.give({ type: "read.changed", room: "lobby", read: 13, who: ANA });
  await network.give({ type: "room.activity", room: "lobby", head: 13, messages: 11, mentioned: [] });
  assert.equal(list.get("lobby").unread, 0);
  await network.give({ type: "read.changed", room: "lobby", read: 14, who: ANA });
  await network.give(created(14, { number: 12, mentions: ["a1"] }));
  assert.deepEqual([list.get("lobby").unread, list.get("lobby").mentions], [0, 0]);
});

test("asks when a part of what is new was read elsewhere", async () => {
  const { network, clock, list } = await start();
  await network.give({ type: "read.changed", room: "lobby", read: 13, who: ANA });
  await network.give({ type: "room.activity", room: "lobby", head: 14, messages: 12, mentioned: [] });
  await clock.pass(300);
  await network.answer("room.list", {
    rooms: [{ ...LOBBY, head: 14, messages: 12, read: 13, unread: 1 }],
    more: null,
  });
  assert.equal(list.get("lobby").unread, 1);
});

test("what I said on another device is not unread", async () => {
  const { network, list } = await start();
  await network.give({ type: "room.activity", room: "lobby", head: 13, messages: 11, mentioned: [] });
  assert.equal(list.get("lobby").unread, 1);
  await network.give({ type: "read.changed", room: "lobby", read: 13, who: ANA });
  assert.equal(list.get("lobby").unread, 0);
});

test("late news change nothing", async () => {
  const { network, list } = await start();
  await network.give(created(13, { number: 11 }));
  await network.give({ type: "room.activity", room: "lobby", head: 12, messages: 10, mentioned: [] });
  assert.deepEqual([list.get("lobby").unread, list.get("lobby").head], [1, 13]);
});

test("asks when an unread message is edited or deleted: it may name me now, or no longer", async () => {
  const { network, clock } = await start([{ ...LOBBY, read: 10, unread: 2, mentions: 1 }]);
  await network.give(event("message.deleted", 13, { message: message(9, { version: 13 }) }));
  await clock.pass(300);
  assert.equal(network.commands("room.list").length, 1, "what was read stays read");
  await network.give(event("message.edited", 14, { message: message(11, { version: 14 }) }));
  await clock.pass(300);
  assert.equal(network.commands("room.list").length, 2);
});

test("a favourite shows at once, here and on my other devices", async () => {
  const { network, list } = await start();
  const done = list.setFavourite("lobby", true);
  assert.equal(list.get("lobby").favourite, true);
  await network.answer("room.favourite");
  await done;
  await network.give({ type: "favourite.changed", room: "lobby", favourite: false });
  assert.equal(list.get("lobby").favourite, false);
});

test("a favourite that the server refuses is none", async () => {
  const { network, list } = await start();
  const refused = assert.rejects(list.setFavourite("lobby", true));
  await network.refuse("room.favourite", { code: "unavailable" });
  await refused;
  assert.equal(list.get("lobby").favourite, false);
});
