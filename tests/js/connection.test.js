import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Disconnected, Refusal } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";
import { FakeClock, FakeNetwork, settle } from "./support.js";

function start(options = {}) {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const connection = new Connection("ws://chat.test/ws/", {
    WebSocket: network.WebSocket,
    clock,
    random: () => 0.5,
    ...options,
  });
  connection.start();
  return { network, clock, connection };
}

test("is online with the welcome", async () => {
  const { network, connection } = start();
  assert.equal(connection.status.state, "connecting");
  await network.welcome();
  assert.equal(connection.status.state, "online");
  assert.equal(connection.welcome.epoch, "e1");
});

test("gives each request its own reply, in whatever order they come", async () => {
  const { network, connection } = start();
  await network.welcome();
  const first = connection.request("room.list");
  const second = connection.request("person.find", { text: "b" });
  await network.answer("person.find", { people: ["bea"] });
  await network.answer("room.list", { rooms: [] });
  assert.deepEqual(await first, { rooms: [] });
  assert.deepEqual(await second, { people: ["bea"] });
});

test("a refusal tells its code, field and delay", async () => {
  const { network, connection } = start();
  await network.welcome();
  const request = connection.request("message.send", {});
  const refused = assert.rejects(request, (error) => {
    assert.ok(error instanceof Refusal);
    assert.deepEqual([error.code, error.field, error.retryAfter], ["invalid", "text", 1.5]);
    return true;
  });
  await network.refuse("message.send", { code: "invalid", field: "text", retry_after: 1.5 });
  await refused;
});

test("a request while the connection is being opened waits for the welcome", async () => {
  const { network, connection } = start();
  const request = connection.request("room.list");
  await network.welcome();
  await network.answer("room.list", { rooms: [] });
  assert.deepEqual(await request, { rooms: [] });
});

test("a request whose connection cannot be opened is refused", async () => {
  const { network, connection } = start();
  const refused = assert.rejects(connection.request("room.list"), Disconnected);
  await network.close();
  await refused;
});

test("a request without a connection is refused at once", async () => {
  const { network, connection } = start();
  await network.close();
  assert.equal(connection.status.state, "waiting");
  await assert.rejects(connection.request("room.list"), Disconnected);
});

test("a lost connection ends the requests that wait for a reply", async () => {
  const { network, connection } = start();
  await network.welcome();
  const lost = assert.rejects(connection.request("room.list"), Disconnected);
  await network.close();
  await lost;
});

test("connects again, later each time, with full jitter", async () => {
  const { network, clock, connection } = start();
  const delays = [];
  for (let i = 0; i < 10; i += 1) {
    await network.close();
    const delay = connection.status.retryAt - clock.now();
    delays.push(Math.round(delay));
    await clock.pass(delay);
    assert.equal(network.sockets.length, i + 2);
  }
  assert.deepEqual(delays, [250, 400, 640, 1024, 1638, 2621, 4194, 6711, 7500, 7500]);
});

test("the delays begin anew after a connection that held", async () => {
  const { network, clock, connection } = start();
  for (let i = 0; i < 4; i += 1) {
    await network.close();
    await clock.pass(2_000);
  }
  await network.welcome();
  await clock.pass(6_000);
  await network.close();
  assert.equal(connection.status.retryAt - clock.now(), 250);
});

test("waits a random part of what the server asks for", async () => {
  for (const code of [1012, 1013]) {
    const { network, clock, connection } = start();
    await network.welcome();
    await network.close(code, '{"retry_after":8}');
    assert.equal(connection.status.retryAt - clock.now(), 4000);
  }
});

test("does not connect again when that cannot help", async () => {
  for (const code of [4401, 4403, 4404]) {
    const { network, clock, connection } = start();
    await network.welcome();
    await network.close(code);
    assert.deepEqual([connection.status.state, connection.status.code], ["ended", code]);
    await clock.pass(600_000);
    connection.wake();
    assert.equal(network.sockets.length, 1);
  }
});

test("connects again after every other code", async () => {
  for (const code of [1001, 1006, 1009, 1011, 4400, 4408, 4429]) {
    const { network, clock } = start();
    await network.welcome();
    await network.close(code);
    await clock.pass(30_000);
    assert.ok(network.sockets.length > 1, `after ${code}`);
  }
});

test("finds out at once that nobody is signed in", async () => {
  const { network, connection } = start();
  network.socket.onopen({});
  await network.refuse("ping", { code: "unauthenticated" });
  assert.deepEqual([connection.status.state, connection.status.code], ["ended", 4401]);
});

