import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaClock } from "../page/js/clock.js";
import { LatencyMeter, quantile } from "../page/js/latency.js";
import { Speech } from "../page/js/speech.js";
import { scaleTop } from "../page/js/latency-chart.js";

test("the clock takes the least delayed block as true", () => {
  const clock = new MediaClock();
  clock.startRun(0);
  [[20_000, 1025], [40_000, 1041], [60_000, 1090], [80_000, 1084]].forEach(([us, wall]) => clock.note(us, wall));
  assert.equal(clock.wallMs(60_000), 1061);
});

test("a pause of the microphone starts a new mapping and keeps the old", () => {
  const clock = new MediaClock();
  clock.startRun(0);
  clock.note(1_000_000, 2000);
  clock.startRun(1_000_000);
  clock.note(1_020_000, 9020);
  assert.equal(clock.wallMs(500_000), 1500);
  assert.equal(clock.wallMs(1_010_000), 9010);
});

test("an old minimum is forgotten, so a drifting sound card does no harm", () => {
  const clock = new MediaClock();
  clock.note(20_000, 20);
  clock.note(12_000_000, 12_100);
  assert.equal(clock.wallMs(12_000_000), 12_100);
  assert.ok(Number.isNaN(new MediaClock().wallMs(0)));
});

test("latency is measured from captured speech to arrival", () => {
  const meter = new LatencyMeter();
  meter.speechStart("a", 1000, 1300);
  meter.partial("a", 1450);
  meter.partial("a", 1900);
  meter.speechEnd("a", 2000, 2530);
  const row = meter.final("a", 2650);
  assert.deepEqual([row.firstMs, row.finalMs, row.hangoverMs], [450, 650, 530]);
  assert.deepEqual(meter.stats("firstMs"), { count: 1, last: 450, median: 450, p95: 450 });
});

test("what cannot be mapped falls back, what is unknown stays out", () => {
  const meter = new LatencyMeter();
  meter.speechStart("a", NaN, 1300);
  meter.partial("a", 1400);
  assert.equal(meter.final("a", 2500, { endWallMs: 2000 }).finalMs, 500, "end of the final stands in for vad.end");
  assert.equal(meter.rows[0].firstMs, 100);
  assert.equal(meter.final("nobody", 1), undefined);
  meter.speechStart("b", 1, 1);
  meter.drop("b");
  assert.equal(meter.final("b", 5), undefined);
  meter.speechStart("c", 1000, 1000);
  meter.final("c", 1500, { endWallMs: 1200 });
  assert.equal(meter.stats("firstMs").count, 1, "no partial, no figure");
  meter.speechStart("d", 1000, 1000);
  meter.speechEnd("d", NaN, 1300);
  assert.equal(meter.final("d", 1500, { endWallMs: 1200 }).hangoverMs, 0);
  meter.speechStart("e", 1000, 1000);
  meter.speechEnd("e", 1200, 1300);
  assert.equal(meter.final("e", 1500, { waited: false }).hangoverMs, 0, "nobody waited for silence");
});

test("quantiles are by nearest rank", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.95), 4);
  assert.equal(quantile([], 0.5), undefined);
});

test("the chart's scale is round and holds every bar", () => {
  assert.equal(scaleTop([]), 500);
  assert.equal(scaleTop([{ firstMs: 510, finalMs: NaN }]), 1000);
  assert.equal(scaleTop([{ firstMs: 510, finalMs: 23_000 }]), 30_000);
});

test("the word that sounds follows the marks, in code points", () => {
  const speech = new Speech("s", "🙂 hello big world", 0);
  speech.mark({ from: 12, to: 17, at_us: 600_000 });
  speech.mark({ from: 2, to: 7, at_us: 0 });
  speech.mark({ from: 8, to: 11, at_us: 300_000 });
  assert.deepEqual(speech.split(299_999), { said: "🙂 ", now: "hello", next: " big world" });
  assert.deepEqual(speech.split(600_000), { said: "🙂 hello big ", now: "world", next: "" });
  assert.deepEqual(new Speech("s", "ab", 0).split(5), { said: "", now: "", next: "ab" });
});
