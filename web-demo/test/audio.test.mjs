import assert from "node:assert/strict";
import { test } from "node:test";
import { PlaybackQueue } from "../page/js/playback-queue.js";
import { Resampler } from "../page/js/resample.js";

const sine = (hz, rate, seconds) => Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
const rms = (x) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);

function resample(input, from, to, block) {
  const r = new Resampler(from, to);
  const out = [];
  for (let i = 0; i < input.length; i += block) out.push(...r.process(input.slice(i, i + block)));
  return Float32Array.from(out);
}

for (const [from, to] of [[48000, 16000], [44100, 48000], [24000, 48000], [16000, 48000]]) {
  test(`resampling ${from} to ${to} keeps a 1 kHz tone`, () => {
    const out = resample(sine(1000, from, 1), from, to, 128);
    assert.ok(Math.abs(out.length - to) < to * 0.01, `${out.length} samples`);
    const inner = out.slice(0.1 * to, 0.9 * to);
    assert.ok(Math.abs(rms(inner) - Math.SQRT1_2) < 0.01, `rms ${rms(inner)}`);
  });
}

test("blocks of any size give the same samples", () => {
  const input = sine(440, 44100, 0.2);
  const whole = resample(input, 44100, 16000, input.length);
  const cut = resample(input, 44100, 16000, 77);
  assert.ok(Math.abs(whole.length - cut.length) <= 1);
  for (let i = 0; i < cut.length && i < whole.length; i++) assert.ok(Math.abs(cut[i] - whole[i]) < 1e-4);
});

test("what the lower rate cannot hold is taken away", () => {
  const out = resample(sine(11000, 48000, 1), 48000, 16000, 128);
  assert.ok(rms(out.slice(1600, 14400)) < 0.02, "an 11 kHz tone must not fold down");
});

test("equal rates pass through", () => {
  const input = sine(1000, 16000, 0.01);
  assert.equal(new Resampler(16000, 16000).process(input), input);
});

const ones = (n, value = 1) => new Float32Array(n).fill(value);

function read(queue, n) {
  const out = new Float32Array(n);
  return { finished: queue.read(out), out: [...out] };
}

test("a stream sounds once it holds the prebuffer, and reports its end", () => {
  const queue = new PlaybackQueue(4);
  queue.push(1, ones(3));
  assert.deepEqual(read(queue, 2).out, [0, 0]);
  queue.push(1, ones(3));
  assert.deepEqual(read(queue, 4).out, [1, 1, 1, 1]);
  assert.deepEqual(queue.position, { id: 1, played: 4 });
  queue.end(1);
  assert.deepEqual(read(queue, 4), { finished: [{ id: 1, played: 6 }], out: [1, 1, 0, 0] });
  assert.equal(queue.position, undefined);
});

test("a short stream starts at its end, and the next one joins without a gap", () => {
  const queue = new PlaybackQueue(100);
  queue.push(1, ones(2));
  queue.end(1);
  queue.push(2, ones(2, 0.5));
  queue.end(2);
  assert.deepEqual(read(queue, 5), { finished: [{ id: 1, played: 2 }, { id: 2, played: 2 }], out: [1, 1, 0.5, 0.5, 0] });
});

test("running dry is counted once and waits for the prebuffer again", () => {
  const queue = new PlaybackQueue(2);
  queue.push(1, ones(2));
  assert.deepEqual(read(queue, 3).out, [1, 1, 0]);
  queue.push(1, ones(1));
  assert.deepEqual(read(queue, 2).out, [0, 0]);
  queue.push(1, ones(1));
  assert.deepEqual(read(queue, 2).out, [1, 1]);
  assert.equal(queue.underruns, 1);
});

test("flush fades out and refuses what comes late", () => {
  const queue = new PlaybackQueue(0);
  queue.push(1, ones(1000));
  read(queue, 100);
  queue.flush(1);
  queue.push(1, ones(1000));
  const { finished, out } = read(queue, 1000);
  assert.deepEqual(finished, [{ id: 1, played: 340 }]);
  assert.ok(out[0] === 1 && out[239] > 0 && out[239] < 0.01 && out[240] === 0);
  for (let i = 1; i < 240; i++) assert.ok(out[i] < out[i - 1]);
});

test("flushing what never sounded is silent, and of nobody harmless", () => {
  const queue = new PlaybackQueue(10);
  queue.push(1, ones(5));
  queue.flush(1);
  queue.flush(9);
  assert.deepEqual(read(queue, 2), { finished: [{ id: 1, played: 0 }], out: [0, 0] });
});
