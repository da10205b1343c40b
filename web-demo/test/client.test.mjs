import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ParleyClient, State, retryDelay } from "../page/js/parley.js";
import { Flag, decodeFrame, encodeFrame } from "../page/js/wire.js";

/** A WebSocket whose other end is the test. */
class Socket {
  static made = [];
  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    Socket.made.push(this);
  }
  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : decodeFrame(data));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  says(message) {
    this.onmessage({ data: typeof message === "object" && !ArrayBuffer.isView(message) ? JSON.stringify(message) : message });
  }
  lose(code, reason = "") {
    this.readyState = 3;
    this.onclose({ code, reason });
  }
  get types() {
    return this.sent.map((m) => m.type ?? "audio");
  }
}

function client(t) {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.after(() => mock.timers.reset());
  Socket.made = [];
  const c = new ParleyClient({ url: "ws://here/v1/stream", config: () => ({ input: { codec: "opus" } }), WebSocket: Socket });
  const states = [];
  c.addEventListener("state", (e) => states.push(e.detail));
  return { c, states, socket: () => Socket.made.at(-1) };
}

function started(t) {
  const all = client(t);
  all.c.connect();
  all.socket().open();
  all.socket().says({ type: "session.started", session: "sess_1" });
  return all;
}

test("the session is asked for without waiting and open when it has started", (t) => {
  const { c, states, socket } = client(t);
  c.connect();
  assert.deepEqual(socket().protocols, ["speech.v1"]);
  socket().open();
  assert.deepEqual(socket().sent, [{ type: "session.start", input: { codec: "opus" }, id: "c1" }]);
  assert.equal(c.state, State.CONNECTING);
  socket().says({ type: "session.started", session: "sess_1" });
  assert.deepEqual(states.map((s) => s.state), ["connecting", "open"]);
  assert.equal(c.session.session, "sess_1");
});

test("events are dispatched by type; junk and unknown ones do no harm", (t) => {
  const { c, socket } = started(t);
  const warn = t.mock.method(console, "warn", () => {});
  const seen = [];
  c.addEventListener("transcript.final", (e) => seen.push(e.detail.text));
  c.addEventListener("audio", (e) => seen.push(e.detail.stream));
  socket().says({ type: "transcript.final", text: "hi" });
  socket().says({ type: "of.the.future" });
  socket().says("not json");
  socket().says(new Uint8Array(3));
  socket().says(encodeFrame({ stream: 0x8001, seq: 0, ptsUs: 0, payload: Uint8Array.of(1) }));
  assert.deepEqual(seen, ["hi", 0x8001]);
  assert.equal(warn.mock.callCount(), 2);
});

test("audio starts at media time 0 of each session and counts its frames", (t) => {
  const { c, socket } = started(t);
  c.sendAudio(Uint8Array.of(1), 5_000_000);
  c.sendAudio(Uint8Array.of(2), 5_020_000);
  const frames = socket().sent.slice(1);
  assert.deepEqual(frames.map((f) => [f.seq, f.ptsUs, f.flags]), [[0, 0, 0], [1, 20_000, 0]]);
  assert.equal(c.toCaptureUs(20_000), 5_020_000);
});

test("audio is dropped while the network is too slow, and the gap is marked", (t) => {
  const { c, socket } = started(t);
  c.sendAudio(Uint8Array.of(1), 0);
  socket().bufferedAmount = 1 << 20;
  assert.equal(c.sendAudio(Uint8Array.of(2), 20_000), false);
  socket().bufferedAmount = 0;
  c.sendAudio(Uint8Array.of(3), 40_000);
  c.sendAudio(Uint8Array.of(4), 60_000);
  assert.deepEqual(socket().sent.slice(1).map((f) => [f.seq, f.flags]), [[0, 0], [2, Flag.DISCONTINUITY], [3, 0]]);
  assert.equal(c.droppedFrames, 1);
});

test("a loss is followed by attempts with growing pauses until one works", (t) => {
  const { c, states, socket } = started(t);
  c.sendAudio(Uint8Array.of(1), 0);
  socket().lose(1006);
  const waits = [];
  for (let i = 0; i < 4; i++) {
    const { state, retryMs } = states.at(-1);
    assert.equal(state, State.WAITING);
    waits.push(retryMs);
    mock.timers.tick(retryMs);
    if (i < 3) socket().lose(1006);
  }
  assert.equal(Socket.made.length, 5);
  assert.ok(waits[3] > 2 * waits[0], `pauses ${waits}`);
  socket().open();
  socket().says({ type: "session.started", session: "sess_2" });
  c.sendAudio(Uint8Array.of(2), 9_000_000);
  assert.deepEqual(socket().sent.slice(1).map((f) => [f.seq, f.ptsUs]), [[0, 0]], "the new session has its own time");
});

