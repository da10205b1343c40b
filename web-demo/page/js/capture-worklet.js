// Audio thread side of microphone.js: mixes to mono, brings the sound to the
// wanted rate and posts blocks of equal length with their level.

import { Resampler } from "./resample.js";

class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions: { rate, blockMs } }) {
    super();
    this.resampler = new Resampler(sampleRate, rate);
    this.length = (rate * blockMs) / 1000;
    this.block = new Float32Array(this.length);
    this.filled = 0;
    this.stopped = false;
    this.port.onmessage = () => (this.stopped = true);
  }

  process([channels]) {
    if (this.stopped) return false;
    if (channels.length) this.add(this.resampler.process(mono(channels)));
    return true;
  }

  add(samples) {
    let at = 0;
    while (at < samples.length) {
      const n = Math.min(samples.length - at, this.length - this.filled);
      this.block.set(samples.subarray(at, at + n), this.filled);
      this.filled += n;
      at += n;
      if (this.filled === this.length) this.post();
    }
  }

  post() {
    const samples = this.block;
    let sum = 0;
    let peak = 0;
    for (const s of samples) {
      sum += s * s;
      peak = Math.max(peak, Math.abs(s));
    }
    this.block = new Float32Array(this.length);
    this.filled = 0;
    this.port.postMessage({ samples, peak, rms: Math.sqrt(sum / samples.length) }, [samples.buffer]);
  }
}

function mono(channels) {
  const out = channels[0].slice();
  for (const other of channels.slice(1)) for (let i = 0; i < out.length; i++) out[i] += other[i];
  if (channels.length > 1) for (let i = 0; i < out.length; i++) out[i] /= channels.length;
  return out;
}

registerProcessor("parley-capture", Capture);
