import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, RoomLog } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";
import { ANA, BEA, FakeClock, FakeNetwork, STATE, created, event, message, snapshot } from "./support.js";

/** A log that has its first page: messages 1 … `count`. */
async function opened(count = 3, changes = {}) {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const options = { WebSocket: network.WebSocket, clock, random: () => 0.5 };
  const connection = new Connection("ws://chat.test/ws/", options);
  const log = new RoomLog(connection, "lobby", { clock });
  const applied = [];
  log.on("event", ({ seq }) => applied.push(seq));
  log.open();
  connection.start();
  await network.welcome();
  const messages = Array.from({ length: count }, (_, index) => message(index + 1));
  await network.answer("room.subscribe", snapshot(count, messages, changes));
  return { network, clock, connection, log, applied };
}

const texts = (log) => log.messages.map((each) => each.text);
const seqs = (log) => log.messages.map((each) => each.seq);

test("begins with the newest messages", async () => {
  const { network, log } = await opened();
  assert.deepEqual(network.commands("room.subscribe")[0].limit, 50);
  assert.equal("after" in network.commands("room.subscribe")[0], false);
  assert.deepEqual([log.phase, log.head, seqs(log)], ["live", 3, [1, 2, 3]]);
});

test("applies each event once, in order", async () => {
  const { network, log, applied } = await opened();
  await network.giveAll([created(4), created(5), created(4), created(5), created(6)]);
  assert.deepEqual(applied, [4, 5, 6]);
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6]);
});

test("events that overtake the reply to the subscription wait for it", async () => {
  const network = new FakeNetwork();
  const connection = new Connection("ws://chat.test/ws/", { WebSocket: network.WebSocket });
  const log = new RoomLog(connection, "lobby");
  log.open();
  connection.start();
  await network.welcome();
  await network.giveAll([created(3), created(4)]);
  assert.deepEqual(seqs(log), []);
  await network.answer("room.subscribe", snapshot(3, [message(1), message(2), message(3)]));
  assert.deepEqual(seqs(log), [1, 2, 3, 4]);
  assert.equal(log.head, 4);
  connection.stop();
});

test("an event that comes too early makes it resume from where it is", async () => {
  const { network, log, applied } = await opened();
  await network.giveAll([created(6), created(7)]);
  assert.deepEqual(applied, []);
  const { after, epoch } = network.commands("room.subscribe").at(-1);
  assert.deepEqual([after, epoch], [3, "e1"]);
  const events = [created(4), created(5), created(6)];
  await network.answer("room.subscribe", { head: 6, events });
  assert.deepEqual(applied, [4, 5, 6, 7], "7 waited for the reply");
  await network.give(created(7));
  assert.deepEqual(applied, [4, 5, 6, 7]);
});

test("resumes after a loss, with the epoch it knows", async () => {
  const { network, connection, log, applied } = await opened();
  await network.close();
  assert.equal(log.phase, "behind");
  connection.wake();
  await network.welcome();
  const { after, epoch } = network.commands("room.subscribe")[0];
  assert.deepEqual([after, epoch], [3, "e1"]);
  await network.answer("room.subscribe", { head: 5, events: [created(4), created(5)] });
  await network.give(created(6));
  assert.deepEqual([log.phase, applied], ["live", [4, 5, 6]]);
});

test("a reset begins anew", async () => {
  const { network, connection, log } = await opened();
  let resets = 0;
  log.on("reset", () => (resets += 1));
  await network.close();
  connection.wake();
  await network.welcome({ epoch: "e2" });
  assert.equal(network.commands("room.subscribe")[0].epoch, "e1");
  await network.answer("room.subscribe", { reset: true, ...snapshot(2, [message(2)]) });
  assert.deepEqual([resets, log.head, seqs(log)], [1, 2, [2]]);
  await network.close();
  connection.wake();
  await network.welcome({ epoch: "e2" });
  assert.equal(network.commands("room.subscribe")[0].epoch, "e2");
});

test("an older state never replaces a newer one", async () => {
  const { network, log } = await opened();
  const edited = message(2, { version: 5, text: "newest" });
  await network.give(event("message.edited", 4, { message: edited }));
  await network.give(event("message.edited", 5, { message: { ...edited, version: 4, text: "old" } }));
  assert.equal(log.messages[1].text, "newest");
});

test("a resumed creation shows the message as it stands now, and its edit changes nothing", async () => {
  const { network, connection, log } = await opened(0);
  await network.close();
  connection.wake();
  await network.welcome();
  const now = message(1, { version: 2, text: "now" });
  const events = [{ ...created(1), message: now }, event("message.edited", 2, { message: now })];
  await network.answer("room.subscribe", { head: 2, events });
  assert.deepEqual([texts(log), log.head], [["now"], 2]);
});

