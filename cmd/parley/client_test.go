package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/codec"
	"parley/codec/opus"
	"parley/stream/native"
)

// event holds the fields of the server's messages that tests look at; a binary
// message is one of type "audio".
type event struct {
	Type    string  `json:"type"`
	Re      string  `json:"re"`
	Seq     uint64  `json:"seq"`
	Utt     string  `json:"utt"`
	Rev     int     `json:"rev"`
	Stable  string  `json:"stable"`
	Tail    string  `json:"tail"`
	Text    string  `json:"text"`
	Reason  string  `json:"reason"`
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Fatal   bool    `json:"fatal"`
	Speech  string  `json:"speech"`
	Chars   int     `json:"spoken_chars"`
	StartUS int64   `json:"start_us"`
	EndUS   int64   `json:"end_us"`
	AtUS    int64   `json:"at_us"`
	T       float64 `json:"t"`
	Prob    float64 `json:"prob"`
	State   string  `json:"state"`
	RetryMS int     `json:"retry_after_ms"`
	PTSUS   int64   `json:"pts_us"`
	Stats   struct {
		AudioUS   int64 `json:"audio_us"`
		DroppedUS int64 `json:"dropped_us"`
	} `json:"stats"`

	frame native.Frame
	at    time.Time
}

// client is one session of the native protocol.
type client struct {
	t      *testing.T
	conn   *websocket.Conn
	events chan event
	status websocket.StatusCode // valid once events is closed

	lastSeq uint64
	stream  uint16
	pings   float64
}

// patience bounds every wait of a client; the machine may be busy.
const patience = 2 * time.Minute

// dial connects; nothing is sent yet.
func dial(t *testing.T, s *server) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+s.addr+"/v1/stream", &websocket.DialOptions{Subprotocols: []string{"speech.v1"}})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(4 << 20)
	c := &client{t: t, conn: conn, events: make(chan event, 4096)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read()
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	return c
}

// read passes on messages until the connection ends.
func (c *client) read() {
	defer close(c.events)
	for {
		kind, data, err := c.conn.Read(context.Background())
		if err != nil {
			c.status = websocket.CloseStatus(err)
			return
		}
		ev := event{Type: "audio"}
		if kind == websocket.MessageText {
			err = json.Unmarshal(data, &ev)
		} else {
			ev.frame, err = native.ParseFrame(data)
		}
		if err != nil {
			ev = event{Type: "unreadable", Message: err.Error()}
		}
		ev.at = time.Now()
		c.events <- ev
	}
}

// session connects and starts a session with the given fields; again while the
// server is too busy for one more, which a slow machine may be.
func session(t *testing.T, s *server, start map[string]any) *client {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		c := dial(t, s)
		sent := c.trySend(starting(start)) // one that is turned away may be closed already
		ev, _ := c.next()
		if ev.Type == "session.started" {
			return c
		}
		if ev.Code != "overloaded" || ev.RetryMS == 0 || time.Now().After(deadline) {
			t.Fatalf("%s: %s (%s) instead of session.started; sending: %v", ev.Type, ev.Code, ev.Message, sent)
		}
		c.hangUp()
		<-time.After(time.Duration(ev.RetryMS) * time.Millisecond)
	}
}

// hangUp ends a session that is needed no more, so that it counts as load no longer.
func (c *client) hangUp() { _ = c.conn.CloseNow() }

// starting is session.start with the given fields.
func starting(fields map[string]any) map[string]any {
	message := map[string]any{"type": "session.start"}
	maps.Copy(message, fields)
	return message
}

func (c *client) start(fields map[string]any) {
	c.t.Helper()
	c.send(starting(fields))
}

func (c *client) send(message map[string]any) {
	c.t.Helper()
	if err := c.trySend(message); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *client) trySend(message map[string]any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return c.write(websocket.MessageText, text)
}

func (c *client) raw(kind websocket.MessageType, data []byte) {
	c.t.Helper()
	if err := c.write(kind, data); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *client) write(kind websocket.MessageType, data []byte) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	return c.conn.Write(ctx, kind, data)
}

func (c *client) frame(f native.Frame) {
	c.t.Helper()
	f.Kind = native.KindAudio
	c.raw(websocket.MessageBinary, native.AppendFrame(nil, f))
}

// next is the next message; ok is false at the end. JSON must be numbered.
func (c *client) next() (ev event, ok bool) {
	c.t.Helper()
	select {
	case ev, ok = <-c.events:
	case <-time.After(patience):
		c.t.Fatal("nothing came")
	}
	if ok && ev.Type != "audio" {
		if ev.Seq != c.lastSeq+1 {
			c.t.Errorf("%s has seq %d after %d", ev.Type, ev.Seq, c.lastSeq)
		}
		c.lastSeq = ev.Seq
	}
	return ev, ok
}

