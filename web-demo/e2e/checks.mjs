// The checks of demo.mjs. Each takes a run {page, watch, options, shot} and
// returns figures for the result; it throws where the page fails.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { sound } from "./browser.mjs";

const text = (page, selector) => page.locator(selector).innerText();

export async function ready({ page }) {
  await page.locator('#link[data-state="open"]').waitFor();
  await page.locator("#voice option").first().waitFor({ state: "attached" });
}

/** A language kept from another model must not lock the page out. */
export async function staleLanguage({ page }) {
  await page.evaluate(() => localStorage.setItem("parley.settings.v1", JSON.stringify({ language: "xx" })));
  await page.reload();
  await ready({ page });
  await page.locator("#banner").waitFor({ state: "hidden" });
}

/** Tab reaches the microphone button, the focus can be seen, Space presses it. */
export async function startByKeyboard({ page }) {
  const steps = await tabTo(page, "mic");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "the focused microphone button shows no focus");
  await page.keyboard.press("Space");
  await page.locator('#mic[data-on="true"]').waitFor();
  return { tabsToMicrophone: steps };
}

async function tabTo(page, id) {
  for (let i = 1; i <= 30; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((want) => document.activeElement?.id === want, id)) return i;
  }
  throw new Error(`#${id} is not reached by 30 presses of Tab`);
}

/** Captions grow while speech goes on, the settled part never shrinks, a final matches. */
export async function captions({ page, watch, options }) {
  await page.evaluate(observeCaptions);
  // The recording goes round until everything was seen: a busy machine may make few partials.
  await page.waitForFunction(finalMatches, options.expect.source, { timeout: options.timeout }).catch(() => {});
  await page.waitForFunction(() => window.probe.captions.stable && window.probe.captions.tail, null, { timeout: options.timeout }).catch(() => {});
  const seen = await page.evaluate(() => window.probe.captions);
  assert.ok(seen.tail > 0, "no changing (grey) text was seen while speech went on");
  assert.ok(seen.stable > 0, "no settled (ink) text was seen while speech went on");
  assert.match((await page.locator('.utterance[data-state="final"] .said').allInnerTexts()).join("\n") || "(no final)", options.expect);
  assert.deepEqual(seen.shrunk, [], "settled text changed");
  checkWire(watch);
  const final = await page.evaluate(lastMatch, options.expect.source);
  const first = await text(page, "#first-last");
  const last = await text(page, "#final-last");
  assert.match(first, /^\d+ ms$/, "first-partial latency");
  assert.match(last, /^\d+ ms$/, "final latency");
  assert.ok((await page.locator("#chart rect").count()) >= 2, "the latency chart has no bars");
  assert.ok((await text(page, "#live")).includes(final), "the final is not announced to screen readers");
  return { final, partialsSeen: seen.partials, settledSeen: seen.stable, changingSeen: seen.tail, firstPartial: first, finalAfterSpeech: last };
}

function observeCaptions() {
  const seen = (window.probe.captions = { partials: 0, stable: 0, tail: 0, shrunk: [] });
  const settled = new WeakMap();
  const look = () => {
    for (const line of document.querySelectorAll("#captions .utterance")) {
      const partial = line.dataset.state === "partial";
      if (!partial && line.dataset.state !== "final") continue;
      const stable = partial ? line.querySelector(".stable").textContent : line.querySelector(".said").textContent;
      const before = settled.get(line) ?? "";
      if (!stable.startsWith(before)) seen.shrunk.push(`${before} | ${stable}`);
      settled.set(line, stable);
      if (!partial) continue;
      seen.partials++;
      if (stable) seen.stable++;
      if (line.querySelector(".tail").textContent) seen.tail++;
    }
  };
  new MutationObserver(look).observe(document.getElementById("captions"), { childList: true, subtree: true, characterData: true });
}

const finalMatches = (source) =>
  [...document.querySelectorAll('.utterance[data-state="final"] .said')].some((p) => new RegExp(source, "i").test(p.textContent));
