// LatencyMeter keeps the two figures of every utterance, in milliseconds.
//
//   first partial = arrival of the first transcript.partial with text
//                   − capture time of the speech start (vad.start.at_us)
//   final         = arrival of transcript.final
//                   − capture time of the speech end (vad.end.at_us)
//
// Capture times come from MediaClock. The final figure contains the silence the
// server waits for before it calls an utterance finished (hangoverMs): from the
// capture of the speech end to the arrival of vad.end.

const KEPT = 500;

export class LatencyMeter {
  rows = [];
  #open = new Map();

  speechStart(utt, wallMs, nowMs) {
    this.#open.set(utt, { utt, startMs: finite(wallMs, nowMs), endMs: NaN, firstMs: NaN, finalMs: NaN, hangoverMs: 0 });
  }

  partial(utt, nowMs) {
    const row = this.#open.get(utt);
    if (row && Number.isNaN(row.firstMs)) row.firstMs = Math.max(0, nowMs - row.startMs);
    return row;
  }

  speechEnd(utt, wallMs, nowMs) {
    const row = this.#open.get(utt);
    if (row) Object.assign(row, { endMs: wallMs, hangoverMs: Math.max(0, finite(nowMs - wallMs, 0)) });
  }

  /**
   * final closes the utterance; endWallMs stands in for a missing vad.end, waited
   * tells whether it was silence that ended it.
   */
  final(utt, nowMs, { endWallMs, waited = true } = {}) {
    const row = this.#open.get(utt);
    if (!row) return undefined;
    this.#open.delete(utt);
    if (!waited) row.hangoverMs = 0;
    row.finalMs = Math.max(0, nowMs - finite(row.endMs, endWallMs));
    this.rows.push(row);
    if (this.rows.length > KEPT) this.rows.shift();
    return row;
  }

  drop(utt) {
    this.#open.delete(utt);
  }

  /** stats gives count, last, median and 95th percentile of "firstMs" or "finalMs". */
  stats(key) {
    const values = this.rows.map((r) => r[key]).filter(Number.isFinite);
    const sorted = [...values].sort((a, b) => a - b);
    return { count: values.length, last: values.at(-1), median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
  }
}

/** quantile by nearest rank of an ascending list; undefined when it is empty. */
export function quantile(sorted, q) {
  if (sorted.length === 0) return undefined;
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
}

function finite(value, instead) {
  return Number.isFinite(value) ? value : instead;
}
