// Settings: one value object kept in localStorage, bound to a form whose
// controls are named after its fields, and its translation to the protocol.

const KEY = "parley.settings.v1";

export const DEFAULTS = Object.freeze({
  language: "auto", // of recognition
  partials: "full",
  threshold: 0.5,
  silenceMs: 500,
  patienceMs: 600,
  eager: true,
  final: "stable",
  interrupt: true,
  voiceLanguage: "",
  voice: "",
  speed: 1,
  transport: "auto",
  deviceId: "",
  echoCancellation: true,
  noiseSuppression: false,
  autoGainControl: true,
});

/** From this probability on the page shows that a turn seems to be over. */
const EAGER = 0.5;

/** Fields that the running session can take over by session.update. */
const LIVE = new Set(["language", "partials", "threshold", "silenceMs", "patienceMs", "eager", "final", "interrupt"]);

export class Settings extends EventTarget {
  values;
  #storage;

  constructor(storage = safeStorage()) {
    super();
    this.#storage = storage;
    this.values = { ...DEFAULTS, ...this.#load() };
  }

  /** set changes one field, keeps it, and dispatches "change" {name, value, live}. */
  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    this.#storage?.setItem(KEY, JSON.stringify(this.values));
    this.dispatchEvent(new CustomEvent("change", { detail: { name, value, live: LIVE.has(name) } }));
  }

  reset(names = Object.keys(DEFAULTS)) {
    for (const name of names) this.set(name, DEFAULTS[name]);
  }

  /** bind ties every named control of form to the field of its name. */
  bind(form) {
    const controls = [...form.elements].filter((el) => el.name in DEFAULTS);
    const show = () => controls.forEach((el) => write(el, this.values[el.name]));
    for (const el of controls) {
      el.addEventListener(el.type === "range" ? "input" : "change", () => this.set(el.name, read(el)));
    }
    this.addEventListener("change", show);
    show();
  }

  #load() {
    try {
      const stored = JSON.parse(this.#storage?.getItem(KEY) ?? "{}");
      return Object.fromEntries(Object.entries(stored).filter(([k, v]) => k in DEFAULTS && typeof v === typeof DEFAULTS[k]));
    } catch {
      return {};
    }
  }
}

/** liveConfig is the part of a session's configuration that these settings decide. */
export function liveConfig(values) {
  return {
    asr: { language: values.language === "auto" ? "" : values.language, partials: values.partials, final: values.final, words: true },
    vad: { mode: "server", threshold: values.threshold, silence_ms: values.silenceMs, patience_ms: values.patienceMs, eager: values.eager ? EAGER : 0 },
    interrupt: values.interrupt ? "auto" : "none",
  };
}

function read(el) {
  if (el.type === "checkbox") return el.checked;
  return el.type === "range" ? Number(el.value) : el.value;
}

function write(el, value) {
  if (el.type === "checkbox") el.checked = value;
  else if (el.value !== String(value)) el.value = String(value);
  if (el.type === "range") {
    const unit = el.dataset.unit ?? "";
    const text = `${el.dataset.digits ? value.toFixed(Number(el.dataset.digits)) : value}${unit}`;
    el.setAttribute("aria-valuetext", text);
    const output = el.form?.querySelector(`output[for="${el.id}"]`);
    if (output) output.textContent = text;
  }
}

function safeStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // storage is forbidden: settings last as long as the page
  }
}