test("a deletion keeps the message's place", async () => {
  const { network, log } = await opened();
  const gone = message(2, { version: 4, text: "", html: "", deleted: true });
  await network.give(event("message.deleted", 4, { message: gone }));
  assert.deepEqual(seqs(log), [1, 2, 3]);
  assert.equal(log.messages[1].deleted, true);
});

test("reactions count, name who reacted, and go when nobody is left", async () => {
  const { network, log } = await opened();
  const thumb = { target: 2, emoji: "👍" };
  await network.give(event("reaction.added", 4, { ...thumb, count: 1, actor: ANA }));
  await network.give(event("reaction.added", 5, { ...thumb, count: 2, actor: BEA }));
  assert.deepEqual(log.messages[1].reactions, [{ emoji: "👍", count: 2, by: ["a1", "b2"] }]);
  assert.equal(log.messages[1].version, 5);
  await network.give(event("reaction.removed", 6, { ...thumb, count: 1, actor: ANA }));
  await network.give(event("reaction.removed", 7, { ...thumb, count: 0, actor: BEA }));
  assert.deepEqual(log.messages[1].reactions, []);
});

test("members, roles and the room's state follow the events", async () => {
  const { network, log } = await opened();
  await network.give(event("member.joined", 4, { member: BEA, role: "member" }));
  assert.equal(log.room.members.get("b2").role, "member");
  await network.give(event("member.changed", 5, { member: BEA, role: "moderator" }));
  assert.equal(log.room.members.get("b2").role, "moderator");
  await network.give(event("member.left", 6, { member: BEA, role: null }));
  assert.equal(log.room.members.has("b2"), false);
  const { role, ...state } = { ...STATE, topic: "news" };
  await network.give(event("room.updated", 7, { state }));
  assert.deepEqual([log.room.state.topic, log.room.state.role], ["news", role]);
});

test("my own role follows, and leaving a public room leaves me its reader", async () => {
  const { network, log } = await opened();
  await network.give(event("member.changed", 4, { member: ANA, role: "moderator" }));
  assert.equal(log.room.state.role, "moderator");
  await network.give(event("member.left", 5, { member: ANA, role: null }));
  assert.deepEqual([log.room.state.role, log.phase], [null, "live"]);
});

test("whoever is removed from a private room is told so, and can come back", async () => {
  const { network, log } = await opened(3, { state: { ...STATE, kind: "private" } });
  await network.give(event("member.left", 4, { member: ANA, role: null }));
  assert.deepEqual([log.phase, log.refusal], ["refused", "removed"]);
  await network.give(created(5));
  assert.deepEqual(seqs(log), [1, 2, 3]);
  await network.give({ type: "room.entered", room: "lobby" });
  assert.equal("after" in network.commands("room.subscribe").at(-1), false);
  await network.answer("room.subscribe", snapshot(6, [message(5)]));
  assert.deepEqual([log.phase, seqs(log)], ["live", [5]]);
});

test("removed while away", async () => {
  const { network, connection, log } = await opened();
  await network.close();
  connection.wake();
  await network.welcome();
  await network.refuse("room.subscribe", { code: "not_found" });
  assert.deepEqual([log.phase, log.refusal], ["refused", "removed"]);
});

test("a subscription that is refused for the moment is tried again", async () => {
  const { network, clock, connection, log } = await opened();
  await network.close();
  connection.wake();
  await network.welcome();
  await network.refuse("room.subscribe", { code: "unavailable", retry_after: 2 });
  await clock.pass(2_000);
  assert.equal(network.commands("room.subscribe").length, 2);
  await network.answer("room.subscribe", { head: 3, events: [] });
  assert.equal(log.phase, "live");
});

test("older pages come before, without losing what happened meanwhile", async () => {
  const { network, log } = await opened(0, {
    head: 12,
    messages: [message(11), message(12)],
    messages_more: "11",
  });
  const loading = log.loadBefore(2);
  assert.equal(network.commands("history.list")[0].before, 11);
  const edited = message(10, { version: 13, text: "edited" });
  await network.give(event("message.edited", 13, { message: edited }));
  await network.answer("history.list", {
    messages: [message(9), message(10)],
    head: 12,
    more_before: "9",
    more_after: "10",
  });
  await loading;
  assert.deepEqual(texts(log), ["text 9", "edited", "text 11", "text 12"]);
  assert.equal(log.window.moreBefore, true);
});

test("around a message, new ones stay out until the end is reached", async () => {
  const { network, log } = await opened();
  const jump = log.loadAround(2);
  await network.answer("history.list", {
    messages: [message(1), message(2)],
    head: 3,
    more_before: null,
    more_after: "2",
  });
  assert.equal(await jump, true);
  await network.give(created(4));
  assert.deepEqual(seqs(log), [1, 2]);
  const rest = log.loadAfter();
  await network.give(created(5));
  await network.answer("history.list", {
    messages: [message(3), message(4)],
    head: 4,
    more_before: "3",
    more_after: null,
  });
  await rest;
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5]);
  await network.give(created(6));
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6]);
});

