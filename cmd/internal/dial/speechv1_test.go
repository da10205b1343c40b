package dial

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/cmd/internal/load"
	"parley/cmd/internal/material"
	"parley/codec"
	"parley/codec/formats"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/native"
	"parley/stream/session"
	"parley/stream/streamtest"
	"parley/stream/ws"
)

// serve is a real server but for its models: a slot that hears a script and a
// detector that hears loudness.
func serve(t *testing.T, sessions int) (address string) {
	t.Helper()
	slot := &enginetest.Slot{Script: [][]engine.Word{{
		{Text: "turn", Start: 400 * time.Millisecond, End: 700 * time.Millisecond, P: 1},
		{Text: "around", Start: 700 * time.Millisecond, End: 1100 * time.Millisecond, P: 1},
	}}}
	services, pool, err := streamtest.Services(slot, &enginetest.Synthesizer{})
	if err != nil {
		t.Fatal(err)
	}
	services.NewDecoder = formats.NewDecoder
	hub, err := session.NewHub(session.Config{Services: services, Limits: stream.DefaultLimits(), MaxSessions: sessions})
	if err != nil {
		t.Fatal(err)
	}
	handler := ws.Handler(ws.Config{
		Serve: hub.Serve, Subprotocols: []string{native.Subprotocol},
		NewDialect: func(*http.Request) stream.Dialect {
			return native.New(native.Options{Limits: stream.DefaultLimits(), Server: "test"})
		},
	})
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := hub.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// clip is a second of a loud tone.
func clip(t *testing.T) material.Clip {
	t.Helper()
	pcm := make([]float32, codec.SpeechRate)
	for i := range pcm {
		pcm[i] = float32(0.4 * math.Sin(2*math.Pi*220*float64(i)/codec.SpeechRate))
	}
	c, err := material.NewClip("tone", "turn around", pcm)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestASessionOfSpeechV1(t *testing.T) {
	d := SpeechV1{URL: serve(t, 4), Start: map[string]any{"asr": map[string]any{"words": true}}}
	conn, err := d.Dial(t.Context(), load.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	silence, err := material.Silence()
	if err != nil {
		t.Fatal(err)
	}
	packets := append(clip(t).Packets, make([][]byte, 50)...)
	for k, p := range packets {
		if p == nil {
			p = silence
		}
		if err := conn.Send(t.Context(), load.Frame{Seq: uint32(k), At: time.Duration(k) * material.Frame, Packet: p}); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	var final, ended load.Event
	for _, ev := range all(t, conn) {
		switch ev.Kind {
		case load.Final:
			final = ev
		case load.Ended:
			ended = ev
		case load.Failed:
			t.Errorf("%+v", ev)
		}
	}
	if final.Stable != "turn around" || final.Utterance == "" || len(final.Words) != 2 || final.StableWords != 2 || ended.Dropped != 0 {
		t.Fatalf("%+v, %+v", final, ended)
	}
	if w := final.Words[1]; w.Text != "around" || w.End <= w.Start || w.End > final.End || final.End > 2*time.Second {
		t.Errorf("%+v in %v to %v", w, final.Start, final.End)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func TestEventsOfSpeechV1(t *testing.T) {
	words := []word{{"turn", 100_000, 300_000}, {"on", 300_000, 450_000}}
	for _, c := range []struct {
		m    message
		want load.Event
	}{
		{message{Type: "transcript.partial", Utt: "u", Stable: "turn", Tail: "on", StartUS: 50_000, EndUS: 500_000, Words: words, StableWords: 1},
			load.Event{Kind: load.Partial, Utterance: "u", Stable: "turn", Tail: "on", StableWords: 1, Start: 50 * time.Millisecond, End: 500 * time.Millisecond,
				Words: []load.Word{{Text: "turn", Start: 100 * time.Millisecond, End: 300 * time.Millisecond}, {Text: "on", Start: 300 * time.Millisecond, End: 450 * time.Millisecond}}}},
		{message{Type: "transcript.final", Utt: "u", Text: "turn on", Revised: true}, load.Event{Kind: load.Final, Utterance: "u", Stable: "turn on", Revised: true}},
		{message{Type: "transcript.failed", Utt: "u"}, load.Event{Kind: load.Failed, Utterance: "u"}},
		{message{Type: "input.ack"}, load.Event{}},
	} {
		if diff := cmp.Diff(c.want, c.m.event()); diff != "" {
			t.Errorf("%s: %s", c.m.Type, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	full := SpeechV1{URL: serve(t, 1)}
	first, err := full.Dial(t.Context(), load.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := full.Dial(t.Context(), load.Plan{}); !errors.Is(err, load.ErrRefused) || !strings.Contains(err.Error(), "overloaded") {
		t.Errorf("a full server: %v", err)
	}
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer busy.Close()
	if _, err := (SpeechV1{URL: busy.URL}).Dial(t.Context(), load.Plan{}); !errors.Is(err, load.ErrRefused) {
		t.Errorf("HTTP 503: %v", err)
	}
	wrong := SpeechV1{URL: serve(t, 1), Start: map[string]any{"asr": "loud"}}
	if _, err := wrong.Dial(t.Context(), load.Plan{}); err == nil || errors.Is(err, load.ErrRefused) || !strings.Contains(err.Error(), "bad_request") {
		t.Errorf("a wrong start: %v", err)
	}
}

func TestTheKeyIsSent(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	if _, err := (SpeechV1{URL: server.URL, APIKey: "k"}).Dial(t.Context(), load.Plan{}); err == nil || got != "Bearer k" {
		t.Errorf("%q, %v", got, err)
	}
}
