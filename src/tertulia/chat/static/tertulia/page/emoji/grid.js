/**
 * Where the keyboard goes in grids of cells that stand one over the other.
 *
 * @param {string} key as events name it
 * @param {number[]} sizes how many cells each grid has
 * @param {number} columns
 * @param {number} at the cell, counted through all grids
 * @param {{rtl?: boolean, control?: boolean}} [how] `control`: with Ctrl, to the ends of all
 * @returns {number | null} the cell; -1 is above the first row; null if the key does not move
 */
export function cellBeside(key, sizes, columns, at, { rtl = false, control = false } = {}) {
  const rows = rowsOf(sizes, columns);
  const last = rows.reduce((sum, row) => sum + row.length, 0) - 1;
  const y = rows.findIndex(({ first, length }) => at < first + length);
  const { first, length } = rows[y];
  const sideways = { ArrowLeft: rtl ? 1 : -1, ArrowRight: rtl ? -1 : 1 }[key];
  if (sideways) return Math.min(last, Math.max(0, at + sideways));
  if (key === "Home") return control ? 0 : first;
  if (key === "End") return control ? last : first + length - 1;
  const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -5, PageDown: 5 }[key];
  if (!steps) return null;
  if (steps === -1 && y === 0) return -1;
  const row = rows[Math.min(rows.length - 1, Math.max(0, y + steps))];
  return row.first + Math.min(at - first, row.length - 1);
}

/**
 * @param {number[]} sizes
 * @param {number} columns
 */
function rowsOf(sizes, columns) {
  const rows = [];
  let start = 0;
  for (const size of sizes) {
    for (let x = 0; x < size; x += columns) {
      rows.push({ first: start + x, length: Math.min(columns, size - x) });
    }
    start += size;
  }
  return rows;
}
