// Resampler changes the rate of a mono stream with a windowed sinc. It keeps
// its history between calls, so blocks of any size join without a seam.

const ZERO_CROSSINGS = 16;
const TABLE_STEP = 512; // table entries per zero crossing

export class Resampler {
  #step; // input samples per output sample
  #scale; // kernel stretch: > 1 when lowering the rate
  #half; // kernel half width in input samples
  #table = kernelTable();
  #buffer;
  #pos; // place of the next output in #buffer

  constructor(from, to) {
    this.#step = from / to;
    this.#scale = Math.max(1, this.#step);
    this.#half = Math.ceil(ZERO_CROSSINGS * this.#scale);
    this.#buffer = new Float32Array(this.#half);
    this.#pos = this.#half;
  }

  /** process takes the next input samples and returns all output they allow. */
  process(input) {
    if (this.#step === 1) return input;
    this.#append(input);
    const room = this.#buffer.length - this.#half - this.#pos;
    const out = new Float32Array(Math.max(0, Math.ceil(room / this.#step)));
    for (let i = 0; i < out.length; i++) {
      out[i] = this.#at(this.#pos);
      this.#pos += this.#step;
    }
    this.#forget();
    return out;
  }

  #append(input) {
    const joined = new Float32Array(this.#buffer.length + input.length);
    joined.set(this.#buffer);
    joined.set(input, this.#buffer.length);
    this.#buffer = joined;
  }

  #at(pos) {
    const first = Math.ceil(pos - this.#half);
    const last = Math.floor(pos + this.#half);
    let sum = 0;
    for (let i = Math.max(0, first); i <= last && i < this.#buffer.length; i++) {
      const x = (Math.abs(i - pos) / this.#scale) * TABLE_STEP;
      const k = x | 0;
      if (k + 1 < this.#table.length) {
        sum += this.#buffer[i] * (this.#table[k] + (x - k) * (this.#table[k + 1] - this.#table[k]));
      }
    }
    return sum / this.#scale;
  }

  #forget() {
    const drop = Math.floor(this.#pos) - this.#half;
    if (drop <= 0) return;
    this.#buffer = this.#buffer.slice(drop);
    this.#pos -= drop;
  }
}

let shared;

function kernelTable() {
  if (shared) return shared;
  shared = new Float32Array(ZERO_CROSSINGS * TABLE_STEP + 1);
  for (let i = 0; i < shared.length; i++) {
    const x = i / TABLE_STEP;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    shared[i] = sinc * 0.5 * (1 + Math.cos((Math.PI * x) / ZERO_CROSSINGS)); // Hann window
  }
  return shared;
}
