import { computed, effect, signal, untracked } from "#signals";

/** @type {WeakMap<object, Map<string, import("#signals").Signal<number>>>} */
const heard = new WeakMap();

/**
 * Something of the SDK, for whoever paints what it holds: what was painted from it is painted
 * again after it has emitted `name`. However often it emits in one turn of the event loop, it
 * counts once, so what is done and undone in one turn is never painted.
 *
 *     paint(() => render(html`${live(app.rooms).unread}`, element));
 *
 * @template {import("../sdk/emitter.js").Emitter<any>} Source
 * @param {Source} source
 * @param {string} [name]
 * @returns {Source} the same object
 */
export function live(source, name = "change") {
  const versions = heard.get(source) ?? new Map();
  heard.set(source, versions);
  if (!versions.has(name)) versions.set(name, versionOf(source, name));
  // Reading it is what makes a painter depend on it.
  void versions.get(name).value;
  return source;
}

/**
 * @param {import("../sdk/emitter.js").Emitter<any>} source
 * @param {string} name
 */
function versionOf(source, name) {
  const version = signal(0);
  let told = false;
  source.on(name, () => {
    if (told) return;
    told = true;
    queueMicrotask(() => {
      told = false;
      version.value = version.peek() + 1;
    });
  });
  return version;
}

/**
 * What is made from live things: the same object for as long as its JSON is the same, so that
 * who paints it is not troubled by changes that do not show.
 *
 * @template T
 * @param {() => T} make plain data
 * @returns {import("#signals").ReadonlySignal<T>}
 */
export function derived(make) {
  let text = "";
  /** @type {T} */
  let value;
  return computed(() => {
    const next = make();
    const nextText = JSON.stringify(next);
    if (nextText !== text) [text, value] = [nextText, next];
    return value;
  });
}

/**
 * Draw now, and again with the next frame after anything that was read has changed, however
 * often it did.
 *
 * @param {() => void} draw
 * @returns {() => void} stops
 */
export function paint(draw) {
  let stop = () => {};
  let ended = false;
  const begin = () => {
    if (ended) return;
    stop();
    let drawn = false;
    stop = effect(() => {
      if (!drawn) {
        drawn = true;
        draw();
        return;
      }
      // Nothing is read here, so the effect sleeps until it is begun anew.
      soon(begin);
    });
  };
  // Parts stand in parts: what one reads is no concern of the one around it.
  untracked(begin);
  return () => {
    ended = true;
    stop();
  };
}

/** @type {Set<() => void>} */
const due = new Set();

/**
 * Do it with the next frame; a hidden page, which is given none, does it in a moment.
 *
 * @param {() => void} act asked for twice, it is done once
 */
export function soon(act) {
  const first = due.size === 0;
  due.add(act);
  if (!first) return;
  if (document.hidden) setTimeout(run, 0);
  else requestAnimationFrame(run);
}

/** All that is due. A page that is hidden meanwhile may ask for it a second time. */
function run() {
  const acts = [...due];
  due.clear();
  for (const act of acts) act();
}

// The frame that was asked for does not come before the page is shown again.
globalThis.document?.addEventListener("visibilitychange", () => {
  if (document.hidden) run();
});
