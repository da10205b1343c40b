import assert from "node:assert/strict";
import { test } from "node:test";
import { Captions, wordSegments } from "../page/js/captions.js";

const start = (utt, at_us = 0) => ({ type: "vad.start", utt, at_us });
const partial = (utt, rev, stable, tail, more = {}) => ({ type: "transcript.partial", utt, rev, stable, tail, start_us: 0, end_us: 1000, ...more });
const final = (utt, text, more = {}) => ({ type: "transcript.final", utt, text, language: "en", start_us: 0, end_us: 2000, confidence: 0.9, words: [], reason: "vad", ...more });

function run(...events) {
  const captions = new Captions();
  const changes = events.map((e) => captions.apply(e));
  return { captions, changes, kinds: changes.map((c) => c?.kind) };
}

test("an utterance goes from hearing over partials to its final", () => {
  const { captions } = run(start("a", 500), partial("a", 1, "", "turn"), partial("a", 2, "turn", "on the"));
  const [u] = captions.utterances;
  assert.deepEqual([u.state, u.stable, u.tail], ["partial", "turn", " on the"]);
  captions.apply(final("a", " Turn on the light. "));
  assert.deepEqual([u.state, u.stable, u.tail, u.text], ["final", "", "", "Turn on the light."]);
  assert.deepEqual(captions.finals(), [u]);
});

test("an older revision changes nothing", () => {
  const { kinds, captions } = run(partial("a", 2, "turn on", ""), partial("a", 1, "turn", ""), partial("a", 2, "x", ""));
  assert.deepEqual(kinds, ["update", undefined, undefined]);
  assert.equal(captions.utterances[0].stable, "turn on");
});

test("the tail gets a blank before it unless its first word is joined", () => {
  const words = [{ w: "light" }, { w: "'s", joined: true }];
  const cases = [
    [partial("a", 1, "turn", "on"), " on"],
    [partial("a", 1, "turn ", "on"), "on"],
    [partial("a", 1, "turn", " on"), " on"],
    [partial("a", 1, "", "on"), "on"],
    [partial("a", 1, "turn", ""), ""],
    [partial("a", 1, "light", "'s", { words, stable_words: 1 }), "'s"],
  ];
  for (const [event, tail] of cases) assert.equal(run(event).captions.utterances[0].tail, tail);
});

test("a final without text removes the line", () => {
  const { kinds, captions } = run(start("a"), final("a", "  "));
  assert.deepEqual(kinds, ["update", "remove"]);
  assert.equal(captions.utterances.length, 0);
});

test("clearing on the server removes the line, of an unknown one nothing", () => {
  const { kinds, captions } = run(start("a"), { type: "input.cleared", utt: "a" }, { type: "input.cleared" }, { type: "input.cleared", utt: "z" });
  assert.deepEqual(kinds, ["update", "remove", undefined, undefined]);
  assert.equal(captions.utterances.length, 0);
});

test("a failed utterance keeps what was heard and says why", () => {
  const { captions } = run(partial("a", 1, "turn", "on"), { type: "transcript.failed", utt: "a", error: { code: "engine_failed", message: "out of memory" } });
  const [u] = captions.utterances;
  assert.deepEqual([u.state, u.text, u.error], ["failed", "turn on", "out of memory"]);
});

test("times are moved onto the capture time line of the page", () => {
  const captions = new Captions();
  captions.apply(start("a", 100), 5000);
  assert.equal(captions.utterances[0].startUs, 5100);
  captions.apply(final("a", "hi", { start_us: 100, end_us: 300, words: [{ w: "hi", start_us: 150, end_us: 250, p: 1 }] }), 5000);
  const [u] = captions.utterances;
  assert.deepEqual([u.startUs, u.endUs, u.words[0].startUs, u.words[0].endUs], [5100, 5300, 5150, 5250]);
});

