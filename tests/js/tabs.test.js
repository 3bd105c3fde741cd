import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Outbox, Tabs } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";
import { FakeBrowser } from "./browser.js";
import { ANA, BEA, FakeClock, FakeNetwork, created, settle } from "./support.js";

const GUEST = { id: "g1", name: "guest-1", kind: "guest", avatar: null };
let lastKey = 0;

/** One more tab of a browser; its page has been loaded, and it is online unless said otherwise. */
async function open(browser, { online = true, owner = ANA } = {}) {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const connection = new Connection("ws://chat.test/ws/", {
    WebSocket: network.WebSocket,
    clock,
    random: () => 0.5,
  });
  const channel = browser.channel();
  const tabs = new Tabs("outbox", browser.locks, channel);
  const newKey = () => `tab-key-${++lastKey}`;
  const outbox = new Outbox(connection, { store: browser.store(), tabs, owner, clock, newKey });
  void outbox.restore();
  connection.start();
  if (online) await network.welcome({ me: owner });
  await settle();
  return { network, clock, connection, outbox, tabs, channel };
}

const sent = ({ network }) => network.commands("message.send").map(({ text }) => text);
const shown = ({ outbox }) => outbox.items("lobby").map(({ text, state }) => `${text}: ${state}`);

async function loses({ network }) {
  await network.close();
}

async function returns({ network, connection }) {
  connection.wake();
  await network.welcome();
  await settle();
}

test("one tab sends what every tab writes, and all show it", async () => {
  const browser = new FakeBrowser();
  const [first, second, third] = [await open(browser), await open(browser), await open(browser)];
  second.outbox.send("lobby", "hola");
  await settle();
  assert.deepEqual([sent(first), sent(second), sent(third)], [["hola"], [], []]);
  for (const tab of [first, second, third]) assert.deepEqual(shown(tab), ["hola: sending"]);
  await first.network.answer("message.send", { seq: 7 });
  for (const tab of [first, second, third]) {
    assert.deepEqual(shown(tab), ["hola: sent"]);
    assert.deepEqual(tab.outbox.items("lobby", 7), []);
    assert.equal(tab.outbox.size, 0);
  }
});

test("what several tabs wrote without a connection goes out once, in the order of writing", async () => {
  const browser = new FakeBrowser();
  const tabs = [];
  for (let i = 0; i < 3; i += 1) tabs.push(await open(browser, { online: false }));
  for (const round of [1, 2]) {
    for (const [index, { outbox }] of tabs.entries()) outbox.send("lobby", `${round}-${index}`);
    await settle();
  }
  const order = ["1-0", "1-1", "1-2", "2-0", "2-1", "2-2"];
  for (const { outbox } of tabs) {
    assert.deepEqual(outbox.items("lobby").map(({ text }) => text), order);
  }
  await tabs[1].network.welcome();
  await tabs[0].network.welcome();
  await tabs[2].network.welcome();
  for (const [index] of order.entries()) {
    await tabs[1].network.answer("message.send", { seq: index + 1 });
  }
  assert.deepEqual(tabs.map(sent), [[], order, []]);
});

test("a clock that goes back changes no order", async () => {
  const browser = new FakeBrowser();
  const late = await open(browser, { online: false });
  await late.clock.pass(3_600_000);
  late.outbox.send("lobby", "first");
  await settle();
  const early = await open(browser, { online: false });
  early.outbox.send("lobby", "second");
  await settle();
  await early.network.welcome();
  await early.network.answer("message.send", { seq: 1 });
  assert.deepEqual(sent(early), ["first", "second"]);
});

test("a tab that loses its connection lets another send", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser), await open(browser)];
  first.outbox.send("lobby", "one");
  await settle();
  first.outbox.send("lobby", "two");
  await settle();
  await loses(first);
  await settle();
  assert.deepEqual(sent(second), ["one"], "with the key of before");
  await second.network.answer("message.send", { seq: 1, duplicate: true });
  assert.deepEqual(sent(second), ["one", "two"]);
  await second.network.answer("message.send", { seq: 2 });
  assert.deepEqual(shown(first), ["one: sent", "two: sent"]);
  await returns(first);
  assert.deepEqual(sent(first), []);
});

test("a tab that holds the lead and sleeps is passed over", async () => {
  const browser = new FakeBrowser();
  const [asleep, awake] = [await open(browser), await open(browser)];
  asleep.channel.deaf = true;
  awake.outbox.send("lobby", "hola");
  await settle();
  await awake.clock.pass(3_000);
  assert.deepEqual(sent(awake), []);
  await awake.clock.pass(2_000);
  assert.deepEqual(sent(awake), ["hola"]);
  assert.deepEqual([asleep.tabs.leading, awake.tabs.leading], [false, true]);
});

test("a leading tab that is only waiting keeps the lead", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser), await open(browser)];
  first.outbox.send("lobby", "refused");
  await settle();
  await first.network.refuse("message.send", { code: "forbidden" });
  second.outbox.send("lobby", "held up");
  await settle();
  await second.clock.pass(20_000);
  assert.deepEqual([first.tabs.leading, second.tabs.leading], [true, false]);
  assert.deepEqual(shown(second), ["refused: failed", "held up: waiting"]);
});

