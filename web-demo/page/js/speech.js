// Speech is one text being said: which of its words sounds at a played time.
// Ranges count Unicode code points of the whole text, as on the wire.

export class Speech {
  stream = null;
  playedUs = 0;
  firstSoundMs = NaN;
  #marks = [];

  constructor(id, text, askedMs) {
    this.id = id;
    this.askedMs = askedMs;
    this.chars = [...text];
  }

  /** mark takes a speak.mark event. */
  mark({ from, to, at_us: atUs }) {
    this.#marks.push({ from, to, atUs });
    this.#marks.sort((a, b) => a.atUs - b.atUs);
  }

  /** wordAt gives {from, to} of the word that sounds at heardUs, or undefined. */
  wordAt(heardUs) {
    return this.#marks.findLast((m) => m.atUs <= heardUs);
  }

  /** split cuts the text into {said, now, next} at heardUs. */
  split(heardUs) {
    const word = this.wordAt(heardUs);
    const part = (from, to) => this.chars.slice(from, to).join("");
    if (!word) return { said: "", now: "", next: part(0) };
    return { said: part(0, word.from), now: part(word.from, word.to), next: part(word.to) };
  }
}
