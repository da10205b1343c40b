// CaptionsView draws utterances: settled text in ink, the tail in grey, and words
// that tell their time as a tip (arrow keys move from word to word).

import { wordSegments } from "./captions.js";

export class CaptionsView {
  #list;
  #empty;
  #live;
  #items = new Map(); // utterance → <li>

  /** list: <ol>; empty: shown while it has no lines; live: aria-live region for finals. */
  constructor({ list, empty, live }) {
    this.#list = list;
    this.#empty = empty;
    this.#live = live;
    list.addEventListener("keydown", (e) => this.#move(e));
  }

  /** change takes what Captions.apply returned. */
  change({ kind, utterance }) {
    const follow = this.#atBottom();
    if (kind === "remove") {
      this.#items.get(utterance)?.remove();
      this.#items.delete(utterance);
    } else {
      this.#draw(utterance);
      if (utterance.state === "final") this.#announce(utterance);
    }
    this.#empty.hidden = this.#list.childElementCount > 0;
    if (follow) this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** note adds figures under an utterance that is already drawn. */
  note(utterance, text) {
    const meta = this.#items.get(utterance)?.querySelector(".meta");
    if (meta) meta.textContent = [meta.textContent, unbroken(text)].filter(Boolean).join(" · ");
  }

  /** keep leaves only the given utterances on the page. */
  keep(utterances) {
    for (const [u, li] of this.#items) {
      if (utterances.includes(u)) continue;
      li.remove();
      this.#items.delete(u);
    }
    this.#empty.hidden = this.#list.childElementCount > 0;
  }

  #draw(u) {
    let li = this.#items.get(u);
    if (!li) {
      li = element("li", "utterance");
      const said = element("p", "said");
      said.dir = "auto";
      li.append(element("span", "stamp", clock(u.startUs)), said, element("p", "meta"));
      this.#items.set(u, li);
      this.#list.append(li);
    }
    li.dataset.state = u.state;
    const said = li.querySelector(".said");
    if (u.language) said.lang = u.language;
    if (u.state === "final") said.replaceChildren(...words(u));
    else if (u.state === "failed") said.replaceChildren(element("span", "tail", u.text || "…"));
    else said.replaceChildren(...running(u));
    li.querySelector(".meta").textContent = metaText(u);
    li.querySelector(".stamp").textContent = clock(u.startUs);
  }

  #announce({ text, language }) {
    const line = element("p", "", text);
    if (language) line.lang = language;
    this.#live.append(line);
    while (this.#live.childElementCount > 20) this.#live.firstElementChild.remove();
  }

  /** One tab stop per utterance; arrows, Home and End walk through its words. */
  #move(event) {
    const word = event.target.closest?.(".word");
    if (!word) return;
    const all = [...word.parentElement.querySelectorAll(".word")];
    const at = all.indexOf(word);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    word.tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  }

  #atBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < 60;
  }
}

function words(u) {
  let first = true;
  return wordSegments(u.text, u.words).map(({ text, word }) => {
    if (!word) return document.createTextNode(text);
    const span = element("span", "word", text);
    span.tabIndex = first ? 0 : -1;
    first = false;
    span.dataset.tip = tip(word);
    return span;
  });
}

function running(u) {
  const parts = [element("span", "stable", u.stable), element("span", "tail", u.tail)];
  if (!u.stable && !u.tail) parts.push(element("span", "tail listening", "listening"));
  if (u.eager !== undefined) parts.push(turn(u.eager));
  return parts;
}

/** turn is the sign that the speaker seems to have finished. */
function turn(probability) {
  const sign = element("span", "turn");
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", "seems finished");
  sign.dataset.tip = `Seems finished · ${Math.round(probability * 100)} %`;
  return sign;
}

function tip({ startUs, endUs, p }) {
  const s = (us) => (us / 1e6).toFixed(2);
  const sure = Number.isFinite(p) ? ` · ${Math.round(p * 100)} %` : "";
  return `${s(startUs)}–${s(endUs)} s${sure}`;
}

function metaText(u) {
  if (u.state === "failed") return u.error;
  if (u.state !== "final") return "";
  const parts = [`${((u.endUs - u.startUs) / 1e6).toFixed(1)} s`];
  if (u.language) parts.push(u.language);
  if (Number.isFinite(u.confidence)) parts.push(`${Math.round(u.confidence * 100)} % sure`);
  if (u.revised) parts.push("revised");
  return unbroken(parts.join(" · "));
}

/** unbroken lets a line end only at the dots between figures. */
function unbroken(text) {
  return text.split(" · ").map((part) => part.replaceAll(" ", "\u00a0")).join(" · ");
}

/** clock writes m:ss.t of a capture time. */
export function clock(us) {
  const t = Math.max(0, Math.round(us / 1e5));
  return `${Math.floor(t / 600)}:${String(Math.floor(t / 10) % 60).padStart(2, "0")}.${t % 10}`;
}

function element(tag, className, text = "") {
  const el = document.createElement(tag);
  if (className) el.className = className;
  el.textContent = text;
  return el;
}
