/**
 * Where the hits of a snippet are: the server counts code points, JavaScript something else. Nothing of
 * the page is known here.
 *
 * @param {{text: string, marks: [number, number][]}} snippet
 * @returns {[number, number][]}
 */
export function ranges({ text, marks }) {
  const starts = [0];
  for (const point of text) starts.push(/** @type {number} */ (starts.at(-1)) + point.length);
  return marks.map(([from, to]) => [starts[from], starts[to]]);
}
