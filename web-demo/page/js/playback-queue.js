// PlaybackQueue is the ring behind the player: streams of samples played one
// after the other. It knows no Web Audio, so it is tested without a browser.

const FADE = 240; // samples of fade-out when a stream is cut (5 ms at 48 kHz)

export class PlaybackQueue {
  underruns = 0;
  #streams = []; // {id, chunks, offset, waiting, played, ended, fade}
  #prebuffer;

  /** prebuffer: samples a stream must hold before it begins to sound. */
  constructor(prebuffer) {
    this.#prebuffer = prebuffer;
  }

  push(id, samples) {
    const s = this.#stream(id);
    if (s.ended || s.fade >= 0) return;
    s.chunks.push(samples);
    s.waiting += samples.length;
  }

  /** end says that no more samples come; the stream finishes when it is empty. */
  end(id) {
    this.#stream(id).ended = true;
  }

  /** flush cuts a stream off with a short fade. */
  flush(id) {
    const s = this.#streams.find((x) => x.id === id);
    if (!s) return;
    s.ended = true;
    s.fade = s.started ? Math.min(FADE, s.waiting) : 0;
  }

  /** position of the stream being played: {id, played} or undefined. */
  get position() {
    const s = this.#streams[0];
    return s && { id: s.id, played: s.played };
  }

  /** read fills out and returns the ids of the streams that finished. */
  read(out) {
    const finished = [];
    let at = 0;
    while (this.#streams.length) {
      const s = this.#streams[0];
      if (!s.started && (s.ended || s.waiting >= this.#prebuffer)) s.started = true;
      if (s.started) at = this.#take(s, out, at);
      const over = s.fade === 0 || (s.ended && s.waiting === 0);
      if (!over) {
        if (s.started && at < out.length) this.#starve(s);
        break;
      }
      finished.push({ id: s.id, played: s.played });
      this.#streams.shift();
    }
    out.fill(0, at);
    return finished;
  }

  #take(s, out, at) {
    while (at < out.length && s.waiting > 0 && s.fade !== 0) {
      const chunk = s.chunks[0];
      out[at++] = chunk[s.offset++] * (s.fade > 0 ? s.fade-- / FADE : 1);
      s.waiting--;
      s.played++;
      if (s.offset === chunk.length) {
        s.chunks.shift();
        s.offset = 0;
      }
    }
    return at;
  }

  #starve(s) {
    this.underruns++;
    s.started = false;
  }

  #stream(id) {
    let s = this.#streams.find((x) => x.id === id);
    if (!s) {
      s = { id, chunks: [], offset: 0, waiting: 0, played: 0, ended: false, started: false, fade: -1 };
      this.#streams.push(s);
    }
    return s;
  }
}
