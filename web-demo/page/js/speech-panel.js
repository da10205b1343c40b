// SpeechPanel: type a text, hear it, see the word that sounds; stop it. It also
// reports the playback position, which the server paces its sending by.

import { Speech } from "./speech.js";

const REPORT_MS = 200; // the protocol asks for at most 250

/** Events: "firstsound" {ms}; "problem" {title, advice}; "underruns" {count}. */
export class SpeechPanel extends EventTarget {
  #client;
  #player;
  #ui;
  #settings;
  #current = null;
  #reportedAt = 0;
  #count = 0;

  /** ui: {form, text, speak, stop, spoken, state} elements. */
  constructor({ client, player, settings, ui }) {
    super();
    this.#client = client;
    this.#player = player;
    this.#settings = settings;
    this.#ui = ui;
    ui.form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.speak(ui.text.value);
    });
    ui.text.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) ui.form.requestSubmit();
    });
    ui.stop.addEventListener("click", () => this.stop());
    this.#listen();
  }

  get speaking() {
    return this.#current !== null;
  }

  async speak(text) {
    if (!text.trim()) return;
    const askedMs = performance.now();
    try {
      await this.#player.open();
    } catch (error) {
      const advice = error.name === "InsecureContextError" ? "Open this page over https or on localhost." : error.message;
      this.#problem("This browser cannot play the answer.", advice);
      return;
    }
    this.#cut("replaced");
    const { voice, speed } = this.#settings.values;
    const speech = new Speech(`web-${++this.#count}`, text, askedMs);
    if (this.#client.speak(speech.id, text, { voice: voice || undefined, speed }) === null) {
      this.#problem("Not connected.", "The text can be spoken as soon as the server is back.");
      return;
    }
    this.#current = speech;
    this.#show("waiting");
    this.#draw(0);
  }

  /** stop silences at once and tells the server how much was heard. */
  stop() {
    const speech = this.#current;
    if (!speech) return;
    this.#client.cancelSpeech(speech.id, speech.playedUs);
    this.#cut("stopped");
  }

  /** lost is called when the connection is gone: what has arrived plays out. */
  lost() {
    const speech = this.#current;
    if (!speech) return;
    if (speech.stream === null) this.#cut("lost");
    else this.#player.end(speech.stream);
  }

  #listen() {
    const on = (target, type, handle) => target.addEventListener(type, (e) => handle(e.detail));
    const mine = (e) => (e.speech === this.#current?.id ? this.#current : undefined);
    on(this.#client, "speak.started", (e) => {
      const speech = mine(e);
      if (!speech) return;
      speech.stream = e.stream;
      this.#player.begin(e.stream, e);
    });
    on(this.#client, "audio", (frame) => this.#audio(frame));
    on(this.#client, "speak.mark", (e) => mine(e)?.mark(e));
    on(this.#client, "speak.done", (e) => this.#done(mine(e), e));
    on(this.#player, "progress", (e) => this.#progress(e));
    on(this.#player, "finished", (e) => {
      if (e.stream === this.#current?.stream) this.#finish(e.playedUs);
    });
    on(this.#player, "failed", (e) => {
      if (e.stream !== this.#current?.stream) return;
      this.stop();
      this.#problem("The audio of the answer could not be decoded.", e.reason);
    });
  }

  #audio(frame) {
    const speech = this.#current;
    if (speech && frame.stream === speech.stream && Number.isNaN(speech.firstSoundMs)) {
      speech.firstSoundMs = performance.now() - speech.askedMs;
      this.#emit("firstsound", { ms: speech.firstSoundMs });
      this.#show("speaking");
    }
    this.#player.frame(frame);
  }

  #done(speech, { reason, error }) {
    if (!speech) return;
    if (reason === "complete") {
      if (speech.stream === null) this.#cut("done");
      else this.#player.end(speech.stream);
      return;
    }
    this.#cut(reason === "cancelled" ? "interrupted" : "failed");
    if (reason === "failed") this.#problem("The text could not be spoken.", error?.message ?? "");
  }

  #progress({ stream, playedUs, heardUs, underruns }) {
    const speech = this.#current;
    if (!speech || stream !== speech.stream) return;
    speech.playedUs = playedUs;
    this.#draw(heardUs);
    this.#emit("underruns", { count: underruns });
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    this.#client.playback(speech.id, playedUs);
  }

  #finish(playedUs) {
    this.#client.playback(this.#current.id, playedUs);
    this.#draw(Infinity, true);
    this.#current = null;
    this.#show("done");
  }

  #cut(state) {
    const speech = this.#current;
    if (!speech) return;
    this.#current = null;
    if (speech.stream !== null) this.#player.flush(speech.stream);
    this.#show(state);
  }

  #draw(heardUs, all = false) {
    const { said, now, next } = this.#current.split(heardUs);
    const [a, mark, b] = this.#ui.spoken.children;
    a.textContent = all ? said + now + next : said;
    mark.textContent = all ? "" : now;
    b.textContent = all ? "" : next;
    if (now && !all) follow(this.#ui.spoken, mark);
  }

  #show(state) {
    const busy = state === "waiting" || state === "speaking";
    this.#ui.stop.disabled = !busy;
    this.#ui.spoken.hidden = false;
    this.#ui.spoken.dataset.state = state;
    this.#ui.state.textContent = STATES[state];
  }

  #problem(title, advice) {
    this.#emit("problem", { title, advice });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const STATES = {
  waiting: "Waiting for the first sound",
  speaking: "Speaking",
  done: "Spoken",
  stopped: "Stopped",
  replaced: "Replaced",
  interrupted: "Interrupted: you spoke",
  lost: "Lost with the connection",
  failed: "Failed",
};

function follow(box, mark) {
  const top = mark.offsetTop - box.offsetTop;
  if (top < box.scrollTop || top + mark.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
}
