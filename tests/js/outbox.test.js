import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Outbox, localStore, memoryStore } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";
import { ANA, BEA, FakeClock, FakeNetwork, created, settle } from "./support.js";

let lastKey = 0;

async function start({ store = memoryStore(), online = true, owner = null } = {}) {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const options = { WebSocket: network.WebSocket, clock, random: () => 0.5 };
  const connection = new Connection("ws://chat.test/ws/", options);
  const outbox = new Outbox(connection, { store, owner, clock, newKey: () => `key-${++lastKey}` });
  connection.start();
  if (online) await network.welcome();
  return { network, clock, connection, outbox, store };
}

async function reconnect({ network, connection }) {
  await network.close();
  connection.wake();
  await network.welcome();
}

const sent = (network) => network.commands("message.send").map(({ text }) => text);

/** Just enough of the browser's `Storage`. */
class FakeStorage {
  #entries = new Map();
  get length() {
    return this.#entries.size;
  }
  key = (index) => [...this.#entries.keys()][index] ?? null;
  getItem = (name) => this.#entries.get(name) ?? null;
  setItem = (name, value) => void this.#entries.set(name, value);
  removeItem = (name) => void this.#entries.delete(name);
}

test("shows a message at once, and no more when the log has it", async () => {
  const { network, outbox } = await start();
  const { key } = outbox.send("lobby", "hola");
  assert.equal(outbox.items("lobby")[0].text, "hola");
  await settle();
  assert.deepEqual(network.commands("message.send")[0].key, key);
  await network.answer("message.send", { seq: 7, sent_at: "", duplicate: false });
  assert.deepEqual(outbox.items("lobby", 6).map((item) => item.state), ["sent"]);
  assert.deepEqual(outbox.items("lobby", 7), []);
  assert.equal(outbox.size, 0);
});

test("the event alone is enough to know that it arrived", async () => {
  const { network, outbox, connection } = await start();
  const { key } = outbox.send("lobby", "hola");
  await settle();
  await network.give(created(7, { key, author: ANA }));
  assert.deepEqual(outbox.items("lobby"), []);
  await reconnect({ network, connection });
  assert.deepEqual(sent(network), []);
});

test("somebody else's message with the same key is not mine", async () => {
  const { network, outbox } = await start();
  const { key } = outbox.send("lobby", "hola");
  await settle();
  await network.give(created(7, { key, author: BEA }));
  assert.equal(outbox.items("lobby").length, 1);
});

test("a send without a reply is sent again with the same key", async () => {
  const room = await start();
  const { key } = room.outbox.send("lobby", "hola");
  await settle();
  await reconnect(room);
  assert.deepEqual(room.network.commands("message.send").map((command) => command.key), [key]);
});

test("what is said without a connection waits and goes out in order", async () => {
  const room = await start({ online: false });
  for (const text of ["one", "two", "three"]) room.outbox.send("lobby", text);
  assert.equal(room.outbox.size, 3);
  await room.network.welcome();
  for (let seq = 1; seq <= 3; seq += 1) {
    assert.equal(sent(room.network).length, seq, "one at a time");
    await room.network.answer("message.send", { seq });
  }
  assert.deepEqual(sent(room.network), ["one", "two", "three"]);
  assert.equal(room.outbox.size, 0);
});

test("a refused message holds up the later ones of its room only", async () => {
  const { network, outbox } = await start();
  const { key } = outbox.send("lobby", "bad");
  outbox.send("lobby", "good");
  await settle();
  await network.refuse("message.send", { code: "forbidden" });
  assert.deepEqual(outbox.items("lobby").map((item) => item.state), ["failed", "waiting"]);
  assert.equal(outbox.items("lobby")[0].error, "forbidden");
  outbox.send("kitchen", "elsewhere");
  await settle();
  assert.deepEqual(sent(network), ["bad", "elsewhere"]);
  outbox.discard(key);
  await settle();
  assert.deepEqual(sent(network), ["bad", "elsewhere", "good"]);
});

test("a failed message is retried with the same key", async () => {
  const { network, outbox } = await start();
  const { key } = outbox.send("lobby", "hola");
  await settle();
  await network.refuse("message.send", { code: "forbidden" });
  outbox.retry(key);
  await settle();
  assert.deepEqual(network.commands("message.send").map((command) => command.key), [key, key]);
  assert.equal(outbox.items("lobby")[0].state, "sending");
});

test("too fast: sent again by itself, when the server says", async () => {
  const { network, clock, outbox } = await start();
  outbox.send("lobby", "one");
  outbox.send("lobby", "two");
  await settle();
  await network.refuse("message.send", { code: "rate_limited", retry_after: 4 });
  const [item] = outbox.items("lobby");
  assert.deepEqual([item.state, item.retryAt - clock.now()], ["waiting", 4000]);
  await clock.pass(3_900);
  assert.deepEqual(sent(network), ["one"]);
  await clock.pass(200);
  await network.answer("message.send", { seq: 1 });
  assert.deepEqual(sent(network), ["one", "one", "two"]);
});

test("a reply quotes the message it answers", async () => {
  const { network, outbox } = await start();
  outbox.send("lobby", "yes", { replyTo: 12 });
  await settle();
  assert.equal(network.commands("message.send")[0].reply_to, 12);
});

test("unsent messages survive a reload, with their keys and their order", async () => {
  const storage = new FakeStorage();
  const before = await start({ store: localStore("a1", storage), online: false });
  const keys = ["one", "two"].map((text) => before.outbox.send("lobby", text).key);
  await settle();
  const after = await start({ store: localStore("a1", storage), online: false });
  await after.outbox.restore();
  assert.deepEqual(after.outbox.items("lobby").map((item) => item.key), keys);
  await after.network.welcome();
  await after.network.answer("message.send", { seq: 1 });
  await after.network.answer("message.send", { seq: 2 });
  assert.deepEqual(sent(after.network), ["one", "two"]);
  assert.equal(storage.length, 0);
});

test("what was under way at the reload is sent again; what had failed still has", async () => {
  const storage = new FakeStorage();
  const before = await start({ store: localStore("a1", storage) });
  before.outbox.send("lobby", "under way");
  before.outbox.send("kitchen", "refused");
  await settle();
  await before.network.refuse("message.send", { code: "forbidden" });
  const after = await start({ store: localStore("a1", storage) });
  await after.outbox.restore();
  await settle();
  assert.deepEqual(sent(after.network), ["under way"]);
  assert.equal(after.outbox.items("kitchen")[0].state, "failed");
});

test("another person on the same browser sees nothing of it", async () => {
  const storage = new FakeStorage();
  const before = await start({ store: localStore("a1", storage), online: false });
  before.outbox.send("lobby", "mine");
  await settle();
  const after = await start({ store: localStore("b2", storage), online: false });
  await after.outbox.restore();
  assert.equal(after.outbox.size, 0);
});

test("a browser that keeps nothing does not keep the message from being sent", async () => {
  const refuse = async () => {
    throw new Error("QuotaExceededError");
  };
  const { network, outbox } = await start({ store: { load: refuse, put: refuse, remove: refuse } });
  outbox.send("lobby", "hola");
  await settle();
  assert.deepEqual(sent(network), ["hola"]);
  assert.equal(outbox.items("lobby")[0].fleeting, true);
  assert.equal(outbox.fleeting, true);
  await network.answer("message.send", { seq: 1 });
  assert.equal(outbox.fleeting, false);
});

test("what is not kept yet would be lost with the page, what is kept would not", async () => {
  const { outbox } = await start({ store: localStore("a1", new FakeStorage()), online: false });
  assert.equal(outbox.fleeting, false);
  outbox.send("lobby", "hola");
  assert.equal(outbox.fleeting, true);
  await settle();
  assert.deepEqual([outbox.fleeting, outbox.items("lobby")[0].fleeting], [false, false]);
});

test("in another history nothing of the old one counts as sent, and what was not is sent", async () => {
  const { network, outbox, connection } = await start();
  outbox.send("lobby", "answered");
  outbox.send("kitchen", "under way");
  await settle();
  const [{ ref }] = network.commands("message.send");
  await network.give({ type: "reply", ref, ok: true, result: { seq: 90 } });
  assert.deepEqual(outbox.items("lobby", 89).map(({ state }) => state), ["sent"]);
  await reconnect({ network, connection });
  assert.deepEqual(outbox.items("lobby", 89).map(({ state }) => state), ["sent"]);
  await network.close();
  connection.wake();
  await network.welcome({ epoch: "e2" });
  assert.deepEqual(outbox.items("lobby", 3), []);
  assert.deepEqual(sent(network), ["under way"]);
});

test("what is kept and is no message does no harm", async () => {
  const storage = new FakeStorage();
  storage.setItem("tertulia:outbox:a1:k1", "{");
  storage.setItem("tertulia:outbox:a1:k2", "null");
  const { outbox } = await start({ store: localStore("a1", storage) });
  await outbox.restore();
  assert.equal(outbox.size, 0);
});

test("a text that no server takes is refused before it is queued", async () => {
  const { network, outbox, store } = await start();
  const refused = (text, code) => assert.throws(() => outbox.send("lobby", text), { code });
  refused("x".repeat(10_001), "too_large");
  for (const blank of ["", " \n\t", "\u2800\u3164\u200b"]) refused(blank, "invalid");
  for (const malformed of ["a\0b", "\ud83d alone"]) refused(malformed, "invalid");
  await settle();
  assert.deepEqual([outbox.size, await store.load(), sent(network)], [0, [], []]);
});

test("a text is measured in code points, by the limit of the welcome", async () => {
  const { network, outbox } = await start({ online: false });
  outbox.send("lobby", "\u{1f642}".repeat(10_000));
  assert.throws(() => outbox.send("lobby", "\u{1f642}".repeat(10_001)), { code: "too_large" });
  await network.welcome({ limits: { frame: 131072, text: 3, page: 100, resume: 500 } });
  assert.throws(() => outbox.send("lobby", "four"), { code: "too_large" });
});

test("a message is sent only after it is kept, and in its order", async () => {
  const keeping = [];
  const put = () => new Promise((resolve) => keeping.push(resolve));
  const store = { load: async () => [], put, remove: async () => {} };
  const { network, outbox } = await start({ store });
  outbox.send("lobby", "one");
  outbox.send("lobby", "two");
  await settle();
  assert.deepEqual([keeping.length, sent(network)], [2, []]);
  keeping[0]();
  await settle();
  assert.deepEqual(sent(network), ["one"]);
  await network.answer("message.send", { seq: 1 });
  assert.deepEqual(sent(network), ["one"]);
  keeping[1]();
  await settle();
  assert.deepEqual(sent(network), ["one", "two"]);
});

test("a new message does not overtake those that are still being read from the store", async () => {
  const old = { ...(await start({ online: false })).outbox.send("lobby", "old"), order: 1 };
  let loaded;
  const load = () => new Promise((resolve) => (loaded = resolve));
  let order = 1;
  const store = { load, put: async () => ++order, remove: async () => {} };
  const { network, outbox } = await start({ store, online: false });
  void outbox.restore();
  await network.welcome();
  outbox.send("lobby", "new");
  await settle();
  assert.deepEqual(sent(network), []);
  loaded([old]);
  await settle();
  await network.answer("message.send", { seq: 1 });
  assert.deepEqual(sent(network), ["old", "new"]);
});

test("a wait that ends a moment early by the clock still ends", async () => {
  const { network, clock, outbox } = await start();
  outbox.send("lobby", "one");
  await settle();
  const { now } = clock;
  clock.now = () => Math.floor(now() / 10) * 10;
  await network.refuse("message.send", { code: "rate_limited", retry_after: 0.0155 });
  await clock.pass(16);
  assert.deepEqual(sent(network), ["one", "one"]);
});

test("an outbox of its own, too, sends nothing in somebody else's name", async () => {
  const { network, connection, outbox } = await start({ online: false, owner: ANA });
  outbox.send("lobby", "from Ana");
  await network.welcome({ me: BEA });
  assert.deepEqual(sent(network), []);
  await network.close();
  connection.wake();
  await network.welcome({ me: ANA });
  assert.deepEqual(sent(network), ["from Ana"]);
});

test("an answer that others have overtaken waits, with what comes after it, until it is insisted on", async () => {
  const { network, outbox } = await start();
  const { key } = outbox.send("desk", "hola", { seen: 4 });
  outbox.send("desk", "adiós");
  await settle();
  assert.equal(network.commands("message.send")[0].seen, 4);
  await network.refuse("message.send", { code: "conflict", detail: "", messages: [] });
  const [item, later] = outbox.items("desk");
  assert.deepEqual([item.state, item.error, item.seen, later.state], ["failed", "conflict", 4, "waiting"]);
  outbox.insist(key, 9);
  await settle();
  const again = network.commands("message.send").at(-1);
  assert.deepEqual([again.key, again.text, again.seen], [key, "hola", 9]);
  await network.answer("message.send", { seq: 10, sent_at: "", duplicate: false });
  assert.deepEqual(sent(network).at(-1), "adiós");
});

test("what is said in a room names no seq that was seen", async () => {
  const { network, outbox } = await start();
  outbox.send("lobby", "hola");
  await settle();
  assert.ok(!("seen" in network.commands("message.send")[0]));
});
