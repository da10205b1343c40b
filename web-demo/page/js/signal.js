// SignalView draws what the microphone hears: a strip of the last seconds with
// the server's speech regions behind it, and a level bar with peak hold.

const SPAN_US = 10_000_000;
const FLOOR_DB = -60;
const HOLD_MS = 1200;
const CALM_MS = 250; // drawing pause when the person asked for reduced motion

export class SignalView {
  #canvas;
  #meter;
  #blocks = []; // {endUs, peak}
  #regions = []; // {startUs, endUs}; endUs is Infinity while speech goes on
  #nowUs = 0;
  #nowMs = 0;
  #running = false;
  #db = FLOOR_DB;
  #hold = { db: FLOOR_DB, at: 0 };
  #drawnAt = 0;
  #colors = null;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** canvas: the strip; meter: {root, bar, hold, value} elements of the level. */
  constructor({ canvas, meter }) {
    this.#canvas = canvas;
    this.#meter = meter;
    const repaint = () => {
      this.#colors = null;
      this.#draw();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    new ResizeObserver(repaint).observe(canvas);
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    requestAnimationFrame((t) => this.#tick(t));
  }

  stop() {
    this.#running = false;
    this.#db = FLOOR_DB;
    this.#hold = { db: FLOOR_DB, at: 0 };
    this.#endRegion(this.#nowUs);
    this.#draw();
    this.#drawLevel();
  }

  block({ endUs, rms, peak }) {
    this.#blocks.push({ endUs, peak });
    while (this.#blocks[0].endUs < endUs - SPAN_US) this.#blocks.shift();
    this.#nowUs = endUs;
    this.#nowMs = performance.now();
    this.#db = Math.max(FLOOR_DB, 20 * Math.log10(rms || 1e-9));
  }

  speechStart(us) {
    this.#endRegion(us);
    this.#regions.push({ startUs: us, endUs: Infinity });
    while (this.#regions[0].endUs < this.#nowUs - SPAN_US) this.#regions.shift();
  }

  speechEnd(us) {
    this.#endRegion(us);
  }

  #endRegion(us) {
    const last = this.#regions.at(-1);
    if (last?.endUs === Infinity) last.endUs = Math.max(last.startUs, us);
  }

  #tick(t) {
    if (!this.#running) return;
    if (!this.#calm.matches || t - this.#drawnAt >= CALM_MS) {
      this.#drawnAt = t;
      this.#draw();
      this.#drawLevel();
    }
    requestAnimationFrame((next) => this.#tick(next));
  }

  #drawLevel() {
    const { root, bar, hold, value } = this.#meter;
    const now = performance.now();
    if (this.#db >= this.#hold.db || now - this.#hold.at > HOLD_MS) this.#hold = { db: this.#db, at: now };
    const share = (db) => (db - FLOOR_DB) / -FLOOR_DB;
    bar.style.transform = `scaleX(${share(this.#db).toFixed(3)})`;
    hold.style.left = `${(share(this.#hold.db) * 100).toFixed(1)}%`;
    const text = this.#db <= FLOOR_DB ? "–∞" : `${Math.round(this.#db)}`.replace("-", "−");
    if (value.textContent !== text) {
      value.textContent = text;
      root.setAttribute("aria-valuenow", String(Math.round(this.#db)));
    }
  }

  #draw() {
    const { ctx, width, height } = this.#prepare();
    const right = this.#running ? Math.min(this.#nowUs + (performance.now() - this.#nowMs) * 1000, this.#nowUs + 40_000) : this.#nowUs;
    const x = (us) => width - ((right - us) / SPAN_US) * width;
    const colors = (this.#colors ??= readColors(this.#canvas));
    this.#drawGrid(ctx, { x, right, width, height, colors });
    for (const r of this.#regions) {
      const from = x(r.startUs);
      const to = Math.min(width, x(r.endUs));
      ctx.fillStyle = colors.region;
      ctx.fillRect(from, 0, to - from, height);
      ctx.fillStyle = colors.speech;
      ctx.fillRect(from, height - 3, to - from, 3);
    }
    this.#drawWave(ctx, { x, height, colors });
  }

  #drawGrid(ctx, { x, right, width, height, colors }) {
    ctx.strokeStyle = colors.grid;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let s = Math.max(0, Math.ceil((right - SPAN_US) / 1e6)); s * 1e6 <= right; s++) {
      const at = Math.round(x(s * 1e6)) + 0.5;
      ctx.moveTo(at, 0);
      ctx.lineTo(at, height);
    }
    ctx.moveTo(0, Math.round(height / 2) + 0.5);
    ctx.lineTo(width, Math.round(height / 2) + 0.5);
    ctx.stroke();
  }

  #drawWave(ctx, { x, height, colors }) {
    const middle = height / 2;
    const step = Math.max(1, x(20_000) - x(0));
    for (const b of this.#blocks) {
      // Loudness by ear: the strip shows decibels above the floor.
      const db = Math.max(FLOOR_DB, 20 * Math.log10(b.peak || 1e-9));
      const h = Math.max(0.5, ((db - FLOOR_DB) / -FLOOR_DB) ** 1.6 * (middle - 5));
      const inside = this.#regions.some((r) => b.endUs > r.startUs && b.endUs <= r.endUs);
      ctx.fillStyle = inside ? colors.speech : colors.quiet;
      ctx.fillRect(x(b.endUs) - step, middle - h, Math.max(1, step - 0.5), 2 * h);
    }
  }

  #prepare() {
    const scale = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) Object.assign(this.#canvas, { width: w, height: h });
    const ctx = this.#canvas.getContext("2d");
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, width, height);
    return { ctx, width, height };
  }
}

function readColors(el) {
  const style = getComputedStyle(el);
  const color = (name) => style.getPropertyValue(name).trim();
  return { grid: color("--line"), region: color("--accent-soft"), speech: color("--accent"), quiet: color("--quiet") };
}
