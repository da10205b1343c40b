// The demo page: puts client, microphone, player and views together.

import { Banner } from "./banner.js";
import { Captions } from "./captions.js";
import { CaptionsView } from "./captions-view.js";
import { MediaClock } from "./clock.js";
import { download, fileName } from "./download.js";
import { FORMATS } from "./export.js";
import { closeFailure, lossFailure, microphoneFailure } from "./failures.js";
import { LatencyMeter } from "./latency.js";
import { drawLatencyChart, ms } from "./latency-chart.js";
import { Microphone, chooseInput, listMicrophones } from "./microphone.js";
import { ParleyClient, State } from "./parley.js";
import { Player, chooseOutput } from "./player.js";
import { SignalView } from "./signal.js";
import { Settings, liveConfig } from "./settings.js";
import { SpeechPanel } from "./speech-panel.js";
import { installTips } from "./tips.js";
import { VoiceChoice, languageName, setOptions } from "./voices.js";
import { Wire } from "./wire-panel.js";

const $ = (id) => document.getElementById(id);

const settings = new Settings();
const captions = new Captions();
const clock = new MediaClock();
const latency = new LatencyMeter();
const microphone = new Microphone();
const player = new Player();
const banner = new Banner({ root: $("banner"), title: $("banner-title"), advice: $("banner-advice"), action: $("banner-action"), dismiss: $("banner-dismiss") });
const lines = new CaptionsView({ list: $("captions"), empty: $("empty"), live: $("live") });
const signal = new SignalView({
  canvas: $("strip"),
  meter: { root: $("level"), bar: $("level-bar"), hold: $("level-hold"), value: $("level-value") },
});
let formats = { input: await chooseInput(settings.values.transport), output: await chooseOutput() };
let info = { voices: [], model: {} };

const client = new ParleyClient({
  url: new URL("/v1/stream", location.href.replace(/^http/, "ws")).href,
  config: () => ({ ...formats, ...liveConfig(settings.values) }),
});
const wire = new Wire({ list: $("wire"), client });
const speech = new SpeechPanel({
  client,
  player,
  settings,
  ui: { form: $("speak-form"), text: $("text"), stop: $("stop"), spoken: $("spoken"), state: $("speak-state") },
});

const voices = new VoiceChoice({ language: $("voice-language"), voice: $("voice") }, settings);

// ---- server ----------------------------------------------------------------

/** loadInfo asks what the server has; it resolves to the HTTP status, 0 for no answer. */
async function loadInfo() {
  let answer;
  try {
    answer = await fetch("/v1/info", { cache: "no-store" });
    if (answer.ok) showInfo(await answer.json());
  } catch {
    // without an answer the page keeps what it knew
  }
  return answer?.status ?? 0;
}

function showInfo(fresh) {
  info = fresh;
  const model = info.model ?? {};
  $("model").textContent = model.name ? `${model.name} · ${info.server ?? ""}` : "";
  showNotice(model.notice ?? "");
  voices.show(info.voices ?? [], info.default_voice);
  showLanguages(model.languages ?? []);
  wire.server($("server"), info);
}

/** The first sentence always stands there; a phone unfolds the rest. */
function showNotice(notice) {
  const [, title, rest] = notice.match(/^(.+?[.!?])\s+(.*)$/s) ?? [null, notice, ""];
  const fresh = $("notice-title").textContent !== title;
  $("notice").hidden = !notice;
  $("notice-title").textContent = title;
  $("notice-text").textContent = rest;
  if (fresh) $("notice").open = rest !== "" && matchMedia("(min-width: 641px)").matches;
}

function showLanguages(languages) {
  const known = languages.map((id) => ({ id, name: languageName(id) })).sort((a, b) => a.name.localeCompare(b.name));
  const auto = { id: "auto", name: known.length === 1 ? `As the model: ${known[0].name}` : "Detect" };
  if (!languages.includes(settings.values.language)) settings.set("language", "auto");
  setOptions($("language"), [auto, ...known], settings.values.language);
}

let outage = null; // why the connection went, until it is back: attempts that fail say less

client.addEventListener("state", ({ detail }) => {
  showLink(detail);
  if (detail.state === State.OPEN) {
    outage = null;
    banner.clear("connection");
    banner.clear("server");
    $("status").textContent = "Connected";
    showSpeech(false);
    client.ping();
    loadInfo();
  } else if (detail.state !== State.CONNECTING) {
    captions.abandon().forEach((change) => lines.change(change));
    speech.lost();
    showSpeech(false);
    signal.speechEnd(microphone.capturedUs);
    if (detail.state === State.WAITING) outage ??= { code: detail.code, reason: detail.reason };
    if (!detail.local) tellLoss({ ...detail, ...(detail.state === State.WAITING && outage) });
  }
});

