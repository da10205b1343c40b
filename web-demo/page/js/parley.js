// ParleyClient speaks the native protocol speech.v1 over one WebSocket and keeps
// that connection alive: it reconnects with growing pauses after a loss.
//
//   const client = new ParleyClient({ url, config: () => ({ input: {...} }) });
//   client.addEventListener("transcript.final", (e) => show(e.detail.text));
//   client.connect();
//
// Every server event is dispatched under its own type with the message as
// detail; those nobody listens for are thereby ignored. Besides these:
//   "state"  {state, code?, reason?, local?, retryMs?, attempt?}; see State
//   "audio"  a decoded audio frame (wire.js) of a speech

import { Flag, KIND_AUDIO, SUBPROTOCOL, decodeFrame, encodeFrame } from "./wire.js";

export const State = Object.freeze({
  CONNECTING: "connecting",
  OPEN: "open", // session.started has arrived
  WAITING: "waiting", // lost; a new attempt follows after retryMs
  CLOSED: "closed", // closed for good; connect() starts again
});

const PING_MS = 10_000;
const LOST_PINGS = 3; // so many without any message in return: the connection is dead
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
const MAX_BUFFERED_BYTES = 96 * 1024; // 3 s of 16 kHz PCM, far more of Opus
// Trying again with the same request would fail the same way.
const FINAL_CODES = new Set([1000, 4400, 4401, 4403, 4404, 4408, 4409, 4413, 4415]);

export class ParleyClient extends EventTarget {
  state = State.CLOSED;
  session = null; // the last session.started
  roundTripMs = NaN;
  sentBytes = 0;
  droppedFrames = 0;

  #url;
  #config;
  #WebSocket;
  #socket = null;
  #attempt = 0;
  #notBeforeMs = 0; // what an overloaded server asked to wait
  #retryTimer;
  #pingTimer;
  #unanswered = 0;
  #seq = 0;
  #baseUs = null; // capture time of the session's first sample
  #gap = false;
  #nextId = 0;

  /**
   * url: address of /v1/stream. config(): what session.start carries, asked
   * anew at each connection. WebSocket: the class to use.
   */
  constructor({ url, config, WebSocket = globalThis.WebSocket }) {
    super();
    this.#url = url;
    this.#config = config;
    this.#WebSocket = WebSocket;
  }

