import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../page/css/theme.css", import.meta.url), "utf8");
const [light, dark] = css.split("@media (prefers-color-scheme: dark)").map((part) => Object.fromEntries([...part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]])));

/** WCAG 2.2 contrast ratio of two #rrggbb colours. */
function contrast(a, b) {
  const [x, y] = [a, b].map((hex) => {
    const [r, g, bl] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  });
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const text = [
  ...["ink", "ink-2", "tail"].flatMap((fg) => ["paper", "card", "well"].map((bg) => [fg, bg])),
  ["accent", "card"], ["accent", "paper"], ["warm", "card"], ["accent-ink", "accent"], ["ink", "accent-soft"], ["ink-2", "accent-soft"],
  ["alert", "alert-soft"], ["alert", "card"], ["ink", "alert-soft"], ["ink", "note-soft"], ["paper", "ink"],
];
const controls = [["edge", "card"], ["edge", "well"], ["accent", "accent-soft"], ["accent", "well"]];

for (const [name, theme] of [["light", light], ["dark", { ...light, ...dark }]]) {
  test(`the ${name} theme keeps WCAG AA contrast`, () => {
    const bad = [...text.map((pair) => [...pair, 4.5]), ...controls.map((pair) => [...pair, 3])]
      .map(([fg, bg, least]) => ({ fg, bg, least, ratio: contrast(theme[fg], theme[bg]) }))
      .filter(({ ratio, least }) => !(ratio >= least));
    assert.deepEqual(bad, []);
  });
}
