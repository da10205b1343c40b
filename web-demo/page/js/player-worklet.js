// Audio thread side of player.js: plays the queue and reports its position.

import { PlaybackQueue } from "./playback-queue.js";

const PREBUFFER_S = 0.04;
const REPORT_S = 0.04;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = new PlaybackQueue(PREBUFFER_S * sampleRate);
    this.reportAt = 0;
    this.sum = 0;
    this.count = 0;
    this.port.onmessage = ({ data }) => {
      if (data.op === "push") this.queue.push(data.id, data.samples);
      else if (data.op === "end") this.queue.end(data.id);
      else if (data.op === "flush") this.queue.flush(data.id);
    };
  }

  process(_inputs, [[out]]) {
    const finished = this.queue.read(out);
    for (const s of out) this.sum += s * s;
    this.count += out.length;
    for (const { id, played } of finished) this.port.postMessage({ id, played, finished: true });
    if (currentTime >= this.reportAt) this.report();
    return true;
  }

  report() {
    this.reportAt = currentTime + REPORT_S;
    const position = this.queue.position;
    if (position) this.port.postMessage({ ...position, rms: Math.sqrt(this.sum / this.count), underruns: this.queue.underruns });
    this.sum = this.count = 0;
  }
}

registerProcessor("parley-player", Player);
