import assert from "node:assert/strict";
import { test } from "node:test";
import { closeFailure, lossFailure, microphoneFailure } from "../page/js/failures.js";
import { DEFAULTS, Settings, liveConfig } from "../page/js/settings.js";
import { choose, languageName, languagesOf } from "../page/js/voices.js";

const voices = [
  { id: "flite/slt", name: "SLT", language: "en-US" },
  { id: "espeak/de", name: "German", language: "de" },
  { id: "espeak/de+f", name: "German, female", language: "de" },
];
const chosen = (language, voice, defaultVoice = "flite/slt") => choose({ voices, defaultVoice, language, voice });

test("the choice of voice fits the language and falls back to the server's", () => {
  assert.deepEqual(chosen("", ""), { language: "en-US", voice: "flite/slt" });
  assert.deepEqual(chosen("de", "flite/slt"), { language: "de", voice: "espeak/de" });
  assert.deepEqual(chosen("de", "espeak/de+f"), { language: "de", voice: "espeak/de+f" });
  assert.deepEqual(chosen("xx", "espeak/de"), { language: "de", voice: "espeak/de" });
  assert.deepEqual(chosen("", "gone/voice", "none/such"), { language: "en-US", voice: "flite/slt" });
  assert.deepEqual(choose({ voices: [], language: "de", voice: "x" }), { language: "", voice: "" });
});

test("languages are named once each, an unknown tag as it stands", () => {
  assert.deepEqual(languagesOf(voices).map((l) => l.id), ["en-US", "de"]);
  assert.equal(languageName("de"), "German");
  assert.equal(languageName("not a tag"), "not a tag");
});

test("a language the browser has no words for is called as its first voice", () => {
  const odd = [
    { id: "espeak/qdb", name: "Lang Belta (espeak)", language: "qdb", engine: "espeak" },
    { id: "espeak/en-029", name: "English (Caribbean) (espeak)", language: "en-029", engine: "espeak" },
    { id: "espeak/qdb+f", name: "Lang Belta, female (espeak)", language: "qdb", engine: "espeak" },
  ];
  assert.deepEqual(languagesOf(odd), [{ id: "en-029", name: "English (Caribbean)" }, { id: "qdb", name: "Lang Belta" }]);
});

function storage(initial) {
  const kept = new Map(initial === undefined ? [] : [["parley.settings.v1", initial]]);
  return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), kept };
}

test("settings are kept, and each change is told once", () => {
  const store = storage();
  const settings = new Settings(store);
  const seen = [];
  settings.addEventListener("change", (e) => seen.push([e.detail.name, e.detail.live]));
  settings.set("silenceMs", 800);
  settings.set("silenceMs", 800);
  settings.set("transport", "pcm");
  assert.deepEqual(seen, [["silenceMs", true], ["transport", false]]);
  assert.equal(new Settings(store).values.silenceMs, 800);
  settings.reset();
  assert.deepEqual(settings.values, DEFAULTS);
});

test("what storage holds is not trusted", () => {
  assert.deepEqual(new Settings(storage("}{")).values, DEFAULTS);
  assert.deepEqual(new Settings(storage('{"threshold":"high","evil":1,"speed":1.5}')).values, { ...DEFAULTS, speed: 1.5 });
  assert.deepEqual(new Settings(undefined).values, DEFAULTS);
});

test("settings become the configuration of the protocol", () => {
  assert.deepEqual(liveConfig({ ...DEFAULTS, language: "de", interrupt: false, threshold: 0.7, patienceMs: 900, final: "best" }), {
    asr: { language: "de", partials: "full", final: "best", words: true },
    vad: { mode: "server", threshold: 0.7, silence_ms: 500, patience_ms: 900, eager: 0.5 },
    interrupt: "none",
  });
  assert.equal(liveConfig({ ...DEFAULTS, eager: false }).vad.eager, 0);
  assert.equal(liveConfig(DEFAULTS).asr.language, "");
});

test("failures say what to do", () => {
  for (const name of ["NotFoundError", "NotAllowedError", "NotReadableError", "InsecureContextError", "NotSupportedError"]) {
    const { title, advice } = microphoneFailure({ name, message: "raw" });
    assert.ok(title.endsWith(".") && advice.endsWith(".") && !advice.includes("raw"), name);
  }
  assert.equal(microphoneFailure({ name: "OddError", message: "raw" }).advice, "raw");
  assert.match(closeFailure(4415, "no such codec").advice, /no such codec.*Settings/);
  assert.equal(closeFailure(4999, "").title, "The connection was closed.");
  assert.equal(lossFailure(1006, "", 0).title, "Connection lost.");
  assert.equal(lossFailure(1006, "", 503).title, "The server is starting.");
  assert.doesNotMatch(lossFailure(1001, "draining", 200).advice, /draining/);
  assert.match(lossFailure(4429, "session_limit", 200).title, /as long as/);
  assert.match(lossFailure(4503, "full", 200).advice, /full.*transcript is kept/);
});
