// MediaClock maps media time (microseconds of captured audio, which is what the
// server speaks) to the wall clock of this page (performance.now(), ms).
//
// Every captured block notes "audio up to endUs was in the page's hands at
// wallMs". A block can only be late (a busy main thread), never early, so the
// smallest difference seen in the last seconds is the true one. A pause of the
// microphone starts a new run: media time stands still, the wall clock does not.

const WINDOW_US = 10_000_000;
const KEPT_RUNS = 8;

export class MediaClock {
  #runs = [];

  /** startRun tells the clock that capture (re)starts at media time fromUs. */
  startRun(fromUs) {
    this.#runs.push({ fromUs, notes: [] });
    if (this.#runs.length > KEPT_RUNS) this.#runs.shift();
  }

  /** note records when the page received the audio that ends at endUs. */
  note(endUs, wallMs) {
    if (this.#runs.length === 0) this.startRun(0);
    const notes = this.#runs.at(-1).notes;
    const offset = wallMs - endUs / 1000;
    while (notes.length && notes.at(-1).offset >= offset) notes.pop();
    notes.push({ endUs, offset });
    while (notes[0].endUs < endUs - WINDOW_US) notes.shift();
  }

  /** wallMs says when the sample at media time us was captured; NaN if unknown. */
  wallMs(us) {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i];
      if (run.fromUs <= us && run.notes.length) return us / 1000 + run.notes[0].offset;
    }
    return NaN;
  }
}
