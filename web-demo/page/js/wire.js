// Binary audio frames of speech.v1: a 16-byte big-endian header, then one Opus
// packet or any whole number of PCM samples.
//
//   0 u8 kind (1 = audio)   1 u8 flags   2 u16 stream   4 u32 seq   8 u64 pts_us

export const SUBPROTOCOL = "speech.v1";
export const HEADER_BYTES = 16;
export const KIND_AUDIO = 1;

export const Flag = Object.freeze({
  END: 1, // last frame of the stream
  DISCONTINUITY: 2, // audio is missing before this frame
  CODEC_HEADER: 4,
  SILENCE: 8,
});

/** Bit that marks the streams opened by the server. */
export const SERVER_STREAM = 0x8000;

/** encodeFrame puts the header before payload (ArrayBuffer or typed array). */
export function encodeFrame({ flags = 0, stream = 0, seq, ptsUs, payload }) {
  const bytes = asBytes(payload);
  const out = new Uint8Array(HEADER_BYTES + bytes.length);
  const view = new DataView(out.buffer);
  view.setUint8(0, KIND_AUDIO);
  view.setUint8(1, flags);
  view.setUint16(2, stream);
  view.setUint32(4, seq >>> 0);
  view.setBigUint64(8, BigInt(Math.round(ptsUs)));
  out.set(bytes, HEADER_BYTES);
  return out;
}

/** decodeFrame reads a frame; it throws RangeError on a short one. */
export function decodeFrame(buffer) {
  const bytes = asBytes(buffer);
  if (bytes.length < HEADER_BYTES) {
    throw new RangeError(`audio frame of ${bytes.length} bytes is shorter than its ${HEADER_BYTES}-byte header`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    kind: view.getUint8(0),
    flags: view.getUint8(1),
    stream: view.getUint16(2),
    seq: view.getUint32(4),
    ptsUs: Number(view.getBigUint64(8)),
    payload: bytes.subarray(HEADER_BYTES),
  };
}

function asBytes(data) {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

/** floatToS16le turns float samples in [-1, 1] into little-endian 16-bit PCM bytes. */
export function floatToS16le(samples) {
  const out = new Uint8Array(samples.length * 2);
  const view = new DataView(out.buffer);
  for (let i = 0; i < samples.length; i++) {
    const s = Math.max(-1, Math.min(1, samples[i]));
    view.setInt16(2 * i, Math.round(s * 32767), true);
  }
  return out;
}

/** s16leToFloat is the inverse; a trailing odd byte is ignored. */
export function s16leToFloat(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < out.length; i++) out[i] = view.getInt16(2 * i, true) / 32768;
  return out;
}