test("an overloaded server is asked again no sooner than it said", (t) => {
  const { states, socket } = started(t);
  const refuse = (ms) => {
    socket().says({ type: "error", code: "overloaded", message: "busy", fatal: true, retry_after_ms: ms });
    socket().lose(4503);
    return states.at(-1).retryMs;
  };
  assert.equal(refuse(9000), 9000);
  mock.timers.tick(9000);
  assert.equal(refuse(3_600_000), 15_000, "nobody waits for an hour without being asked");
  mock.timers.tick(15_000);
  assert.ok(refuse(1) > 500, "the pauses grow all the same");
  mock.timers.tick(20_000);
  socket().says({ type: "error", code: "overloaded", message: "one utterance", fatal: false, retry_after_ms: 9000 });
  socket().says({ type: "session.started", session: "sess_2" });
  socket().lose(1006);
  assert.ok(states.at(-1).retryMs < 1000, "a session that lived starts anew");
});

test("retry pauses stay between half a second and a quarter over fifteen", () => {
  assert.equal(retryDelay(0, () => 0.5), 500);
  assert.equal(retryDelay(3, () => 0.5), 4000);
  assert.equal(retryDelay(50, () => 1), 18_750);
  assert.equal(retryDelay(0, () => 0), 375);
});

for (const [code, state] of [[4401, "closed"], [4415, "closed"], [4408, "closed"], [1000, "closed"], [4503, "waiting"], [4429, "waiting"], [1001, "waiting"], [4500, "waiting"]]) {
  test(`close code ${code} leads to ${state}`, (t) => {
    const { states, socket } = started(t);
    socket().lose(code, "why");
    assert.deepEqual([states.at(-1).state, states.at(-1).code, states.at(-1).reason], [state, code, "why"]);
  });
}

test("connect during a pause tries at once and only once", (t) => {
  const { c, socket } = started(t);
  socket().lose(1006);
  c.connect();
  c.connect();
  mock.timers.tick(60_000);
  assert.equal(Socket.made.length, 2);
});

test("pings every ten seconds give the round trip", (t) => {
  const { c, socket } = started(t);
  mock.timers.tick(10_000);
  const ping = socket().sent.at(-1);
  assert.equal(ping.type, "ping");
  socket().says({ type: "pong", t: ping.t });
  assert.ok(c.roundTripMs >= 0);
});

test("a server that answers nothing any more counts as lost", (t) => {
  const { states, socket } = started(t);
  const first = socket();
  mock.timers.tick(40_000);
  assert.equal(states.at(-1).state, State.WAITING);
  assert.equal(first.readyState, 3);
  assert.equal(first.types.filter((x) => x === "ping").length, 3);
});

test("closing ends the session in order and stays closed", (t) => {
  const { c, states, socket } = started(t);
  c.close();
  assert.equal(socket().types.at(-1), "session.end");
  socket().lose(1006);
  mock.timers.tick(60_000);
  assert.equal(Socket.made.length, 1);
  assert.deepEqual(states.at(-1), { state: "closed", code: 1000, local: true });
});

test("nothing is sent without a connection", (t) => {
  const { c } = client(t);
  assert.equal(c.speak("s", "hello"), null);
  assert.equal(c.sendAudio(Uint8Array.of(1), 0), false);
  assert.equal(c.commit(), null);
});

test("speech commands have the fields of the protocol", (t) => {
  const { c, socket } = started(t);
  assert.equal(c.commit(), null, "there is no utterance to commit before any audio");
  c.speak("s", "hello", { voice: "flite/slt", speed: 1.5 });
  c.playback("s", 1234.6);
  c.cancelSpeech("s", 99.4);
  c.sendAudio(Uint8Array.of(1), 0);
  c.commit();
  const [, speak, playback, cancel, , commit] = socket().sent;
  assert.deepEqual(speak, { type: "speak", speech: "s", text: "hello", voice: "flite/slt", speed: 1.5, queue: "replace", id: "c2" });
  assert.deepEqual([playback.type, playback.played_us], ["playback", 1235]);
  assert.deepEqual([cancel.type, cancel.played_us], ["speak.cancel", 99]);
  assert.deepEqual([commit.type, commit.stream], ["input.commit", 0]);
});
