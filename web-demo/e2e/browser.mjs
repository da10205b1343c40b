// A real Chromium with a WAV as its microphone, and what the checks need to see
// of a page from outside: its socket, its sound, its complaints.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const NAMES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function launch({ wav, executable = process.env.PARLEY_CHROMIUM }) {
  const executablePath = executable ?? NAMES.find((name) => existsSync(name));
  if (!executablePath) throw new Error(`no Chromium at ${NAMES.join(", ")}; name one with --chromium or PARLEY_CHROMIUM`);
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${wav}`,
    ],
  });
}

/**
 * Tap on the audio thread: adds up what goes to the loudspeaker. It comes from a
 * blob, which the page's own policy forbids, so pages with a tap run without it.
 */
const TAP = `
registerProcessor("test-tap", class extends AudioWorkletProcessor {
  process([[samples]]) {
    if (!samples) return true;
    let sum = 0;
    for (const s of samples) sum += s * s;
    this.port.postMessage({ sum, count: samples.length, rate: sampleRate });
    return true;
  }
});`;

/** Runs in the page before its scripts: taps sound, notes sockets and policy violations. */
function instrument({ noWebCodecs, tapSource }) {
  const probe = (window.probe = { sockets: [], violations: [], sound: { sum: 0, count: 0, loud: 0, rate: 0 }, taps: 0 });
  document.addEventListener("securitypolicyviolation", (e) => probe.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      probe.sockets.push(this);
    }
  };
  if (noWebCodecs) for (const name of ["AudioEncoder", "AudioDecoder", "EncodedAudioChunk", "AudioData"]) delete window[name];

  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (tapSource && target instanceof AudioDestinationNode) tap(this);
    return connect.call(this, target, ...rest);
  };
  async function tap(source) {
    await source.context.audioWorklet.addModule(URL.createObjectURL(new Blob([tapSource], { type: "text/javascript" })));
    const node = new AudioWorkletNode(source.context, "test-tap", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data: { sum, count, rate } }) => {
      const total = probe.sound;
      total.sum += sum;
      total.count += count;
      total.rate = rate;
      if (sum / count > 1e-5) total.loud += count; // louder than -50 dBFS
    };
    connect.call(source, node);
    probe.taps++;
  }
}

/**
 * openPage opens the demo; tap: measure its sound, see sound(); watch collects what came over its socket
 * (watch.sent, watch.received: JSON messages with at; binary frames counted)
 * and what the browser complained about.
 */
export async function openPage(browser, url, { noWebCodecs = false, tap = false } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, bypassCSP: tap });
  const page = await context.newPage();
  const watch = { sent: [], received: [], framesUp: 0, framesDown: 0, complaints: [] };
  page.on("console", (m) => m.type() === "error" && watch.complaints.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => watch.complaints.push(`exception: ${e.message}`));
  page.on("websocket", (socket) => {
    const note = (list, frames) => ({ payload }) => {
      if (typeof payload === "string") watch[list].push({ ...JSON.parse(payload), at: Date.now() });
      else watch[frames]++;
    };
    socket.on("framesent", note("sent", "framesUp"));
    socket.on("framereceived", note("received", "framesDown"));
  });
  await page.addInitScript(instrument, { noWebCodecs, tapSource: tap ? TAP : "" });
  await page.goto(url);
  return { context, page, watch };
}

/** sound reads and resets the tap: {seconds, loudSeconds, rms} since the last call. */
export function sound(page) {
  return page.evaluate(() => {
    const { sum, count, loud, rate } = window.probe.sound;
    window.probe.sound = { sum: 0, count: 0, loud: 0, rate };
    return { seconds: count / (rate || 1), loudSeconds: loud / (rate || 1), rms: loud ? Math.sqrt(sum / loud) : 0 };
  });
}
