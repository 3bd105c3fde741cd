/**
 * What happened in several logs, in one order: each log in its own, whatever the clocks did, and
 * between them by time. Nothing of the page is known here.
 *
 * @template {{at: number}} Thing `at` in milliseconds
 * @param {Thing[][]} logs
 * @returns {Thing[]}
 */
export function merged(logs) {
  const places = logs.map(() => 0);
  /** @type {Thing[]} */
  const all = [];
  for (;;) {
    let next = -1;
    logs.forEach((log, i) => {
      const thing = log[places[i]];
      if (thing && (next < 0 || thing.at < logs[next][places[next]].at)) next = i;
    });
    if (next < 0) return all;
    all.push(logs[next][places[next]]);
    places[next] += 1;
  }
}

/**
 * What of several logs can be shown without a hole: of a log that goes on above what is loaded, all
 * that is loaded, and of the others nothing from before that.
 *
 * @template {{at: number}} Thing
 * @param {{things: Thing[], more: boolean}[]} logs
 * @returns {Thing[][]}
 */
export function withoutHoles(logs) {
  const begins = logs.map(({ things, more }) => (more && things.length ? things[0].at : -Infinity));
  const from = Math.max(...begins);
  return logs.map(({ things }) => things.filter(({ at }) => at >= from));
}
