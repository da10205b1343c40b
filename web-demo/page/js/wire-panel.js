// Wire shows what the connection carries: formats, rate, waiting bytes, backlog.

import { languageName } from "./voices.js";

const REFRESH_MS = 1000;

export class Wire {
  #client;
  #rows = new Map(); // name → <dd>
  #sent = 0;
  #sentAt = performance.now();

  constructor({ list, client }) {
    this.#client = client;
    for (const name of ["Microphone", "Answer", "Sent", "Waiting", "Backlog", "Round trip", "Lost"]) {
      this.#rows.set(name, addFact(list, name, "–"));
    }
    client.addEventListener("input.ack", ({ detail }) => this.#set("Backlog", `${Math.round(detail.backlog_ms ?? 0)} ms`));
    for (const type of ["transcript.final", "transcript.failed"]) client.addEventListener(type, () => this.#set("Backlog", "0 ms"));
    client.addEventListener("flow", ({ detail }) => this.#set("Backlog", `server is ${detail.state}`));
    client.addEventListener("pong", () => this.#set("Round trip", `${client.roundTripMs.toFixed(1)} ms`));
    setInterval(() => this.#refresh(), REFRESH_MS);
    this.underruns(0);
  }

  formats({ input, output }) {
    this.#set("Microphone", formatText(input));
    this.#set("Answer", formatText(output));
  }

  underruns(count) {
    this.#set("Lost", `${this.#client.droppedFrames} packets up, ${count} gaps down`);
  }

  /** server fills list with what /v1/info says. */
  server(list, info) {
    const languages = info.model?.languages ?? [];
    const facts = {
      Version: info.server,
      Model: info.model?.name,
      Understands: languages.length > 6 ? `${languages.length} languages` : languages.map((id) => languageName(id)).join(", "),
      Voices: String(info.voices?.length ?? 0),
      "Longest text to speak": limit(info.limits?.max_text, 1, "characters"),
      "Longest session": limit(info.limits?.max_session_ms, 60_000, "min"),
      "Closes when idle for": limit(info.limits?.idle_ms, 1000, "s"),
    };
    list.replaceChildren();
    for (const [name, value] of Object.entries(facts)) if (value) addFact(list, name, value);
  }

  #refresh() {
    const now = performance.now();
    const rate = ((this.#client.sentBytes - this.#sent) * 8) / (now - this.#sentAt);
    this.#sent = this.#client.sentBytes;
    this.#sentAt = now;
    this.#set("Sent", `${rate.toFixed(1)} kbit/s`);
    this.#set("Waiting", `${this.#client.bufferedBytes} bytes`);
  }

  #set(name, text) {
    const dd = this.#rows.get(name);
    if (dd.textContent !== text) dd.textContent = text;
  }
}

function addFact(list, name, value) {
  const dt = document.createElement("dt");
  const dd = document.createElement("dd");
  dt.textContent = name;
  dd.textContent = value;
  const pair = document.createElement("div");
  pair.append(dt, dd);
  list.append(pair);
  return dd;
}

function limit(value, unit, name) {
  return value && `${+(value / unit).toFixed(1)} ${name}`;
}

function formatText({ codec, rate }) {
  return `${{ opus: "Opus", pcm_s16le: "PCM 16 bit" }[codec] ?? codec} ${rate / 1000} kHz`;
}
