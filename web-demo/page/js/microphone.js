// Microphone captures speech as packets for the wire: raw 20 ms Opus packets by
// WebCodecs where the browser has it, else 16 kHz 16-bit PCM. The audio thread
// drives everything, so a tab in the background goes on sending.

import { floatToS16le } from "./wire.js";

const BLOCK_MS = 20;
export const OPUS_INPUT = Object.freeze({ codec: "opus", rate: 48000, channels: 1 });
export const PCM_INPUT = Object.freeze({ codec: "pcm_s16le", rate: 16000, channels: 1 });

const OPUS_ENCODER = {
  codec: "opus",
  sampleRate: OPUS_INPUT.rate,
  numberOfChannels: 1,
  bitrate: 32000,
  opus: {
    format: "opus",
    application: "voip",
    signal: "voice",
    frameDuration: BLOCK_MS * 1000,
    useinbandfec: true,
    packetlosspercentage: 5,
    usedtx: false,
  },
};

/** chooseInput says in which format this browser can send; wanted is "auto", "opus" or "pcm". */
export async function chooseInput(wanted = "auto") {
  if (wanted === "pcm" || typeof AudioEncoder === "undefined") return PCM_INPUT;
  try {
    const { supported } = await AudioEncoder.isConfigSupported(OPUS_ENCODER);
    return supported ? OPUS_INPUT : PCM_INPUT;
  } catch {
    return PCM_INPUT;
  }
}

/**
 * Events: "packet" {payload, ptsUs}; "block" {ptsUs, endUs, rms, peak} for
 * meters and clocks; "lost" {reason} when the device goes away. ptsUs counts
 * captured audio and goes on where the last run stopped.
 */
export class Microphone extends EventTarget {
  active = false;
  capturedUs = 0;

  #stream = null;
  #context = null;
  #node = null;
  #encoder = null;

  /** start asks for the microphone; it throws what getUserMedia throws. */
  async start({ input, deviceId, echoCancellation, noiseSuppression, autoGainControl }) {
    if (!navigator.mediaDevices?.getUserMedia || typeof AudioWorkletNode === "undefined") {
      throw new DOMException("no microphone interface", window.isSecureContext ? "NotSupportedError" : "InsecureContextError");
    }
    const device = deviceId ? { deviceId: { exact: deviceId } } : {};
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: { ...device, echoCancellation, noiseSuppression, autoGainControl, channelCount: 1 },
    });
    try {
      await this.#listen(input);
    } catch (error) {
      await this.#release();
      throw error;
    }
    this.active = true;
  }

  /** stop ends capture; when it resolves, the last packet has been dispatched. */
  async stop() {
    if (!this.active) return;
    this.active = false;
    this.#node.port.onmessage = null;
    if (this.#encoder?.state === "configured") await this.#encoder.flush().catch(() => {});
    await this.#release();
  }

  async #listen(input) {
    const [track] = this.#stream.getAudioTracks();
    track.onended = () => this.#lost("the microphone was disconnected or its permission withdrawn");
    this.#context = new AudioContext({ latencyHint: "interactive" });
    await this.#context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
    if (input.codec === "opus") this.#encoder = this.#opusEncoder();
    this.#node = new AudioWorkletNode(this.#context, "parley-capture", {
      numberOfOutputs: 0,
      processorOptions: { rate: input.rate, blockMs: BLOCK_MS },
    });
    this.#node.port.onmessage = ({ data }) => this.#block(data, input);
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
    await this.#context.resume();
  }

  #opusEncoder() {
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const payload = new Uint8Array(chunk.byteLength);
        chunk.copyTo(payload);
        this.#emit("packet", { payload, ptsUs: chunk.timestamp });
      },
      error: (error) => this.#lost(`the Opus encoder failed (${error.message})`),
    });
    encoder.configure(OPUS_ENCODER);
    return encoder;
  }

  #block({ samples, rms, peak }, input) {
    const ptsUs = this.capturedUs;
    this.capturedUs += BLOCK_MS * 1000;
    this.#emit("block", { ptsUs, endUs: this.capturedUs, rms, peak });
    if (!this.#encoder) {
      this.#emit("packet", { payload: floatToS16le(samples), ptsUs });
    } else if (this.#encoder.state === "configured") {
      const data = new AudioData({
        format: "f32",
        sampleRate: input.rate,
        numberOfFrames: samples.length,
        numberOfChannels: 1,
        timestamp: ptsUs,
        data: samples,
      });
      this.#encoder.encode(data);
      data.close();
    }
  }

  #lost(reason) {
    if (!this.active) return;
    this.active = false;
    this.#release();
    this.#emit("lost", { reason });
  }

  async #release() {
    this.#stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.#node?.port.postMessage("stop");
    this.#node?.disconnect();
    if (this.#encoder && this.#encoder.state !== "closed") this.#encoder.close();
    await this.#context?.close().catch(() => {});
    this.#stream = this.#node = this.#encoder = this.#context = null;
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** listMicrophones gives [{id, label}]; labels are empty until permission was given. */
export async function listMicrophones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices.filter((d) => d.kind === "audioinput" && d.deviceId && d.deviceId !== "default").map((d) => ({ id: d.deviceId, label: d.label }));
}
