package native

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

var update = flag.Bool("update", false, "write the golden files anew")

// counter mints ids that a test can foresee.
func counter() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprint(n.Add(1)) }
}

func newDialect() *Dialect {
	return New(Options{Limits: stream.DefaultLimits(), Server: "parley/test", NewID: counter()})
}

// exchange is one line of testdata/client.jsonl: what a client sends and the
// command it is, as type and fields.
type exchange struct {
	Message json.RawMessage `json:"message"`
	Command string          `json:"command"`
	Fields  json.RawMessage `json:"fields"`
}

func readExchanges(t *testing.T) []exchange {
	t.Helper()
	var all []exchange
	for _, line := range readLines(t, "testdata/client.jsonl") {
		var e exchange
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func readLines(t *testing.T, name string) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	for scan := bufio.NewScanner(bytes.NewReader(raw)); scan.Scan(); {
		lines = append(lines, bytes.Clone(scan.Bytes()))
	}
	return lines
}

func TestGoldenClient(t *testing.T) {
	var wire bytes.Buffer
	for _, want := range readExchanges(t) {
		cmds, err := newDialect().Decode(stream.Message{Kind: stream.Text, Payload: want.Message})
		if err != nil || len(cmds) != 1 {
			t.Fatalf("%s: %d commands, %v", want.Message, len(cmds), err)
		}
		got := exchange{Message: want.Message, Command: fmt.Sprintf("%T", cmds[0]), Fields: fields(t, cmds[0])}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		wire.Write(append(b, '\n'))
	}
	golden(t, "testdata/client.jsonl", wire.Bytes())
}

// fields is a command as JSON without what is nil.
func fields(t *testing.T, cmd stream.Command) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if patch, ok := m["Patch"].(map[string]any); ok {
		for k, v := range patch {
			if v == nil {
				delete(patch, k)
			}
		}
	}
	b, err = json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// events is a session with every event there is.
func events() []stream.Event {
	cfg := stream.DefaultConfig()
	cfg.Model, cfg.Voice = "base.en", "flite/slt"
	bare := cfg
	bare.Input = codec.Format{Encoding: codec.WebMOpus}
	bare.Framing = stream.Framing{Input: "bare", Output: "bare"}
	bare.Keywords = []string{"Parley"}
	bare.Final, bare.Turn = stream.FinalBest, stream.Turn{Eager: 0.7, Patience: 1200 * time.Millisecond}
	ms := time.Millisecond
	words := []engine.Word{
		{Text: "Hello", Start: 100 * ms, End: 400 * ms, P: 0.97},
		{Text: "<wörld>.", Start: 450 * ms, End: 900 * ms, P: 0.5},
	}
	return []stream.Event{
		stream.Started{Ref: "c1", Session: "sess_01", Config: cfg, Limits: stream.DefaultLimits()},
		stream.Updated{Ref: "c2", Config: cfg},
		stream.SpeechStarted{Utterance: 1, At: 100 * ms},
		stream.Partial{Utterance: 1, Rev: 1, Tail: "Hello", Start: 100 * ms, End: 500 * ms},
		stream.Ack{Stream: 0, Seq: 24, PTS: 500 * ms, Backlog: 400 * ms},
		stream.Partial{Utterance: 1, Rev: 2, Stable: "Hello", Tail: " <wörld>.", Start: 100 * ms, End: 900 * ms, StableWords: words[:1], TailWords: words[1:]},
		stream.TurnEager{Utterance: 1, Text: "Hello <wörld>.", Probability: 0.75, At: 900 * ms},
		stream.TurnResumed{Utterance: 1, At: 1200 * ms},
		stream.SpeechStopped{Utterance: 1, At: 900 * ms},
		stream.SpeechStarted{Utterance: 2, At: 1500 * ms},
		stream.Final{Utterance: 1, Text: "Hello <wörld>.", Language: "en", Confidence: 0.73, Words: words, Start: 100 * ms, End: 900 * ms, Reason: "vad"},
		stream.Flow{Stream: 0, State: "slow"},
		stream.SpeechStopped{Utterance: 2, At: 2 * time.Second},
		stream.Failed{Utterance: 2, Err: &stream.Error{Code: stream.EngineFailed, Message: "the recogniser failed"}},
		stream.SpeechStarted{Utterance: 3, At: 3 * time.Second},
		stream.Cleared{Ref: "c3", Utterance: 3},
		stream.Cleared{Ref: "c4"},
		stream.Final{Utterance: 4, Words: []engine.Word{}, Start: 4 * time.Second, End: 5 * time.Second, Reason: "max_len", Revised: true},
		stream.SpeakStarted{Speech: "sp_1", Stream: 1, Format: cfg.Output},
		stream.SpeakAudio{Speech: "sp_1", Stream: 1, Payload: []byte{0xfc, 1, 2}},
		stream.SpeakMark{Speech: "sp_1", From: 0, To: 5, At: 20 * ms},
		stream.SpeakAudio{Speech: "sp_1", Stream: 1, Payload: []byte{0xfc, 3, 4}, PTS: 20 * ms},
		stream.SpeakSent{Speech: "sp_1", Stream: 1, PTS: 40 * ms},
		stream.SpeakDone{Speech: "sp_1", Reason: "complete", Duration: 40 * ms, SpokenChars: 5},
		stream.SpeakStarted{Speech: "b", Stream: 2, Format: cfg.Output},
		stream.SpeakAudio{Speech: "b", Stream: 2, Payload: []byte{0xfc, 5}},
		stream.SpeakDone{Speech: "b", Reason: "cancelled"},
		stream.SpeakDone{Speech: "c", Reason: "failed", Err: &stream.Error{Code: stream.EngineFailed, Message: "no voice"}},
		stream.Pong{Ref: "c5", T: 12.5, At: 7 * time.Second},
		stream.Warning{Code: "gap", Message: "3 frames were lost"},
		stream.ErrorEvent{Err: &stream.Error{Code: stream.BadRequest, Message: "speed: 9 is outside 0.25 to 4", Param: "speed", Ref: "c6"}},
		stream.ErrorEvent{Err: &stream.Error{Code: stream.IdleTimeout, Message: "nothing came for 30s", Fatal: true}},
		stream.ErrorEvent{Err: &stream.Error{Code: stream.Overloaded, Message: "every recogniser is busy", RetryAfter: 1500*ms + 1, Fatal: true}},
		stream.Started{Session: "02", Config: bare, Limits: stream.DefaultLimits()},
		stream.SpeakAudio{Speech: "d", Stream: 3, Payload: []byte{0xfc, 6}, PTS: time.Second},
		stream.SpeakSent{Speech: "d", Stream: 3, PTS: 2 * time.Second},
		stream.Ended{Reason: stream.Done, Stats: stream.Stats{Audio: 5 * time.Second, Concealed: 20 * ms, Dropped: ms, Utterances: 4, Speeches: 3, Spoken: 60 * ms}},
	}
}

// TestGoldenServer holds every message of the server: JSON as it stands, binary
// as a string of hexadecimal digits.
func TestGoldenServer(t *testing.T) {
	d := newDialect()
	var wire bytes.Buffer
	for _, e := range events() {
		ms, err := d.Encode(e)
		if err != nil {
			t.Fatalf("%#v: %v", e, err)
		}
		for _, m := range ms {
			if m.Kind == stream.Text {
				fmt.Fprintf(&wire, "%s\n", m.Payload)
			} else {
				fmt.Fprintf(&wire, "%q\n", hex.EncodeToString(m.Payload))
			}
		}
	}
	golden(t, "testdata/server.jsonl", wire.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", name, diff)
	}
}