const lastMatch = (source) =>
  [...document.querySelectorAll('.utterance[data-state="final"] .said')].map((p) => p.textContent).findLast((t) => new RegExp(source, "i").test(t));

function checkWire(watch) {
  const seqs = watch.received.map((m) => m.seq);
  seqs.forEach((seq, i) => i && assert.ok(seq === seqs[i - 1] + 1 || seq === 1, `seq ${seqs[i - 1]} was followed by ${seq}`));
  assert.ok(watch.framesUp > 20, `only ${watch.framesUp} audio frames were sent`);
}

/** Words tell their time under the pointer and, by arrow keys, under the focus. */
export async function wordTimes({ page }) {
  const words = page.locator('.utterance[data-state="final"] .word');
  await words.first().hover();
  await page.locator("#tip:visible").waitFor();
  const hovered = await text(page, "#tip");
  assert.match(hovered, /^\d+\.\d\d–\d+\.\d\d s/);
  await page.mouse.move(1, 1);
  const line = page.locator('.utterance[data-state="final"]:has(.word + .word), .utterance[data-state="final"]').first();
  await line.locator('.word[tabindex="0"]').focus();
  if ((await line.locator(".word").count()) > 1) {
    const before = await page.evaluate(() => document.activeElement.textContent);
    await page.keyboard.press("ArrowRight");
    const moved = await page.evaluate(() => [...document.activeElement.parentElement.querySelectorAll(".word")].indexOf(document.activeElement));
    assert.equal(moved, 1, `ArrowRight did not move on from "${before}"`);
  }
  assert.match(await text(page, "#tip"), /^\d+\.\d\d–\d+\.\d\d s/);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-describedby")), "tip");
  return { wordTip: hovered };
}

export async function stopListening({ page }) {
  await page.locator("#mic").click();
  await page.locator('#mic[data-on="false"]').waitFor();
  assert.match(await text(page, "#vad-text"), /off/i);
}

/** A typed text is heard (measured at the loudspeaker) and its words light up in turn. */
export async function speak({ page, watch, options, shot, tapped }) {
  await page.evaluate(observeHighlight);
  await sound(page);
  await page.locator("#text").fill(options.say);
  await page.locator("#text").press("Control+Enter");
  await page.locator('#spoken[data-state="speaking"]').waitFor({ timeout: options.timeout });
  await page.waitForFunction(() => window.probe.highlighted.length >= 2, null, { timeout: options.timeout });
  await shot?.("desktop");
  await page.locator('#spoken[data-state="done"]').waitFor({ timeout: options.timeout });
  const heard = await sound(page);
  const lit = await page.evaluate(() => window.probe.highlighted);
  const words = options.say.match(/\p{L}+/gu).length;
  if (tapped) {
    assert.equal(await page.evaluate(() => window.probe.taps), 1, "ways to the loudspeaker");
    assert.ok(heard.loudSeconds > 0.1 * words, `${heard.loudSeconds} s of sound for ${words} words`);
    assert.ok(heard.rms > 0.01, `rms ${heard.rms}`);
  }
  assert.ok(lit.length >= words / 2, `of ${words} words only ${JSON.stringify(lit)} were highlighted`);
  const reports = watch.sent.filter((m) => m.type === "playback");
  assert.ok(reports.length >= 2 && reports.at(-1).played_us > 0, "playback was not reported");
  const done = watch.received.findLast((m) => m.type === "speak.done");
  assert.equal(done.reason, "complete");
  return { heard, highlighted: lit, playbackReports: reports.length, firstSound: await text(page, "#sound-last") };
}

function observeHighlight() {
  const lit = (window.probe.highlighted = []);
  const mark = document.querySelector("#spoken mark");
  const look = () => mark.textContent && mark.textContent !== lit.at(-1) && lit.push(mark.textContent);
  new MutationObserver(look).observe(mark, { childList: true, subtree: true, characterData: true });
}

