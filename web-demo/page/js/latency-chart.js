// LatencyChart draws the last utterances as pairs of bars in SVG: first partial,
// and final with the server's silence wait in a lighter tone.

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 340;
const HEIGHT = 108;
const LEFT = 44;
const BOTTOM = 6;
const TOP = 8;
const SHOWN = 12;

export function drawLatencyChart(svg, rows) {
  const shown = rows.slice(-SHOWN);
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  const top = scaleTop(shown);
  const y = (ms) => HEIGHT - BOTTOM - (ms / top) * (HEIGHT - BOTTOM - TOP);
  const parts = [title(shown), ...grid(top, y)];
  const slot = (WIDTH - LEFT) / SHOWN;
  shown.forEach((row, i) => parts.push(...bars(row, LEFT + i * slot, slot, y)));
  svg.replaceChildren(...parts);
}

function bars(row, x, slot, y) {
  const width = (slot - 8) / 2;
  const out = [];
  if (Number.isFinite(row.firstMs)) out.push(bar("first", x + 4, width, y(row.firstMs), y(0)));
  if (Number.isFinite(row.finalMs)) {
    const wait = Math.min(row.hangoverMs, row.finalMs);
    out.push(bar("wait", x + 5 + width, width, y(wait), y(0)), bar("final", x + 5 + width, width, y(row.finalMs), y(wait)));
  }
  return out;
}

function bar(kind, x, width, top, bottom) {
  return node("rect", { class: kind, x: x.toFixed(1), width: width.toFixed(1), y: top.toFixed(1), height: Math.max(0, bottom - top).toFixed(1) });
}

function grid(top, y) {
  return [0, 0.5, 1].flatMap((share) => {
    const at = y(top * share).toFixed(1);
    const label = node("text", { x: LEFT - 6, y: at, class: "tick" });
    label.textContent = share === 0 ? "0" : `${+((top * share) / 1000).toFixed(2)} s`;
    return [node("line", { x1: LEFT, x2: WIDTH, y1: at, y2: at, class: share === 0 ? "axis" : "grid" }), label];
  });
}

/** scaleTop picks a round upper bound in ms for the values to show. */
export function scaleTop(rows) {
  const most = Math.max(400, ...rows.flatMap((r) => [r.firstMs, r.finalMs]).filter(Number.isFinite));
  return [500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 10000].find((t) => t >= most) ?? Math.ceil(most / 10000) * 10000;
}

function title(rows) {
  const el = node("title", { id: "chart-title" });
  const last = rows.at(-1);
  el.textContent = last
    ? `Latency of the last ${rows.length} utterances. Latest: first partial ${ms(last.firstMs)}, final ${ms(last.finalMs)}.`
    : "Latency chart, no utterance yet.";
  return el;
}

/** ms writes a duration for people: "420 ms", or a dash when unknown. */
export function ms(value) {
  return Number.isFinite(value) ? `${Math.round(value)} ms` : "–";
}

function node(tag, attributes) {
  const el = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v);
  return el;
}
