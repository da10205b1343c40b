// Captions is the transcript as a value: server events go in, utterances come
// out. It knows neither the page nor the socket.

/**
 * An utterance:
 *   id, state "hearing" | "partial" | "final" | "failed", rev,
 *   stable, tail (while it is being said), text, words, language, confidence,
 *   ended (speech is over, the final to come),
 *   eager (the probability that the turn is over, while it seems so),
 *   revised (the final is not what had been settled),
 *   startUs, endUs (capture time: baseUs of the session already added).
 */
export class Captions {
  utterances = [];
  #byId = new Map();

  /**
   * apply takes one server event and returns {kind: "update"|"remove", utterance},
   * or undefined when nothing changed. baseUs moves the session's media time
   * onto the page's capture time line.
   */
  apply(event, baseUs = 0) {
    switch (event.type) {
      case "vad.start":
        return update(this.#open(event.utt, event.at_us + baseUs));
      case "vad.end":
        return this.#ended(event, baseUs);
      case "turn.eager":
        return this.#eager(event, baseUs);
      case "turn.resumed":
        return this.#resumed(event);
      case "transcript.partial":
        return this.#partial(event, baseUs);
      case "transcript.final":
        return this.#final(event, baseUs);
      case "transcript.failed":
        return this.#failed(event);
      case "input.cleared":
        return this.#byId.has(event.utt) ? this.#remove(this.#byId.get(event.utt)) : undefined;
      default:
        return undefined;
    }
  }

  finals() {
    return this.utterances.filter((u) => u.state === "final");
  }

  /** hearing tells whether somebody is speaking by the server's account. */
  hearing() {
    return this.utterances.some((u) => !u.ended && (u.state === "hearing" || u.state === "partial"));
  }

  /** abandon freezes what was open when a session was lost; empty lines go. */
  abandon() {
    const changes = [];
    for (const u of [...this.utterances]) {
      if (u.state === "final" || u.state === "failed") continue;
      const text = `${u.stable}${u.tail}`.trim();
      changes.push(text ? update(this.#close(u, { state: "failed", text, error: "connection lost" })) : this.#remove(u));
    }
    return changes;
  }

  clear() {
    this.utterances = this.utterances.filter((u) => u.state === "hearing" || u.state === "partial");
  }

  #open(id, startUs) {
    let u = this.#byId.get(id);
    if (!u) {
      u = { id, state: "hearing", rev: -1, stable: "", tail: "", text: "", words: [], startUs, endUs: startUs };
      this.#byId.set(id, u);
      this.utterances.push(u);
    }
    return u;
  }

  #ended(event, baseUs) {
    const u = this.#byId.get(event.utt);
    if (!u) return undefined;
    u.endUs = event.at_us + baseUs;
    u.ended = true;
    return update(u);
  }

  #eager(event, baseUs) {
    const u = this.#byId.get(event.utt);
    if (!u) return undefined;
    u.eager = event.prob;
    u.endUs = Math.max(u.endUs, event.at_us + baseUs);
    if (event.text?.startsWith(u.stable)) Object.assign(u, { state: "partial", tail: event.text.slice(u.stable.length) });
    return update(u);
  }

  #resumed(event) {
    const u = this.#byId.get(event.utt);
    if (u?.eager === undefined) return undefined;
    delete u.eager;
    return update(u);
  }

  #partial(event, baseUs) {
    const u = this.#open(event.utt, event.start_us + baseUs);
    if (event.rev <= u.rev) return undefined;
    Object.assign(u, { state: "partial", rev: event.rev, stable: event.stable ?? "", tail: joinedTail(event) });
    u.endUs = event.end_us + baseUs;
    return update(u);
  }

  #final(event, baseUs) {
    const u = this.#open(event.utt, event.start_us + baseUs);
    const text = (event.text ?? "").trim();
    if (!text) return this.#remove(u);
    const words = (event.words ?? []).map((w) => ({ w: w.w, startUs: w.start_us + baseUs, endUs: w.end_us + baseUs, p: w.p }));
    return update(
      this.#close(u, {
        state: "final",
        text,
        words,
        language: event.language,
        confidence: event.confidence,
        revised: event.revised === true,
        startUs: event.start_us + baseUs,
        endUs: event.end_us + baseUs,
      }),
    );
  }

  #failed(event) {
    const u = this.#byId.get(event.utt);
    if (!u) return undefined;
    const error = event.error?.message ?? event.error ?? "not recognised";
    return update(this.#close(u, { state: "failed", text: `${u.stable}${u.tail}`.trim(), error }));
  }

  #close(u, fields) {
    this.#byId.delete(u.id);
    delete u.eager;
    return Object.assign(u, fields, { stable: "", tail: "" });
  }

  #remove(u) {
    this.#byId.delete(u.id);
    this.utterances = this.utterances.filter((other) => other !== u);
    return { kind: "remove", utterance: u };
  }
}

/** joinedTail is the tail with the blank that stands between it and the stable part. */
function joinedTail({ stable, tail, words, stable_words: settled }) {
  if (!stable || !tail || /\s$/.test(stable) || /^\s/.test(tail)) return tail ?? "";
  return words?.[settled]?.joined ? tail : ` ${tail}`;
}

function update(utterance) {
  return { kind: "update", utterance };
}

/**
 * wordSegments cuts text into [{text, word?}], so that every character appears
 * once and each timed word covers its own place. A word that is not found in
 * the rest of the text is left out, the text stays whole.
 */
export function wordSegments(text, words) {
  const out = [];
  let at = 0;
  for (const word of words) {
    const needle = word.w.trim();
    const found = needle ? text.indexOf(needle, at) : -1;
    if (found < 0) continue;
    if (found > at) out.push({ text: text.slice(at, found) });
    out.push({ text: needle, word });
    at = found + needle.length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}