/** Stop silences at once and tells the server. */
export async function stopSpeaking({ page, watch, options }) {
  await page.locator("#text").fill(`${options.say} ${options.say} ${options.say}`);
  await page.locator("#speak").click();
  await page.locator('#spoken[data-state="speaking"]').waitFor({ timeout: options.timeout });
  await page.waitForFunction(() => window.probe.sound.loud > 0, null, { timeout: options.timeout });
  await page.locator("#stop").click();
  await page.locator('#spoken[data-state="stopped"]').waitFor();
  // A busy machine may tell late what sounded before; the text itself goes on for much longer.
  let after;
  for (let i = 0; i < 5 && after?.loudSeconds !== 0; i++) {
    await sound(page);
    await page.waitForTimeout(600);
    after = await sound(page);
  }
  assert.equal(after.loudSeconds, 0, `${after.loudSeconds} s of sound after Stop`);
  assert.ok(after.seconds > 0.3, "the tap measured nothing after Stop");
  const done = await until(() => watch.received.findLast((m) => m.type === "speak.done" && m.reason === "cancelled"), "speak.done cancelled");
  return { stopped: { spokenChars: done.spoken_chars, silentFor: after.seconds } };
}

async function until(find, what) {
  for (let i = 0; i < 100; i++) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come`);
}

/** Speech into the microphone interrupts the answer. */
export async function bargeIn(run) {
  const { page, options } = run;
  await page.locator("#text").fill(Array(6).fill(options.say).join(" "));
  await page.locator("#speak").click();
  await page.locator('#spoken[data-state="speaking"]').waitFor({ timeout: options.timeout });
  await page.locator("#mic").click();
  await page.locator('#spoken[data-state="interrupted"]').waitFor({ timeout: options.timeout });
  await page.locator("#mic").click();
  await page.locator('#mic[data-on="false"]').waitFor();
  return { interrupted: await text(page, "#speak-state") };
}

/** Each format is offered as a file with the transcript in it. */
export async function downloads({ page, options }) {
  const shapes = { txt: options.expect, srt: /^1\n\d\d:\d\d:\d\d,\d{3} --> /, vtt: /^WEBVTT\n\n\d\d:\d\d:\d\d\.\d{3} --> /, json: /"segments"/ };
  const names = [];
  for (const [format, shape] of Object.entries(shapes)) {
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator(`[data-format=${format}]`).click()]);
    const content = await readFile(await file.path(), "utf8");
    assert.match(content, shape, format);
    assert.match(content, options.expect, format);
    if (format === "json") assert.ok(JSON.parse(content).segments[0].words.length > 0, "JSON without words");
    names.push(file.suggestedFilename());
  }
  return { downloads: names };
}

/** A caption that seems finished is marked while the server still waits. */
export async function seemsFinished({ page, watch, options }) {
  await setSilence(page, "1900");
  await until(() => watch.received.findLast((m) => m.type === "session.updated" && m.config.vad.silence_ms === 1900), "session.updated");
  await page.locator("#mic").click();
  const sign = page.locator('.utterance[data-state="partial"] .turn');
  await sign.first().waitFor({ timeout: options.timeout });
  const tip = await sign.first().getAttribute("data-tip");
  await page.locator("#mic").click();
  await page.locator('#mic[data-on="false"]').waitFor();
  await setSilence(page, "500");
  assert.match(tip, /^Seems finished · \d+ %$/);
  return { seemsFinished: tip };
}

async function setSilence(page, ms) {
  await page.locator("#open-settings").click();
  await page.locator("#silence").fill(ms);
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
}

/** Settings reach the running session, the panel closes by Escape and gives the focus back. */
export async function settings({ page, watch, shot }) {
  await page.locator("#open-settings").click();
  await page.locator("dialog[open]").waitFor();
  await shot?.("settings");
  await page.locator("[name=partials]").selectOption("stable");
  await page.locator("[name=final]").selectOption("best");
  await page.locator("[name=eager]").uncheck();
  await page.locator("[name=interrupt]").uncheck();
  await page.locator("#patience").fill("1200");
  await page.locator("#silence").fill("700");
  const updated = await until(() => watch.received.findLast((m) => m.type === "session.updated" && m.config.vad.silence_ms === 700), "session.updated");
  assert.equal(updated.config.asr.partials, "stable");
  assert.equal(updated.config.asr.final, "best");
  assert.equal(updated.config.interrupt, "none");
  assert.deepEqual([updated.config.vad.eager, updated.config.vad.patience_ms], [0, 1200]);
  await page.locator("#reset").click();
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "open-settings");
  return { settingsApplied: true };
}

/** On a phone nothing runs out of the screen and fingers find their targets. */
export async function phone({ page, shot }) {
  await page.setViewportSize({ width: 390, height: 844 });
  const { wide, small } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll("button, select, textarea, input")]
      .filter((el) => el.checkVisibility() && el.closest("label.check") === null && el.getBoundingClientRect().height < 43.5)
      .map((el) => el.id || el.name || el.textContent.trim()),
  }));
  assert.equal(wide, 0, `the page is ${wide} px wider than the phone`);
  assert.deepEqual(small, [], "touch targets under 44 px");
  await shot("phone");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("phone-dark");
  await page.setViewportSize({ width: 1280, height: 800 });
  await shot("desktop-dark");
  await page.emulateMedia({ colorScheme: "light" });
}

/** The browser had nothing to complain about. */
export async function quiet({ watch }) {
  assert.deepEqual(watch.complaints, [], "console");
}

/** The page kept to the server's content security policy. */
export async function withinPolicy({ page }) {
  const answer = await page.request.get(page.url());
  const policy = answer.headers()["content-security-policy"] ?? "";
  assert.match(policy, /script-src 'self'(;|$)/, "the server sends no policy for scripts");
  assert.match(policy, /style-src 'self'(;|$)/, "the server sends no policy for styles");
  assert.deepEqual(await page.evaluate(() => window.probe.violations), []);
}

/** Every refusal of the microphone is told in words, and the page goes on. */
export async function refusedMicrophone({ page }) {
  const told = {};
  for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError"]) {
    await page.evaluate((error) => {
      window.probe.getUserMedia ??= navigator.mediaDevices.getUserMedia;
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("test", error));
    }, name);
    await page.locator("#mic").click();
    await page.locator("#banner:visible").waitFor();
    told[name] = await text(page, "#banner-title");
    assert.equal(await page.locator("#mic").getAttribute("data-on"), "false");
  }
  assert.equal(new Set(Object.values(told)).size, 3, "different failures are told alike");
  await page.evaluate(() => (navigator.mediaDevices.getUserMedia = window.probe.getUserMedia));
  return { refusals: told };
}

/** A lost connection is told, comes back by itself, and the transcript stays. */
export async function reconnect({ page, context, options, shot }) {
  const before = await page.locator('.utterance[data-state="final"]').count();
  const gone = page.locator('#link[data-state="waiting"]').waitFor();
  await page.evaluate(() => window.probe.sockets.at(-1).close(4000));
  await gone;
  await context.setOffline(true);
  await page.locator("#banner:visible").waitFor();
  const told = await text(page, "#banner-title");
  await shot?.("lost");
  await context.setOffline(false);
  await page.locator('#link[data-state="open"]').waitFor({ timeout: options.timeout });
  await page.locator("#banner").waitFor({ state: "hidden" });
  await page.waitForFunction((n) => document.querySelectorAll('.utterance[data-state="final"]').length > n, before, { timeout: options.timeout });
  assert.ok((await page.evaluate(() => window.probe.sockets.length)) > 1);
  return { lossTold: told, finalsBefore: before, finalsAfter: await page.locator('.utterance[data-state="final"]').count() };
}

/** Without WebCodecs the page sends and plays PCM. */
export async function speaksPCM({ watch }) {
  const { input, output } = watch.sent.find((m) => m.type === "session.start");
  assert.deepEqual([input.codec, input.rate, output.codec], ["pcm_s16le", 16000, "pcm_s16le"]);
  return { input, output };
}
