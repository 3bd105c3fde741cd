import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Emitter } from "../../src/tertulia/chat/static/tertulia/sdk/emitter.js";

/** What the browser was asked for, and not yet given. */
let frames = [];
/** @type {() => void} */
let visibilityChanged;
globalThis.requestAnimationFrame = (act) => frames.push(act);
globalThis.document = {
  hidden: false,
  addEventListener: (_, listener) => {
    visibilityChanged = listener;
  },
};
const { derived, live, paint, soon } = await import(
  "../../src/tertulia/chat/static/tertulia/page/live.js"
);
const { signal } = await import("../../src/tertulia/chat/static/tertulia/vendor/signals-core.js");

/** The rest of this turn of the event loop, and then the next frame. */
async function frame() {
  await null;
  for (const act of frames.splice(0)) act();
}

beforeEach(() => {
  frames = [];
  document.hidden = false;
});

test("what was painted from something is painted again once it has changed", async () => {
  const rooms = Object.assign(new Emitter(), { unread: 0 });
  const painted = [];
  paint(() => painted.push(live(rooms).unread));
  assert.deepEqual(painted, [0]);
  rooms.unread = 3;
  rooms.emit("change", undefined);
  assert.deepEqual(painted, [0]);
  await frame();
  assert.deepEqual(painted, [0, 3]);
  await frame();
  assert.deepEqual(painted, [0, 3]);
});

test("however often something changes, it is painted once a frame", async () => {
  const rooms = new Emitter();
  const [one, two] = [signal(0), signal(0)];
  let painted = 0;
  paint(() => {
    void [live(rooms), one.value, two.value];
    painted += 1;
  });
  for (let change = 0; change < 10; change += 1) {
    rooms.emit("change", undefined);
    one.value += 1;
    two.value += 1;
    await null;
  }
  await frame();
  assert.equal(painted, 2);
});

test("only who read it is painted, and by what it read last", async () => {
  const [which, left, right] = [signal("left"), signal(0), signal(0)];
  let painted = 0;
  paint(() => {
    void (which.value === "left" ? left.value : right.value);
    painted += 1;
  });
  right.value = 1;
  await frame();
  assert.equal(painted, 1);
  which.value = "right";
  await frame();
  left.value = 1;
  await frame();
  assert.equal(painted, 2);
  right.value = 2;
  await frame();
  assert.equal(painted, 3);
});

test("a part within a part is no concern of the one around it", async () => {
  const inner = signal(0);
  const painted = [];
  paint(() => {
    painted.push("outer");
    paint(() => painted.push(`inner ${inner.value}`));
  });
  inner.value = 1;
  await frame();
  assert.deepEqual(painted, ["outer", "inner 0", "inner 1"]);
});

test("who has stopped is painted no more, also when it was asked for", async () => {
  const count = signal(0);
  let painted = 0;
  const stop = paint(() => {
    void count.value;
    painted += 1;
  });
  count.value = 1;
  stop();
  await frame();
  count.value = 2;
  await frame();
  assert.equal(painted, 1);
});

test("what is done and undone in one turn is not painted", async () => {
  const rooms = Object.assign(new Emitter(), { unread: 0 });
  const shown = derived(() => ({ unread: live(rooms).unread }));
  const painted = [];
  paint(() => painted.push(shown.value.unread));
  rooms.unread = 1;
  rooms.emit("change", undefined);
  rooms.unread = 0;
  rooms.emit("change", undefined);
  await frame();
  assert.deepEqual(painted, [0]);
});

test("what is derived stays the same object while it says the same", async () => {
  const room = Object.assign(new Emitter(), { name: "Lobby", head: 1 });
  const shown = derived(() => ({ name: live(room).name }));
  const seen = new Set();
  paint(() => seen.add(shown.value));
  room.head = 2;
  room.emit("change", undefined);
  await frame();
  assert.equal(seen.size, 1);
  room.name = "The Lobby";
  room.emit("change", undefined);
  await frame();
  assert.equal(seen.size, 2);
});

test("asked for twice it is done once, and again when it is asked for again", async () => {
  let done = 0;
  const act = () => {
    done += 1;
  };
  soon(act);
  soon(act);
  await frame();
  assert.equal(done, 1);
  soon(act);
  await frame();
  assert.equal(done, 2);
});

test("a page that is hidden waits for no frame", async () => {
  document.hidden = true;
  await new Promise((resolve) => soon(resolve));
  assert.equal(frames.length, 0);
});

test("what waits for a frame when the page is hidden is done then", () => {
  let done = false;
  soon(() => {
    done = true;
  });
  document.hidden = true;
  visibilityChanged();
  assert.equal(done, true);
});
