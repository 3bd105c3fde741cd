/**
 * A new key for a message or a room: a random UUID (version 4).
 *
 * `crypto.randomUUID` exists only in secure contexts; a chat served by plain HTTP on a
 * local network is not one, `getRandomValues` is there all the same.
 *
 * @param {Pick<Crypto, "getRandomValues"> & {randomUUID?: () => string}} [crypto]
 * @returns {string}
 */
export function newKey(crypto = globalThis.crypto) {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
