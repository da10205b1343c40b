import assert from "node:assert/strict";
import { test } from "node:test";
import { FORMATS, cues, timestamp, toJSON, toSRT, toTXT, toVTT } from "../page/js/export.js";
import { fileName } from "../page/js/download.js";

const word = (w, startUs, endUs) => ({ w, startUs, endUs, p: 0.5 });
const said = [
  { text: "Turn on <the> light & go --> now.", startUs: 900_000, endUs: 2_100_000, language: "en", confidence: 0.9, words: [word("Turn", 900_000, 1_000_000)] },
  { text: "Two\nlines", startUs: 3_599_999_600, endUs: 3_601_000_000, words: [] },
];

test("timestamps round to milliseconds and carry over", () => {
  assert.equal(timestamp(0, ","), "00:00:00,000");
  assert.equal(timestamp(3_599_999_600, "."), "01:00:00.000");
  assert.equal(timestamp(-5, "."), "00:00:00.000");
});

test("TXT has one utterance a line", () => {
  assert.equal(toTXT([{ text: "a" }, { text: "b" }]), "a\nb\n");
  assert.equal(toTXT([]), "");
});

test("SRT numbers its cues from 1 and parts them by a blank line", () => {
  assert.equal(
    toSRT(said),
    "1\n00:00:00,900 --> 00:00:02,100\nTurn on <the> light & go → now.\n\n2\n01:00:00,000 --> 01:00:01,000\nTwo lines\n",
  );
});

test("VTT escapes what would be markup", () => {
  assert.equal(
    toVTT(said),
    "WEBVTT\n\n00:00:00.900 --> 00:00:02.100\nTurn on &lt;the&gt; light &amp; go --&gt; now.\n\n01:00:00.000 --> 01:00:01.000\nTwo lines\n",
  );
  assert.equal(toVTT([]), "WEBVTT\n");
});

test("JSON keeps words, times in microseconds, and what it is about", () => {
  const got = JSON.parse(toJSON(said, { model: "m" }));
  assert.equal(got.model, "m");
  assert.deepEqual(got.segments[0].words, [{ w: "Turn", start_us: 900_000, end_us: 1_000_000, p: 0.5 }]);
  assert.deepEqual(got.segments[1], { text: "Two\nlines", start_us: 3_599_999_600, end_us: 3_601_000_000, words: [] });
});

test("a long utterance is cut into readable cues at words", () => {
  const words = Array.from({ length: 60 }, (_, i) => word(`word${i}`, i * 400_000, i * 400_000 + 350_000));
  const text = words.map((w) => w.w).join(", ");
  const got = cues([{ text, words, startUs: 0, endUs: 24_000_000 }]);
  assert.ok(got.length > 3);
  assert.equal(got.map((c) => c.text).join(""), text, "no character is lost");
  for (const [i, c] of got.entries()) {
    assert.ok(c.text.trim().length <= 86, c.text);
    assert.ok(c.endUs - c.startUs <= 7_000_000 && c.endUs > c.startUs);
    assert.ok(i === 0 || c.startUs >= got[i - 1].endUs, "cues do not overlap");
  }
});

test("a long utterance without word times stays one cue", () => {
  assert.equal(cues([{ text: "x".repeat(300), words: [], startUs: 0, endUs: 9_000_000 }]).length, 1);
});

test("every offered format writes a string and has a type", () => {
  for (const { mime, write } of Object.values(FORMATS)) {
    assert.match(mime, /^\w+\/[\w-]+$/);
    assert.equal(typeof write(said, {}), "string");
  }
  assert.equal(fileName("srt", new Date(2026, 0, 5, 7, 3)), "parley-2026-01-05-0703.srt");
});
