import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag, decodeFrame, encodeFrame, floatToS16le, s16leToFloat } from "../page/js/wire.js";

test("a frame has the 16-byte big-endian header of speech.v1", () => {
  const frame = encodeFrame({ flags: Flag.DISCONTINUITY, stream: 0x0102, seq: 0x03040506, ptsUs: 0x0708090a0b0c, payload: Uint8Array.of(0xaa, 0xbb) });
  assert.deepEqual([...frame], [1, 2, 1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0xaa, 0xbb]);
});

test("a frame reads back, from an ArrayBuffer as from a view into a larger one", () => {
  const sent = { flags: Flag.END, stream: 0x8003, seq: 0xffffffff, ptsUs: 3_600_000_000, payload: Uint8Array.of(1, 2, 3) };
  const bytes = encodeFrame(sent);
  const padded = new Uint8Array(bytes.length + 5);
  padded.set(bytes, 5);
  for (const source of [bytes.buffer, padded.subarray(5)]) {
    const { kind, payload, ...rest } = decodeFrame(source);
    assert.equal(kind, 1);
    assert.deepEqual([...payload], [1, 2, 3]);
    assert.deepEqual(rest, { flags: sent.flags, stream: sent.stream, seq: sent.seq, ptsUs: sent.ptsUs });
  }
});

test("seq wraps to 32 bits and a fraction of a microsecond is rounded", () => {
  const { seq, ptsUs } = decodeFrame(encodeFrame({ seq: 2 ** 32 + 7, ptsUs: 20000.4, payload: new ArrayBuffer(0) }));
  assert.deepEqual({ seq, ptsUs }, { seq: 7, ptsUs: 20000 });
});

test("a short frame is refused", () => {
  assert.throws(() => decodeFrame(new Uint8Array(15)), /15 bytes/);
});

test("PCM is little-endian, clipped, and survives the round trip", () => {
  assert.deepEqual([...floatToS16le(Float32Array.of(0, 1, -1, 2, -2))], [0, 0, 0xff, 0x7f, 0x01, 0x80, 0xff, 0x7f, 0x01, 0x80]);
  const there = Float32Array.of(0.25, -0.5, 0.75);
  s16leToFloat(floatToS16le(there)).forEach((v, i) => assert.ok(Math.abs(v - there[i]) < 1e-4));
  assert.equal(s16leToFloat(Uint8Array.of(0, 0, 1)).length, 1);
});
