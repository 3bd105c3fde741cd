import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageWindow } from "../../src/tertulia/chat/static/tertulia/sdk/window.js";
import { ANA, event, message } from "./support.js";

test("my reaction stays mine, however many others react", () => {
  const window = new MessageWindow();
  const by = Array.from({ length: 50 }, (_, index) => `p${index}`);
  window.replace([message(1, { reactions: [{ emoji: "👍", count: 50, by }] })], false, false);
  const reacts = (seq, id) => {
    const changes = { target: 1, emoji: "👍", count: 49 + seq, actor: { ...ANA, id } };
    window.apply(event("reaction.added", seq, changes));
  };
  reacts(2, ANA.id);
  for (let seq = 3; seq < 100; seq += 1) reacts(seq, `q${seq}`);
  assert.equal(window.messages[0].reactions[0].by.includes(ANA.id), true);
  window.apply(event("reaction.removed", 100, { target: 1, emoji: "👍", count: 147, actor: ANA }));
  assert.equal(window.messages[0].reactions[0].by.includes(ANA.id), false);
});