// until returns the first message of a type; an error before it fails the test.
func (c *client) until(kind string) event {
	c.t.Helper()
	for {
		ev, ok := c.next()
		if !ok {
			c.t.Fatalf("closed with %d while waiting for %s", c.status, kind)
		}
		if ev.Type == kind {
			return ev
		}
		if ev.Type == "error" {
			c.t.Fatalf("%s (%s) while waiting for %s", ev.Code, ev.Message, kind)
		}
	}
}

// drain reads to the end and returns everything and the close code.
func (c *client) drain() (all []event, status websocket.StatusCode) {
	c.t.Helper()
	for {
		ev, ok := c.next()
		if !ok {
			return all, c.status
		}
		all = append(all, ev)
	}
}

// packet is one Opus packet with its length.
type packet = codec.Packet

// encode makes 20 ms packets of speech at 16 kHz.
func encode(t *testing.T, pcm []float32) (packets []packet) {
	t.Helper()
	enc, err := opus.NewEncoder(opus.Config{SourceRate: codec.SpeechRate})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(p packet) error {
		packets = append(packets, p)
		return nil
	}
	if err := enc.Encode(pcm, keep); err != nil {
		t.Fatal(err)
	}
	if err := enc.Flush(keep); err != nil {
		t.Fatal(err)
	}
	return packets
}

// play sends packets as one input stream: in real time, or at once. The last
// one ends the stream.
func (c *client) play(packets []packet, realTime bool) {
	c.t.Helper()
	c.stream++
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var pts time.Duration
	for i, p := range packets {
		if realTime {
			<-tick.C
		}
		f := native.Frame{Stream: c.stream, Seq: uint32(i), PTS: uint64(pts.Microseconds()), Payload: p.Payload}
		if i == len(packets)-1 {
			f.Flags = native.FlagEnd
		}
		c.frame(f)
		pts += p.Duration
	}
}

// heard is the text of all utterances of what was played, once all are final.
func (c *client) heard() string {
	c.t.Helper()
	c.pings++
	c.send(map[string]any{"type": "ping", "t": c.pings})
	open, ponged := map[string]bool{}, false
	var texts []string
	for !ponged || len(open) > 0 {
		ev, ok := c.next()
		if !ok {
			c.t.Fatalf("closed with %d", c.status)
		}
		switch ev.Type {
		case "vad.start":
			open[ev.Utt] = true
		case "transcript.final":
			delete(open, ev.Utt)
			if ev.Text != "" {
				texts = append(texts, ev.Text)
			}
		case "pong":
			ponged = ponged || ev.T == c.pings
		case "error", "transcript.failed":
			c.t.Fatalf("%s: %s %s", ev.Type, ev.Code, ev.Message)
		}
	}
	return strings.Join(texts, " ")
}

// understand plays packets at once and returns what was heard.
func (c *client) understand(packets []packet) string {
	c.t.Helper()
	c.play(packets, false)
	return c.heard()
}

// speak has a text spoken and returns its packets.
func (c *client) speak(text, voice string) (packets []packet) {
	c.t.Helper()
	c.pings++
	id := fmt.Sprintf("say-%g", c.pings)
	c.send(map[string]any{"type": "speak", "speech": id, "text": text, "voice": voice})
	for {
		ev, ok := c.next()
		switch {
		case !ok:
			c.t.Fatalf("closed with %d", c.status)
		case ev.Type == "error":
			c.t.Fatalf("%s: %s", ev.Code, ev.Message)
		case ev.Type == "speak.done":
			if ev.Speech != id || ev.Reason != "complete" {
				c.t.Fatalf("speech %s of %s ended as %s", ev.Speech, id, ev.Reason)
			}
			return packets
		case ev.Type != "audio":
			continue
		}
		if len(ev.frame.Payload) > 0 {
			d, err := opus.PacketDuration(ev.frame.Payload)
			if err != nil {
				c.t.Fatal(err)
			}
			packets = append(packets, packet{Payload: ev.frame.Payload, Duration: d})
		}
		if ev.frame.Flags&native.FlagEnd != 0 { // all of it was heard, so the server need not wait
			c.send(map[string]any{"type": "playback", "speech": id, "played_us": time.Hour.Microseconds()})
		}
	}
}

// utter has a text spoken in a session of its own.
func utter(t *testing.T, s *server, text, voice string) []packet {
	t.Helper()
	c := session(t, s, opusIn(nil))
	defer c.hangUp()
	return c.speak(text, voice)
}

// opusIn is a session that hears Opus, and speaks as fast as it can.
func opusIn(more map[string]any) map[string]any {
	fields := map[string]any{
		"input":  map[string]any{"codec": "opus", "rate": 48000, "channels": 1},
		"output": map[string]any{"codec": "opus", "rate": 48000, "lead_ms": 60000},
	}
	for k, v := range more {
		fields[k] = v
	}
	return fields
}

// quiet asks for finals only.
var quiet = map[string]any{"asr": map[string]any{"partials": "off"}}

// get asks the server over HTTP.
func (s *server) get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
