#!/usr/bin/env node
// Drives the demo page of a running server in a real Chromium.
//
//   node demo.mjs --url http://127.0.0.1:PORT --wav FILE --expect REGEX --say TEXT --out DIR
//                 [--mode main|pcm|trouble|all] [--chromium PATH] [--timeout MS]
//
//   --url       address of the page
//   --wav       16-bit PCM WAV that the browser hears as its microphone, in a
//               loop; let it begin and end with a second of silence and hold an
//               utterance of 3 s or more, so that words can settle
//   --expect    regular expression that a final caption must match (any case)
//   --say       a sentence of some eight words or more to be typed and spoken
//   --out       folder for screenshots and result.json; made if missing
//   --mode      main: captions, latency, speaking, stopping, interrupting,
//               downloads, settings, phone; pcm: without WebCodecs; trouble: no
//               microphone, lost connection, content security policy; all
//               (default): one after the other
//   --chromium  browser to use (or PARLEY_CHROMIUM), default /usr/bin/chromium
//   --timeout   how long one thing may take, default 30000 ms
//
// Prints the result as JSON. Exit code 0: everything held; 1: something did not
// (the result says in "failure" which step and why); 2: wrong usage.

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { launch, openPage } from "./browser.mjs";
import * as check from "./checks.mjs";

// A tap measures sound and switches the page's policy off, so one mode does without.
const MODES = {
  main: {
    open: { tap: true },
    steps: [
      "ready", "startByKeyboard", "captions", "wordTimes", "stopListening", "speak", "stopSpeaking", "downloads",
      "bargeIn", "seemsFinished", "settings", "phone", "quiet",
    ],
  },
  pcm: { open: { tap: true, noWebCodecs: true }, steps: ["ready", "speaksPCM", "startByKeyboard", "captions", "stopListening", "speak", "quiet"] },
  trouble: {
    open: {},
    steps: [
      "ready", "staleLanguage", "refusedMicrophone", "startByKeyboard", "captions", "reconnect", "wordTimes", "stopListening", "speak",
      "downloads", "settings", "withinPolicy",
    ],
  },
};

const options = readOptions();
await mkdir(options.out, { recursive: true });
const result = { url: options.url, modes: {} };
const browser = await launch(options);
try {
  for (const mode of options.modes) {
    result.modes[mode] = {};
    await runMode(mode, MODES[mode], result.modes[mode]);
  }
} catch (error) {
  result.failure = `${error.step ?? "start"}: ${error.message}`;
} finally {
  await browser.close();
}
await writeFile(path.join(options.out, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
if (result.failure) {
  console.error(`demo: ${result.failure}`);
  process.exitCode = 1;
}

async function runMode(mode, { open, steps }, figures) {
  const { context, page, watch } = await openPage(browser, options.url, open);
  const shot = async (name) => {
    await page.waitForTimeout(250); // colours and panels move in 150 ms
    const file = `${mode === "main" ? "" : `${mode}-`}${name}.png`;
    await page.screenshot({ path: path.join(options.out, file), fullPage: name.startsWith("phone") });
    (figures.screenshots ??= []).push(file);
  };
  for (const step of steps) {
    try {
      Object.assign(figures, await check[step]({ page, context, watch, options, shot, tapped: open.tap }));
    } catch (error) {
      await shot(`failed-${step}`).catch(() => {});
      figures.complaints = watch.complaints;
      error.step = `${mode}/${step}`;
      throw error;
    }
  }
  await context.close();
}

function readOptions() {
  const text = { type: "string" };
  try {
    const { values } = parseArgs({ options: { url: text, wav: text, expect: text, say: text, out: text, mode: text, chromium: text, timeout: text } });
    for (const name of ["url", "wav", "expect", "say", "out"]) if (!values[name]) throw new Error(`--${name} is missing`);
    const mode = values.mode ?? "all";
    if (mode !== "all" && !MODES[mode]) throw new Error(`--mode ${mode} is not main, pcm, trouble or all`);
    return {
      url: values.url,
      wav: path.resolve(values.wav),
      expect: new RegExp(values.expect, "i"),
      say: values.say,
      out: path.resolve(values.out),
      modes: mode === "all" ? Object.keys(MODES) : [mode],
      executable: values.chromium,
      timeout: Number(values.timeout ?? 30_000),
    };
  } catch (error) {
    console.error(`demo: ${error.message}\nsee the head of demo.mjs for its options`);
    process.exit(2);
  }
}
