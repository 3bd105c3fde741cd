import assert from "node:assert/strict";
import { test } from "node:test";
import { newKey } from "../../src/tertulia/chat/static/tertulia/sdk/index.js";

test("without a secure context a key is still a random UUID of version 4", () => {
  let last = 0;
  const crypto = { getRandomValues: (bytes) => bytes.map(() => (last = (last + 89) % 256)) };
  const keys = new Set(Array.from({ length: 50 }, () => newKey(crypto)));
  for (const key of keys) {
    assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert.ok(keys.size > 1);
});