test("a page that was asked for before a jump elsewhere is not mixed in", async () => {
  const { network, log } = await opened(0, {
    head: 90,
    messages: [message(89), message(90)],
    messages_more: "89",
  });
  const earlier = log.loadBefore();
  const [{ ref }] = network.commands("history.list");
  const jump = log.loadAround(10);
  await network.answer("history.list", {
    messages: [message(9), message(10)],
    head: 90,
    more_before: true,
    more_after: true,
  });
  const messages = [message(87), message(88)];
  const result = { messages, head: 90, more_before: true, more_after: true };
  await network.give({ type: "reply", ref, ok: true, result });
  await Promise.all([earlier, jump]);
  assert.deepEqual(seqs(log), [9, 10]);
});

test("a message that the page had already is not shown twice", async () => {
  const { network, log } = await opened();
  const latest = log.loadLatest();
  await network.answer("history.list", {
    messages: [message(1), message(2), message(3), message(4)],
    head: 4,
    more_before: null,
    more_after: null,
  });
  await latest;
  await network.give(created(4));
  assert.deepEqual([seqs(log), log.head], [[1, 2, 3, 4], 4]);
});

test("trimming forgets one end and knows that there is more", async () => {
  const { log } = await opened(6);
  log.window.trimStart(4);
  assert.deepEqual([seqs(log), log.window.moreBefore], [[3, 4, 5, 6], true]);
  log.window.trimEnd(2);
  assert.deepEqual([seqs(log), log.window.moreAfter], [[3, 4], true]);
});

test("a read mark that could not be told is told after the resume", async () => {
  const { network, connection, log } = await opened();
  await network.close();
  await log.markRead(3);
  connection.wake();
  await network.welcome();
  await network.answer("room.subscribe", { head: 3, events: [] });
  assert.deepEqual(network.commands("read.mark").map(({ seq }) => seq), [3]);
  await network.answer("read.mark");
  await log.markRead(2);
  assert.equal(network.commands("read.mark").length, 1);
});

test("somebody who types and falls silent types no longer", async () => {
  const { network, clock, log } = await opened();
  await network.give({ type: "typing.started", room: "lobby", who: BEA });
  assert.equal(log.room.typing.size, 1);
  await clock.pass(8_000);
  assert.equal(log.room.typing.size, 0);
});

test("what is said in another room is not heard here", async () => {
  const { network, log } = await opened();
  await network.give({ ...created(4), room: "kitchen" });
  assert.equal(log.head, 3);
});

const DIRECT = {
  state: { ...STATE, kind: "direct", messages: 3 },
  members: [{ ...ANA, role: "owner", read: 3 }, { ...BEA, role: "member", read: 1 }],
};
const reads = (log) => Object.fromEntries(log.room.reads);

test("knows how far each has read in a direct room", async () => {
  const { network, log } = await opened(3, DIRECT);
  assert.deepEqual(reads(log), { a1: 3, b2: 1 });
  await network.give({ type: "read.changed", room: "lobby", read: 2, who: BEA });
  assert.deepEqual(reads(log), { a1: 3, b2: 2 });
  await network.give({ type: "read.changed", room: "lobby", read: 1, who: BEA });
  assert.deepEqual(reads(log), { a1: 3, b2: 2 }, "nobody reads backwards");
  await network.give(created(4));
  assert.deepEqual(reads(log), { a1: 3, b2: 4 }, "who says something has read what is above it");
  await network.give(event("member.left", 5, { member: BEA, role: null }));
  assert.deepEqual(reads(log), { a1: 3 });
});

test("learns at a resume what was read meanwhile", async () => {
  const { network, connection, log } = await opened(3, DIRECT);
  await network.close();
  connection.wake();
  await network.welcome();
  await network.answer("room.subscribe", { head: 3, events: [], reads: { a1: 3, b2: 3 } });
  assert.deepEqual(reads(log), { a1: 3, b2: 3 });
});

test("news that overtake a snapshot count, but not those of another history", async () => {
  const { network, connection, log } = await opened(3, DIRECT);
  await network.close();
  connection.wake();
  await network.welcome({ epoch: "e2" });
  await network.give({ type: "read.changed", room: "lobby", read: 2, who: BEA });
  const changes = { ...DIRECT, reset: true, members: [{ ...ANA, role: "owner", read: 1 }, { ...BEA, role: "member", read: 1 }] };
  await network.answer("room.subscribe", snapshot(2, [message(1), message(2)], changes));
  assert.deepEqual(reads(log), { a1: 1, b2: 2 });
});

test("elsewhere nobody is told who has read", async () => {
  const { network, log } = await opened();
  await network.give(created(4));
  await network.give({ type: "read.changed", room: "lobby", read: 4, who: ANA });
  assert.deepEqual(reads(log), {});
});