test("offers the newest connect token, be it from the page, a welcome or a heartbeat", async () => {
  const { network, clock } = start({ connect: "from-the-page" });
  assert.deepEqual(network.socket.protocols, ["tertulia.v1", "tertulia.connect.from-the-page"]);
  await network.welcome({ connect: "welcome" });
  await network.close();
  await clock.pass(15_000);
  assert.deepEqual(network.socket.protocols, ["tertulia.v1", "tertulia.connect.welcome"]);
  await network.welcome({ connect: "again" });
  await network.give({ type: "heartbeat", connect: "heartbeat" });
  await network.close();
  await clock.pass(15_000);
  assert.deepEqual(network.socket.protocols, ["tertulia.v1", "tertulia.connect.heartbeat"]);
});

test("asks for a connect token where it has none", async () => {
  const { network } = start();
  assert.deepEqual(network.socket.protocols, ["tertulia.v1", "tertulia.connect."]);
});

test("speaks by a token where it is given one", async () => {
  const { network } = start({ token: () => "secret" });
  network.socket.onopen({});
  assert.deepEqual(network.socket.sent, [{ type: "auth", token: "secret" }]);
});

test("connects at once when the network or the page comes back", async () => {
  const { network, connection } = start();
  await network.close();
  connection.wake();
  assert.equal(network.sockets.length, 2);
});

test("a connection without a heartbeat that does not answer is given up within 30 s", async () => {
  const { network, clock, connection } = start();
  await network.welcome();
  const dead = network.socket;
  await clock.pass(25_000);
  assert.equal(network.commands("ping").length, 1, "only the first command, when it opened");
  await clock.pass(4_000);
  assert.equal(dead.closed, false);
  await clock.pass(1_000);
  assert.equal(dead.closed, true);
  await clock.pass(1_000);
  assert.equal(network.sockets.length, 2);
  assert.equal(connection.status.state, "connecting");
});

test("an answer from behind the end of the network is doubted while the browser says that there is none", async () => {
  let there = true;
  const { network, clock, connection } = start({ networkUp: () => there });
  await network.welcome();
  await network.answer("ping");
  there = false;
  connection.wake();
  // It was under way: the next question finds nobody.
  await network.answer("ping");
  await clock.pass(10_000);
  assert.equal(connection.online, false);
});

test("a server that is there without a network is asked again and again, and kept", async () => {
  const { network, clock, connection } = start({ networkUp: () => false });
  await network.welcome();
  await network.answer("ping");
  for (let i = 0; i < 10; i += 1) {
    await clock.pass(5_000);
    await network.answer("ping");
  }
  assert.equal(connection.online, true);
  assert.equal(network.sockets.length, 1);
});

test("a heartbeat keeps the connection", async () => {
  const { network, clock } = start();
  await network.welcome();
  for (let i = 0; i < 20; i += 1) {
    await clock.pass(25_000);
    await network.give({ type: "heartbeat" });
  }
  assert.equal(network.sockets.length, 1);
  assert.equal(network.commands("ping").length, 1, "only the first command, when it opened");
});

test("a quiet connection that answers is kept", async () => {
  const { network, clock } = start();
  await network.welcome();
  await clock.pass(26_000);
  await network.answer("ping");
  await clock.pass(10_000);
  assert.equal(network.sockets.length, 1);
});

test("a socket that never opens is given up", async () => {
  const { network, clock } = start();
  await clock.pass(15_300);
  assert.equal(network.sockets.length, 2);
});

test("frames of a socket that was given up are not heard", async () => {
  const { network, connection } = start();
  await network.welcome();
  const old = network.socket;
  const heard = [];
  connection.on("event", (frame) => heard.push(frame));
  await network.close();
  connection.wake();
  old.onmessage({ data: '{"type":"room.entered","room":"lobby"}' });
  old.onclose({ code: 4401, reason: "" });
  await settle();
  assert.deepEqual(heard, []);
  assert.equal(connection.status.state, "connecting");
});

test("a command without an answer shows a dead connection long before the heartbeat would", async () => {
  const { network, clock, connection } = start();
  await network.welcome();
  await network.answer("ping");
  const lost = assert.rejects(connection.request("message.send"), Disconnected);
  // More commands, each with a wait of its own, do not put the decision off.
  for (let i = 0; i < 4; i += 1) {
    assert.equal(connection.online, true);
    connection.request("typing.start").catch(() => {});
    await clock.pass(3_100);
  }
  assert.equal(connection.online, false);
  await lost;
});

test("a slow answer costs no connection that is alive", async () => {
  const { network, clock, connection } = start();
  await network.welcome();
  const request = connection.request("message.send");
  await clock.pass(9_000);
  await network.answer("ping");
  await clock.pass(9_000);
  assert.equal(network.sockets.length, 1);
  await network.answer("message.send", { seq: 1 });
  assert.deepEqual(await request, { seq: 1 });
});

test("an attempt that hangs is given up when the network comes back", async () => {
  const { network, clock, connection } = start();
  connection.wake();
  assert.equal(network.sockets.length, 1, "one that has just begun is left alone");
  await clock.pass(5_000);
  connection.wake();
  assert.equal(network.sockets.length, 2);
});