async function tellLoss({ state, code, reason }) {
  if (state === State.CLOSED) {
    if (code === 4400 && (await languageCorrected())) {
      client.connect();
      return;
    }
    stopMicrophone();
    banner.show("connection", { ...closeFailure(code, reason), action: { label: "Reconnect", run: () => client.connect() } });
    return;
  }
  const status = await loadInfo(); // a browser hides why an upgrade was refused
  if (client.state === State.OPEN) return;
  if (status === 401 || status === 403) {
    client.close();
    banner.show("connection", closeFailure(4000 + status, ""));
    return;
  }
  banner.show("connection", { ...lossFailure(code, reason, status), action: { label: "Try now", run: () => client.connect() } });
}

/** languageCorrected tells whether the kept language was of another model, and is no more. */
async function languageCorrected() {
  const { language } = settings.values;
  await loadInfo();
  return settings.values.language !== language;
}

let countdown;
function showLink({ state, retryMs }) {
  clearInterval(countdown);
  $("link").dataset.state = state;
  $("link-text").textContent = { connecting: "Connecting", open: "Connected", waiting: "Reconnecting", closed: "Not connected" }[state];
  if (state !== State.WAITING) return;
  const until = performance.now() + retryMs;
  const tick = () => ($("link-text").textContent = `Retry in ${Math.max(1, Math.ceil((until - performance.now()) / 1000))} s`);
  tick();
  countdown = setInterval(tick, 500);
}

/** connected resolves when there is a session, opening one if need be. */
function connected() {
  if (client.state === State.OPEN) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = ({ detail }) => {
      if (detail.state === State.CONNECTING) return;
      client.removeEventListener("state", settle);
      resolve(detail.state === State.OPEN);
    };
    client.addEventListener("state", settle);
    client.connect();
  });
}

client.addEventListener("error", ({ detail }) => {
  if (!detail.fatal) banner.show("server", { title: "The server reports a problem:", advice: `${detail.message} (${detail.code})` });
});
client.addEventListener("warning", ({ detail }) => {
  if (detail.code === "nothing_to_commit") return; // the utterance ended by itself meanwhile
  banner.show("server", { title: "Note from the server:", advice: `${detail.message} (${detail.code})`, kind: "note" });
});

// ---- hearing ---------------------------------------------------------------

const micButton = $("mic");
let switching = false;

async function toggleMicrophone() {
  if (switching) return;
  switching = true;
  player.open().catch(() => {}); // this click also allows the answer to sound
  micButton.setAttribute("aria-busy", "true");
  await (microphone.active ? stopMicrophone() : startMicrophone());
  micButton.removeAttribute("aria-busy");
  switching = false;
}

async function startMicrophone() {
  banner.clear("microphone");
  if (!(await connected())) return;
  const { deviceId, echoCancellation, noiseSuppression, autoGainControl } = settings.values;
  try {
    clock.startRun(microphone.capturedUs);
    await microphone.start({ input: formats.input, deviceId, echoCancellation, noiseSuppression, autoGainControl });
  } catch (error) {
    banner.show("microphone", microphoneFailure(error));
    return;
  }
  signal.start();
  showMicrophone(true);
  showDevices();
}

async function stopMicrophone() {
  if (!microphone.active) return;
  await microphone.stop();
  finishUtterance();
  signal.stop();
  showMicrophone(false);
}

/** finishUtterance asks for the final of what was being said. */
function finishUtterance() {
  if (captions.hearing()) client.commit();
}

function showMicrophone(on) {
  micButton.dataset.on = String(on);
  $("mic-text").textContent = on ? "Stop listening" : "Start listening";
  $("status").textContent = on ? "Listening" : "Microphone off";
  showSpeech(false);
}

function showSpeech(on) {
  $("vad").dataset.on = String(on);
  $("vad-text").textContent = on ? "Speech" : !microphone.active ? "Microphone off" : client.state === State.OPEN ? "Silence" : "Nobody listens";
}

async function showDevices() {
  const found = await listMicrophones();
  const options = [{ id: "", name: "System default" }, ...found.map((d, i) => ({ id: d.id, name: d.label || `Microphone ${i + 1}` }))];
  if (!options.some((o) => o.id === settings.values.deviceId)) settings.set("deviceId", "");
  setOptions($("device"), options, settings.values.deviceId);
}

micButton.addEventListener("click", toggleMicrophone);
microphone.addEventListener("packet", ({ detail }) => client.sendAudio(detail.payload, detail.ptsUs));
microphone.addEventListener("block", ({ detail }) => {
  clock.note(detail.endUs, performance.now());
  signal.block(detail);
});
microphone.addEventListener("lost", ({ detail }) => {
  finishUtterance();
  signal.stop();
  showMicrophone(false);
  banner.show("microphone", { title: "Listening stopped.", advice: `${detail.reason}.` });
});

// ---- captions and latency ----------------------------------------------------

