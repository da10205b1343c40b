// Player sounds the audio streams of the server: Opus decoded by WebCodecs, or
// 16-bit PCM, through a queue on the audio thread that knows what was heard.

import { Flag, s16leToFloat } from "./wire.js";
import { Resampler } from "./resample.js";

const RATE = 48000;
export const OPUS_OUTPUT = Object.freeze({ codec: "opus", rate: RATE });
export const PCM_OUTPUT = Object.freeze({ codec: "pcm_s16le", rate: 24000 });
const OPUS_DECODER = { codec: "opus", sampleRate: RATE, numberOfChannels: 1 };

/** chooseOutput says in which format this browser can play. */
export async function chooseOutput() {
  if (typeof AudioDecoder === "undefined") return PCM_OUTPUT;
  try {
    const { supported } = await AudioDecoder.isConfigSupported(OPUS_DECODER);
    return supported ? OPUS_OUTPUT : PCM_OUTPUT;
  } catch {
    return PCM_OUTPUT;
  }
}

/**
 * Events: "progress" {stream, playedUs, heardUs, rms, underruns} about every 40 ms while a
 * stream sounds (heardUs: less the latency of the sound card); "finished"
 * {stream, playedUs}; "failed" {stream, reason}.
 */
export class Player extends EventTarget {
  #context = null;
  #node = null;
  #opening = null;
  #sources = new Map(); // stream → {push(bytes, ptsUs), end(), close()}

  /** open must first be called from a click or key press. */
  async open() {
    if (!("audioWorklet" in (globalThis.AudioContext?.prototype ?? {}))) {
      throw new DOMException("no audio worklet", window.isSecureContext ? "NotSupportedError" : "InsecureContextError");
    }
    this.#context ??= new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    this.#opening ??= this.#build();
    await Promise.all([this.#opening, this.#context.resume()]);
  }

  async #build() {
    await this.#context.audioWorklet.addModule(new URL("./player-worklet.js", import.meta.url));
    this.#node = new AudioWorkletNode(this.#context, "parley-player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => this.#report(data);
    this.#node.connect(this.#context.destination);
  }

  /** begin prepares for a stream in the format that speak.started names. */
  begin(stream, { codec, rate }) {
    const source = codec === "opus" ? this.#opusSource(stream) : this.#pcmSource(stream, rate);
    this.#sources.set(stream, source);
  }

  /** frame takes one audio frame; frames of unknown or cut streams are dropped. */
  frame({ stream, flags, ptsUs, payload }) {
    const source = this.#sources.get(stream);
    if (!source) return;
    if (payload.length) source.push(payload, ptsUs);
    if (flags & Flag.END) source.end();
  }

  /** end lets a stream play out although no last frame was marked. */
  end(stream) {
    this.#sources.get(stream)?.end();
  }

  /** flush silences a stream at once; what arrives of it later is dropped. */
  flush(stream) {
    this.#sources.get(stream)?.close();
    this.#sources.delete(stream);
    this.#post({ op: "flush", id: stream });
  }

  #opusSource(stream) {
    const decoder = new AudioDecoder({
      output: (data) => {
        const samples = new Float32Array(data.numberOfFrames);
        data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        data.close();
        this.#push(stream, samples);
      },
      error: (error) => this.#emit("failed", { stream, reason: error.message }),
    });
    decoder.configure(OPUS_DECODER);
    const open = () => decoder.state === "configured";
    return {
      push: (data, timestamp) => open() && decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data })),
      end: () => open() && decoder.flush().then(() => this.#ended(stream), () => {}),
      close: () => decoder.state !== "closed" && decoder.close(),
    };
  }

  #pcmSource(stream, rate) {
    const resampler = new Resampler(rate, RATE);
    return {
      push: (bytes) => this.#push(stream, resampler.process(s16leToFloat(bytes))),
      end: () => this.#ended(stream),
      close() {},
    };
  }

  #push(stream, samples) {
    this.#post({ op: "push", id: stream, samples }, [samples.buffer]);
  }

  #ended(stream) {
    if (!this.#sources.has(stream)) return;
    this.#sources.get(stream).close();
    this.#sources.delete(stream);
    this.#post({ op: "end", id: stream });
  }

  async #post(message, transfer = []) {
    await this.#opening;
    this.#node?.port.postMessage(message, transfer);
  }

  #report({ id, played, rms, underruns, finished }) {
    const playedUs = (played / RATE) * 1e6;
    if (finished) {
      this.#emit("finished", { stream: id, playedUs });
      return;
    }
    const latencyUs = (this.#context.outputLatency || this.#context.baseLatency || 0) * 1e6;
    this.#emit("progress", { stream: id, playedUs, heardUs: Math.max(0, playedUs - latencyUs), rms, underruns });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
