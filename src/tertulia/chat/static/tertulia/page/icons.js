import { html, svg } from "./dom.js";

const PATHS = {
  hash: svg`<path d="M8.500 3.500 7 16.500M13 3.500l-1.500 13M4 7.500h13M3 12.500h13" />`,
  lock: svg`<rect x="4" y="9" width="12" height="8" rx="2" /><path d="M7 9V6.500a3 3 0 0 1 6 0V9" />`,
  people: svg`<circle cx="7.500" cy="7" r="3" /><path d="M2.500 16.500c0-3 2-5 5-5s5 2 5 5M13 4.500a3 3 0 0 1 0 5M14.500 12c2 .6 3 2.300 3 4.500" />`,
  buoy: svg`<circle cx="10" cy="10" r="7" /><circle cx="10" cy="10" r="3" /><path d="m5 5 3 3m4 4 3 3M15 5l-3 3m-4 4-3 3" />`,
  plus: svg`<path d="M10 4v12M4 10h12" />`,
  back: svg`<path d="m12 4-6 6 6 6" />`,
  close: svg`<path d="m5 5 10 10M15 5 5 15" />`,
  info: svg`<circle cx="10" cy="10" r="7.500" /><path d="M10 9v5M10 6.200v.1" />`,
  alert: svg`<circle cx="10" cy="10" r="7.500" /><path d="M10 6v5M10 13.800v.1" />`,
  smile: svg`<circle cx="10" cy="10" r="7.500" /><path d="M6.800 11.800c1.600 2.400 4.800 2.400 6.400 0M7.500 7.700v.1M12.500 7.700v.1" />`,
  reply: svg`<path d="m7.500 4.500-4 4 4 4M3.500 8.500h8a5 5 0 0 1 5 5v2" />`,
  pencil: svg`<path d="m4 13-.5 3.500L7 16l9-9-3-3zM11.500 5.500l3 3" />`,
  bin: svg`<path d="M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500l.7 11h7.600l.7-11M8.500 9v4.500M11.500 9v4.500" />`,
  link: svg`<path d="M8.500 11.500a3.500 3.500 0 0 0 5 0l2.500-2.500a3.500 3.500 0 0 0-5-5L9.500 5.500M11.500 8.500a3.500 3.500 0 0 0-5 0L4 11a3.500 3.500 0 0 0 5 5l1.500-1.500" />`,
  search: svg`<circle cx="9" cy="9" r="5.500" /><path d="m13 13 4 4" />`,
  more: svg`<circle cx="4.500" cy="10" r=".6" /><circle cx="10" cy="10" r=".6" /><circle cx="15.500" cy="10" r=".6" />`,
  down: svg`<path d="M10 4v12m-5-5 5 5 5-5" />`,
  copy: svg`<rect x="7" y="7" width="9.500" height="9.500" rx="2" /><path d="M4.500 13h-.500a1 1 0 0 1-1-1V5a2 2 0 0 1 2-2h7a1 1 0 0 1 1 1v.500" />`,
  star: svg`<path d="m10 3 2.200 4.500 4.900.7-3.600 3.500.9 4.900-4.400-2.300-4.400 2.300.9-4.900L2.900 8.200l4.900-.7z" />`,
  send: svg`<path d="M10 16V4m-5 5 5-5 5 5" />`,
  write: svg`<path d="M3.500 15.500v-9a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2h-7z" />`,
};

/**
 * Signs of a page that has more of them.
 *
 * @param {Record<string, any>} paths name → what is inside the `svg`
 */
export function addIcons(paths) {
  Object.assign(PATHS, paths);
}

/**
 * A sign without words: whatever it stands on has a name of its own.
 *
 * @param {string} name
 */
export function icon(name) {
  const path = PATHS[/** @type {keyof typeof PATHS} */ (name)];
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">${path}</svg>`;
}