const onServer = (type, handle = () => {}) =>
  client.addEventListener(type, ({ detail }) => {
    const change = captions.apply(detail, client.toCaptureUs(0));
    if (change) lines.change(change);
    handle(detail, performance.now(), change);
  });
const captured = (us) => clock.wallMs(client.toCaptureUs(us));

onServer("vad.start", (e, now) => {
  latency.speechStart(e.utt, captured(e.at_us), now);
  signal.speechStart(client.toCaptureUs(e.at_us));
  showSpeech(true);
});
onServer("vad.end", (e, now) => {
  latency.speechEnd(e.utt, captured(e.at_us), now);
  signal.speechEnd(client.toCaptureUs(e.at_us));
  showSpeech(false);
});
onServer("turn.eager");
onServer("turn.resumed");
onServer("transcript.partial", (e, now) => {
  if (!e.stable && !e.tail) return;
  latency.partial(e.utt, now);
});
onServer("transcript.final", (e, now, change) => {
  if (!e.text?.trim()) {
    latency.drop(e.utt);
    return;
  }
  const row = latency.final(e.utt, now, { endWallMs: captured(e.end_us), waited: e.reason === "vad" });
  if (row) {
    const first = Number.isFinite(row.firstMs) ? [`first ${ms(row.firstMs)}`] : []; // too short for a partial
    lines.note(change.utterance, [...first, `final ${ms(row.finalMs)}`].join(" · "));
    showLatency();
  }
  showDownloads();
});
onServer("transcript.failed", (e) => latency.drop(e.utt));
onServer("input.cleared", (e) => latency.drop(e.utt));

function showLatency() {
  for (const [key, name] of [["firstMs", "first"], ["finalMs", "final"]]) {
    const { last, median, p95, count } = latency.stats(key);
    $(`${name}-last`).textContent = ms(last);
    $(`${name}-stats`).textContent = count > 1 ? `p50 ${Math.round(median)} p95 ${Math.round(p95)}` : "";
  }
  drawLatencyChart($("chart"), latency.rows);
}

function showDownloads() {
  const none = captions.finals().length === 0;
  document.querySelectorAll("[data-format]").forEach((b) => (b.disabled = none));
  $("clear").disabled = none;
}

for (const button of document.querySelectorAll("[data-format]")) {
  button.addEventListener("click", () => {
    const format = FORMATS[button.dataset.format];
    const about = { server: info.server, model: info.model?.name, created: new Date().toISOString() };
    download(fileName(button.dataset.format), format.mime, format.write(captions.finals(), about));
  });
}
$("clear").addEventListener("click", () => {
  captions.clear();
  lines.keep(captions.utterances);
  showDownloads();
  $("captions").focus();
});

// ---- speaking ----------------------------------------------------------------

$("speak-form").addEventListener("submit", () => banner.clear("speech"), { capture: true });
speech.addEventListener("firstsound", ({ detail }) => ($("sound-last").textContent = ms(detail.ms)));
speech.addEventListener("problem", ({ detail }) => banner.show("speech", detail));
speech.addEventListener("underruns", ({ detail }) => wire.underruns(detail.count));

// ---- settings and keys ---------------------------------------------------------

settings.bind($("settings-form"));
settings.bind($("speak-form"));
settings.addEventListener("change", async ({ detail }) => {
  if (detail.live && client.state === State.OPEN) client.update(liveConfig(settings.values));
  if (detail.name === "transport") await changeTransport();
  else if (["deviceId", "echoCancellation", "noiseSuppression", "autoGainControl"].includes(detail.name)) await renewMicrophone();
});

async function changeTransport() {
  const was = microphone.active;
  await stopMicrophone();
  formats = { ...formats, input: await chooseInput(settings.values.transport) };
  client.restart();
  wire.formats(formats);
  if (was) await startMicrophone();
}

async function renewMicrophone() {
  if (!microphone.active) return;
  await stopMicrophone();
  await startMicrophone();
}

const dialog = $("settings");
$("open-settings").addEventListener("click", () => {
  showDevices();
  dialog.showModal();
});
dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
$("reset").addEventListener("click", () => settings.reset());
document.addEventListener("keydown", (e) => {
  if (e.altKey && e.code === "KeyM") {
    e.preventDefault();
    toggleMicrophone();
  } else if (e.key === "Escape" && !dialog.open) {
    speech.stop();
  }
});
navigator.mediaDevices?.addEventListener?.("devicechange", showDevices);
document.addEventListener("visibilitychange", () => {
  // A hidden tab may be too slow to keep its session alive; come back with it.
  if (!document.hidden && client.state !== State.OPEN) client.connect();
});
window.addEventListener("pagehide", () => client.close());
window.addEventListener("online", () => client.state === State.WAITING && client.connect());

installTips($("tip"));
drawLatencyChart($("chart"), []);
wire.formats(formats);
if (!window.isSecureContext) banner.show("microphone", microphoneFailure({ name: "InsecureContextError" }));
client.connect();
