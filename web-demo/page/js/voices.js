// Voices: from the server's list of voices to a choice of language and voice.

/**
 * languagesOf gives the languages of voices, [{id, name}], sorted by name. One
 * that the browser has no words for is called as its first voice is.
 */
export function languagesOf(voices, displayLanguage = "en") {
  const first = new Map();
  for (const v of voices) if (!first.has(v.language)) first.set(v.language, v);
  const name = (id, voice) => {
    const known = languageName(id, displayLanguage);
    return known === id || /\d|[A-Z]{4}/.test(known) ? plainName(voice) : known;
  };
  return [...first].map(([id, voice]) => ({ id, name: name(id, voice) })).sort((a, b) => a.name.localeCompare(b.name));
}

/** plainName is the voice's name without its engine. */
function plainName({ name, engine }) {
  return engine && name.endsWith(` (${engine})`) ? name.slice(0, -engine.length - 3) : name;
}

/** languageName writes a BCP 47 tag for people; an unknown one stays as it is. */
export function languageName(tag, displayLanguage = "en") {
  try {
    return new Intl.DisplayNames([displayLanguage], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/**
 * choose settles {language, voice} for what was wanted: the wanted voice where
 * the server has it in the wanted language, else the server's default voice,
 * else the first of that language.
 */
export function choose({ voices, defaultVoice, language, voice }) {
  const byId = (id) => voices.find((v) => v.id === id);
  const fallback = byId(defaultVoice) ?? voices[0];
  if (!fallback) return { language: "", voice: "" };
  const known = voices.some((v) => v.language === language);
  const wantedLanguage = known ? language : (byId(voice) ?? fallback).language;
  const candidates = [byId(voice), fallback, ...voices].filter((v) => v?.language === wantedLanguage);
  return { language: wantedLanguage, voice: candidates[0].id };
}

/** VoiceChoice keeps a language and a voice <select> in step with the settings. */
export class VoiceChoice {
  #selects;
  #settings;
  #voices = [];
  #default;

  constructor({ language, voice }, settings) {
    this.#selects = { language, voice };
    this.#settings = settings;
    settings.addEventListener("change", ({ detail }) => {
      if (detail.name === "voiceLanguage" || detail.name === "voice") this.#fill();
    });
  }

  /** show offers these voices; defaultVoice is the id of the server's own choice. */
  show(voices, defaultVoice) {
    this.#voices = voices;
    this.#default = defaultVoice;
    this.#fill();
  }

  #fill() {
    if (this.#voices.length === 0) return;
    const { voiceLanguage, voice } = this.#settings.values;
    const chosen = choose({ voices: this.#voices, defaultVoice: this.#default, language: voiceLanguage, voice });
    const here = this.#voices.filter((v) => v.language === chosen.language);
    setOptions(this.#selects.language, languagesOf(this.#voices), chosen.language);
    setOptions(this.#selects.voice, here.map((v) => ({ id: v.id, name: v.engine ? `${plainName(v)} · ${v.engine}` : v.name })), chosen.voice);
    this.#settings.set("voiceLanguage", chosen.language);
    this.#settings.set("voice", chosen.voice);
  }
}

/** setOptions makes options [{id, name}] the choices of a <select>. */
export function setOptions(select, options, value) {
  const same = select.options.length === options.length && options.every((o, i) => select.options[i].value === o.id && select.options[i].text === o.name);
  if (!same) select.replaceChildren(...options.map((o) => new Option(o.name, o.id)));
  select.value = value;
  select.disabled = options.length === 0;
}
