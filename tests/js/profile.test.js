import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Rooms } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";
import { Room } from "../../src/tertulia/chat/static/tertulia/sdk/room.js";
import { ANA, BEA, FakeClock, FakeNetwork } from "./support.js";

const BEATRIZ = { ...BEA, name: "Beatriz", avatar: "/chat/-/picture/0.webp" };

test("I am called anew, on whichever device I changed it", async () => {
  const network = new FakeNetwork();
  const connection = new Connection("ws://chat.test/ws/", { WebSocket: network.WebSocket, clock: new FakeClock() });
  connection.start();
  await network.welcome();
  const heard = [];
  connection.on("me", (who) => heard.push(who.name, connection.welcome.me.name));
  const me = { ...connection.welcome.me, name: "Ana María" };
  await network.give({ type: "person.changed", room: "lobby", who: BEATRIZ });
  await network.give({ type: "person.changed", room: null, who: me });
  assert.deepEqual(heard, ["Ana María", "Ana María"]);
});

test("members, who is here and who types are called anew", () => {
  const room = new Room("lobby");
  room.begin({ state: { kind: "public" }, members: [{ ...BEA, role: "owner" }], members_more: null });
  room.pass({ type: "presence.changed", here: [ANA, BEA] }, 0);
  room.pass({ type: "typing.started", who: BEA }, 0);
  room.pass({ type: "person.changed", room: "lobby", who: BEATRIZ }, 1);
  assert.deepEqual(room.members.get(BEA.id), { ...BEATRIZ, role: "owner" });
  assert.deepEqual(room.here, [ANA, BEATRIZ]);
  assert.equal(room.typing.get(BEA.id).who.name, "Beatriz");
  room.pass({ type: "presence.changed", here: 200 }, 2);
  room.pass({ type: "person.changed", room: "lobby", who: BEA }, 3);
  assert.equal(room.here, 200);
});

test("a direct room in the list is called after its people", async () => {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const connection = new Connection("ws://chat.test/ws/", { WebSocket: network.WebSocket, clock });
  const rooms = new Rooms(connection, { clock });
  connection.start();
  await network.welcome();
  const direct = { room: "d", name: "", kind: "direct", head: 1, messages: 0, unread: 0, mentions: 0, people: [BEA] };
  await network.answer("room.list", { rooms: [direct], more: null });
  await network.give({ type: "person.changed", room: "d", who: BEATRIZ });
  assert.deepEqual(rooms.get("d").people, [BEATRIZ]);
});
