import { svg } from "#page/dom.js";
import { addIcons } from "#page/icons.js";

addIcons({
  inbox: svg`<path d="M3.500 11.500 5.500 4.500h9l2 7v4h-13zM3.500 11.500h4a2.500 2.500 0 0 0 5 0h4" />`,
  clock: svg`<circle cx="10" cy="10" r="7.500" /><path d="M10 5.800V10l3 2" />`,
  check: svg`<path d="m4 10.500 4 4 8-9" />`,
  undo: svg`<path d="M7 4.500 3.500 8 7 11.500M3.500 8h8a4.500 4.500 0 0 1 0 9H9" />`,
  person: svg`<circle cx="10" cy="7" r="3.200" /><path d="M4 16.500c0-3.200 2.500-5.200 6-5.200s6 2 6 5.200" />`,
  note: svg`<path d="M4.500 3.500h11v9l-4 4h-7zM15.500 12.500h-4v4M7.500 7h5M7.500 10h3" />`,
  move: svg`<path d="M4 7h11m-3-3 3 3-3 3M16 13H5m3-3-3 3 3 3" />`,
  page: svg`<rect x="3" y="4" width="14" height="12" rx="2" /><path d="M3 8h14" />`,
  mail: svg`<rect x="3" y="4.500" width="14" height="11" rx="2" /><path d="m3.500 6 6.500 5 6.500-5" />`,
  globe: svg`<circle cx="10" cy="10" r="7.500" /><path d="M2.500 10h15M10 2.500c4 4.500 4 10.500 0 15M10 2.500c-4 4.500-4 10.500 0 15" />`,
  bolt: svg`<path d="M11 2.500 4.500 11.500H9.500l-.500 6L15.500 8.500H10.500z" />`,
  eye: svg`<path d="M2.500 10c2-3.500 4.500-5 7.500-5s5.500 1.500 7.500 5c-2 3.500-4.500 5-7.500 5s-5.500-1.500-7.500-5z" /><circle cx="10" cy="10" r="2.300" />`,
});