test("a refused message is retried and discarded from any tab", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser), await open(browser)];
  const { key } = first.outbox.send("lobby", "bad");
  first.outbox.send("lobby", "good");
  await settle();
  await first.network.refuse("message.send", { code: "forbidden" });
  assert.deepEqual(shown(second), ["bad: failed", "good: waiting"]);
  second.outbox.retry(key);
  await settle();
  assert.deepEqual(sent(first), ["bad", "bad"]);
  await first.network.refuse("message.send", { code: "forbidden" });
  second.outbox.discard(key);
  await settle();
  assert.deepEqual(sent(first), ["bad", "bad", "good"]);
  for (const tab of [first, second]) assert.deepEqual(shown(tab), ["good: sending"]);
});

test("who begins to lead does not wait for the time that the one before was told", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser), await open(browser)];
  first.outbox.send("lobby", "one");
  await settle();
  await first.network.refuse("message.send", { code: "rate_limited", retry_after: 60 });
  assert.notEqual(second.outbox.items("lobby")[0].retryAt, null);
  await loses(first);
  await settle();
  assert.deepEqual(sent(second), ["one"]);
});

test("what was discarded while a tab slept does not come back with it", async () => {
  const browser = new FakeBrowser();
  const first = await open(browser, { online: false });
  const second = await open(browser, { online: false });
  const { key } = first.outbox.send("lobby", "never mind");
  await settle();
  second.channel.deaf = true;
  first.outbox.discard(key);
  await settle();
  second.channel.deaf = false;
  await second.network.welcome();
  await settle();
  assert.deepEqual([sent(second), shown(second)], [[], []]);
});

test("an event tells all tabs, also those that do not get it", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser), await open(browser)];
  const { key } = first.outbox.send("lobby", "hola");
  await settle();
  await second.network.give(created(7, { key, author: ANA }));
  assert.deepEqual([shown(first), shown(second)], [["hola: sent"], []]);
  assert.deepEqual(await browser.store().load(), []);
});

test("a new tab shows what is on its way, as it stands", async () => {
  const browser = new FakeBrowser();
  const first = await open(browser);
  first.outbox.send("lobby", "one");
  await settle();
  await first.network.refuse("message.send", { code: "rate_limited", retry_after: 9 });
  const second = await open(browser, { online: false });
  const [item] = second.outbox.items("lobby");
  assert.deepEqual([item.text, item.retryAt], ["one", first.outbox.items("lobby")[0].retryAt]);
});

test("discarding everything discards it in all tabs", async () => {
  const browser = new FakeBrowser();
  const first = await open(browser, { online: false });
  const second = await open(browser, { online: false });
  first.outbox.send("lobby", "one");
  second.outbox.send("kitchen", "two");
  await settle();
  await first.outbox.clear();
  await settle();
  assert.deepEqual([first.outbox.size, second.outbox.size], [0, 0]);
  assert.deepEqual(await browser.store().load(), []);
});

test("nothing is sent in somebody else's name", async () => {
  const browser = new FakeBrowser();
  const tab = await open(browser, { online: false });
  tab.outbox.send("lobby", "from Ana");
  await settle();
  await tab.network.welcome({ me: BEA });
  await tab.clock.pass(30_000);
  assert.deepEqual(sent(tab), []);
  assert.equal(tab.outbox.size, 1);
});

test("a guest may come back under a new id", async () => {
  const browser = new FakeBrowser();
  const tab = await open(browser, { online: false, owner: GUEST });
  tab.outbox.send("lobby", "hola");
  await settle();
  await tab.network.welcome({ me: { ...GUEST, id: "g2" } });
  assert.deepEqual(sent(tab), ["hola"]);
});

test("a full browser keeps no message from being sent, nor from its place", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser, { online: false }), await open(browser)];
  await loses(second);
  first.outbox.send("lobby", "one");
  await settle();
  browser.keeps = false;
  first.outbox.send("lobby", "two");
  await settle();
  browser.keeps = true;
  first.outbox.send("lobby", "three");
  await settle();
  await returns(second);
  for (const seq of [1, 2, 3]) await second.network.answer("message.send", { seq });
  assert.deepEqual(sent(second), ["one", "two", "three"]);
});

test("what no store keeps is sent by the next to lead as well", async () => {
  const browser = new FakeBrowser();
  browser.keeps = false;
  const [first, second] = [await open(browser), await open(browser)];
  first.outbox.send("lobby", "one");
  await settle();
  await first.network.refuse("message.send", { code: "rate_limited", retry_after: 60 });
  await loses(first);
  await settle();
  assert.deepEqual(sent(second), ["one"]);
});

test("where the locks are refused a tab leads alone", async () => {
  const locks = { request: () => Promise.reject(new Error("SecurityError")) };
  const tabs = new Tabs("outbox", locks, new FakeBrowser().channel());
  tabs.lead();
  await settle();
  assert.equal(tabs.leading, true);
});

test("a tab that sends for others remembers not for ever what it sent", async () => {
  const browser = new FakeBrowser();
  const [first, second] = [await open(browser), await open(browser)];
  for (let seq = 1; seq <= 210; seq += 1) {
    second.outbox.send("elsewhere", `text ${seq}`);
    await settle();
    await first.network.answer("message.send", { seq });
  }
  for (const { outbox } of [first, second]) {
    const texts = outbox.items("elsewhere").map(({ text }) => text);
    assert.deepEqual([texts.length, texts[0], texts.at(-1)], [200, "text 11", "text 210"]);
  }
});