  /** connect opens the connection, at once if a retry is being waited for. */
  connect() {
    if (this.state === State.CONNECTING || this.state === State.OPEN) return;
    clearTimeout(this.#retryTimer);
    this.#become(State.CONNECTING, { attempt: this.#attempt });
    const socket = new this.#WebSocket(this.#url, [SUBPROTOCOL]);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (e) => this.#received(socket, e.data);
    socket.onclose = (e) => this.#closed(socket, e.code, e.reason);
    this.#socket = socket;
  }

  /** close ends the session in order and does not come back by itself. */
  close() {
    const socket = this.#socket;
    this.#forget();
    if (socket?.readyState === 1) socket.send(JSON.stringify({ type: "session.end" }));
    socket?.close(1000);
    this.#become(State.CLOSED, { code: 1000, local: true });
  }

  /** restart opens a fresh session, for settings that cannot change in one. */
  restart() {
    this.close();
    this.#attempt = 0;
    this.connect();
  }

  /** send puts one JSON message on the wire; it returns its id, or null when there is no connection. */
  send(message) {
    if (this.#socket?.readyState !== 1) return null;
    const id = `c${++this.#nextId}`;
    const text = JSON.stringify({ ...message, id });
    this.sentBytes += text.length;
    this.#socket.send(text);
    return id;
  }

  update(config) {
    return this.send({ type: "session.update", ...config });
  }

  /**
   * sendAudio sends one captured packet. captureUs runs on across sessions;
   * each session sees its own media time from 0. A packet that does not fit
   * (no connection, or the network is too slow) is dropped and the gap marked.
   */
  sendAudio(payload, captureUs) {
    const socket = this.#socket;
    if (socket?.readyState !== 1) return false;
    this.#baseUs ??= captureUs;
    const seq = this.#seq++;
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#gap = true;
      this.droppedFrames++;
      return false;
    }
    const flags = this.#gap ? Flag.DISCONTINUITY : 0;
    this.#gap = false;
    const frame = encodeFrame({ flags, stream: 0, seq, ptsUs: captureUs - this.#baseUs, payload });
    this.sentBytes += frame.length;
    socket.send(frame);
    return true;
  }

  /** toCaptureUs moves a media time of this session onto the capture time line. */
  toCaptureUs(mediaUs) {
    return mediaUs + (this.#baseUs ?? 0);
  }

  /** bufferedBytes waits in the browser to be sent. */
  get bufferedBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** commit asks for the final of what has been heard so far. */
  commit() {
    return this.#baseUs === null ? null : this.send({ type: "input.commit", stream: 0 });
  }

  speak(speech, text, { voice, speed } = {}) {
    return this.send({ type: "speak", speech, text, voice, speed, queue: "replace" });
  }

  cancelSpeech(speech, playedUs) {
    return this.send({ type: "speak.cancel", speech, played_us: Math.round(playedUs) });
  }

  playback(speech, playedUs) {
    return this.send({ type: "playback", speech, played_us: Math.round(playedUs) });
  }

  /** ping measures the round trip; the client does so by itself every ten seconds. */
  ping() {
    return this.send({ type: "ping", t: performance.now() });
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    this.#seq = 0;
    this.#baseUs = null;
    this.#gap = false;
    this.#unanswered = 0;
    this.send({ type: "session.start", ...this.#config() });
    this.#pingTimer = setInterval(() => this.#ping(), PING_MS);
  }

  #ping() {
    if (++this.#unanswered > LOST_PINGS) {
      const socket = this.#socket;
      this.#closed(socket, 1006, "no answer from the server");
      socket.close();
      return;
    }
    this.ping();
  }

  #received(socket, data) {
    if (socket !== this.#socket) return;
    this.#unanswered = 0;
    if (typeof data === "string") this.#control(data);
    else this.#audio(data);
  }

  #control(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      console.warn("parley: control message is not JSON");
      return;
    }
    if (message.type === "session.started") {
      this.session = message;
      this.#attempt = 0;
      this.#notBeforeMs = 0;
      this.#become(State.OPEN, { session: message.session });
    } else if (message.type === "error" && message.fatal && message.retry_after_ms > 0) {
      this.#notBeforeMs = Math.min(message.retry_after_ms, LONGEST_RETRY_MS);
    } else if (message.type === "pong" && typeof message.t === "number") {
      this.roundTripMs = performance.now() - message.t;
    }
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  #audio(data) {
    let frame;
    try {
      frame = decodeFrame(data);
    } catch (error) {
      console.warn(`parley: ${error.message}`);
      return;
    }
    if (frame.kind === KIND_AUDIO) this.dispatchEvent(new CustomEvent("audio", { detail: frame }));
  }

  #closed(socket, code, reason) {
    if (socket !== this.#socket) return;
    this.#forget();
    if (FINAL_CODES.has(code)) {
      this.#become(State.CLOSED, { code, reason });
      return;
    }
    const retryMs = Math.max(retryDelay(this.#attempt++), this.#notBeforeMs);
    this.#notBeforeMs = 0;
    this.#retryTimer = setTimeout(() => this.connect(), retryMs);
    this.#become(State.WAITING, { code, reason, retryMs, attempt: this.#attempt });
  }

  #forget() {
    this.#socket = null;
    clearInterval(this.#pingTimer);
    clearTimeout(this.#retryTimer);
  }

  #become(state, detail) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, ...detail } }));
  }
}

/** retryDelay doubles with each attempt and varies by a quarter, so that clients do not return in step. */
export function retryDelay(attempt, random = Math.random) {
  const base = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return Math.round(base * (0.75 + 0.5 * random()));
}