test("a lost connection freezes what was said and drops what was silent", () => {
  const { captions } = run(final("a", "done"), partial("b", 1, "half a", "word"), start("c"));
  const kinds = captions.abandon().map((c) => c.kind);
  assert.deepEqual(kinds, ["update", "remove"]);
  assert.deepEqual(captions.utterances.map((u) => [u.state, u.text]), [["final", "done"], ["failed", "half a word"]]);
  captions.apply(start("b"));
  assert.equal(captions.utterances.length, 3, "a new session may use the same id again");
});

test("hearing is true from the start of speech to its end", () => {
  const { captions } = run(final("z", "before"));
  assert.equal(captions.hearing(), false);
  captions.apply(start("a"));
  assert.equal(captions.hearing(), true);
  captions.apply({ type: "vad.end", utt: "a", at_us: 9 });
  assert.equal(captions.hearing(), false);
});

test("clear leaves only what is still being said", () => {
  const { captions } = run(final("a", "done"), partial("b", 1, "more", ""));
  captions.clear();
  assert.deepEqual(captions.utterances.map((u) => u.id), ["b"]);
});

const eager = (utt, text, prob = 0.86) => ({ type: "turn.eager", utt, text, prob, at_us: 900 });

test("a turn that seems over shows the final to come until speech goes on", () => {
  const { captions, kinds } = run(start("a"), partial("a", 1, "turn on", "the"), eager("a", "turn on the light."));
  const [u] = captions.utterances;
  assert.deepEqual([u.state, u.stable, u.tail, u.eager], ["partial", "turn on", " the light.", 0.86]);
  assert.equal(captions.hearing(), true, "the utterance goes on");
  assert.equal(captions.apply({ type: "turn.resumed", utt: "a", at_us: 1200 }).kind, "update");
  assert.equal(u.eager, undefined);
  captions.apply(partial("a", 2, "turn on", "the light in"));
  assert.deepEqual([u.tail, kinds], [" the light in", ["update", "update", "update"]]);
});

test("an eager text that leaves the settled words alone does not touch them", () => {
  const { captions } = run(start("a"), partial("a", 1, "turn on", "the"), eager("a", "Turn of the light."));
  const [u] = captions.utterances;
  assert.deepEqual([u.stable, u.tail, u.eager], ["turn on", " the", 0.86]);
});

test("the sign goes with the final, and is nobody's without an utterance", () => {
  const { captions, kinds } = run(start("a"), eager("a", "hi"), { type: "vad.end", utt: "a", at_us: 900 }, final("a", "hi"), eager("a", "hi"), { type: "turn.resumed", utt: "a", at_us: 1 });
  assert.deepEqual([captions.utterances[0].state, captions.utterances[0].eager], ["final", undefined]);
  assert.deepEqual(kinds.slice(4), [undefined, undefined]);
});

test("a revised final replaces the settled words and says so", () => {
  const { captions } = run(partial("a", 1, "turn of", "the"), final("a", "Turn on the light.", { revised: true }), final("b", "as promised"));
  assert.deepEqual(captions.utterances.map((u) => [u.text, u.stable, u.revised]), [["Turn on the light.", "", true], ["as promised", "", false]]);
});

test("unknown events are ignored", () => {
  assert.deepEqual(run({ type: "turn.taken", utt: "a" }, { type: "vad.end", utt: "nobody", at_us: 1 }).kinds, [undefined, undefined]);
});

test("word segments cover the text once and skip words that are not in it", () => {
  const text = "Well, turn it — on, on!";
  const words = ["Well", "turn", "oops", " it", "on", "on"].map((w) => ({ w }));
  const segments = wordSegments(text, words);
  assert.equal(segments.map((s) => s.text).join(""), text);
  assert.deepEqual(segments.filter((s) => s.word).map((s) => s.text), ["Well", "turn", "it", "on", "on"]);
  assert.deepEqual(wordSegments("plain", []), [{ text: "plain" }]);
  assert.deepEqual(wordSegments("", [{ w: "" }]), []);
});
