// Transcript files. Each function takes final utterances as Captions makes them
// and returns the whole file as a string. Times count captured audio.

import { wordSegments } from "./captions.js";

const CUE_CHARS = 84; // two subtitle lines of 42
const CUE_US = 7_000_000;

export const FORMATS = Object.freeze({
  txt: { mime: "text/plain", write: toTXT },
  srt: { mime: "application/x-subrip", write: toSRT },
  vtt: { mime: "text/vtt", write: toVTT },
  json: { mime: "application/json", write: toJSON },
});

export function toTXT(utterances) {
  return utterances.map((u) => `${u.text}\n`).join("");
}

export function toSRT(utterances) {
  return cues(utterances)
    .map((c, i) => `${i + 1}\n${timestamp(c.startUs, ",")} --> ${timestamp(c.endUs, ",")}\n${oneLine(c.text).replaceAll("-->", "→")}\n`)
    .join("\n");
}

export function toVTT(utterances) {
  const body = cues(utterances).map((c) => `\n${timestamp(c.startUs, ".")} --> ${timestamp(c.endUs, ".")}\n${escapeVTT(oneLine(c.text))}\n`);
  return `WEBVTT\n${body.join("")}`;
}

export function toJSON(utterances, about = {}) {
  const segments = utterances.map((u) => ({
    text: u.text,
    language: u.language,
    confidence: u.confidence,
    start_us: u.startUs,
    end_us: u.endUs,
    revised: u.revised || undefined,
    words: u.words.map((w) => ({ w: w.w, start_us: w.startUs, end_us: w.endUs, p: w.p })),
  }));
  return `${JSON.stringify({ ...about, segments }, null, 2)}\n`;
}

/** cues cuts long utterances at word bounds so that a subtitle can be read. */
export function cues(utterances) {
  return utterances.flatMap((u) => {
    const short = u.text.length <= CUE_CHARS && u.endUs - u.startUs <= CUE_US;
    return short || u.words.length === 0 ? [{ startUs: u.startUs, endUs: u.endUs, text: u.text }] : splitCue(u);
  });
}

function splitCue(utterance) {
  const out = [];
  for (const { text, word } of wordSegments(utterance.text, utterance.words)) {
    const last = out.at(-1);
    const joins = last && (!word || (last.text.length + text.length <= CUE_CHARS && word.endUs - last.startUs <= CUE_US));
    if (joins) {
      last.text += text;
      last.endUs = word?.endUs ?? last.endUs;
    } else {
      out.push({ startUs: word?.startUs ?? utterance.startUs, endUs: word?.endUs ?? utterance.startUs, text });
    }
  }
  return out;
}

/** timestamp writes HH:MM:SS<mark>mmm. */
export function timestamp(us, mark) {
  const ms = Math.max(0, Math.round(us / 1000));
  const pad = (n, width = 2) => String(n).padStart(width, "0");
  const s = Math.floor(ms / 1000);
  return `${pad(Math.floor(s / 3600))}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}${mark}${pad(ms % 1000, 3)}`;
}

function oneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}

function escapeVTT(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
