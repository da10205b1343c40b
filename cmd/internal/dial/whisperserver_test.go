package dial

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/cmd/internal/load"
	"parley/cmd/internal/material"
	"parley/codec"
	"parley/codec/formats"
)

// inference is a whisper-server that says how many samples it got.
type inference struct {
	t       *testing.T
	release chan struct{} // partials wait for it; nil: none do

	mu      sync.Mutex
	samples []int
	fields  []map[string]string
	aborted int
}

func (s *inference) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fields := map[string]string{}
	parts, err := r.MultipartReader()
	if err != nil || r.URL.Path != "/inference" {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	pcm := 0
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return // the client took its request back
		}
		if part.FormName() != "file" {
			fields[part.FormName()] = string(body)
			continue
		}
		pcm = count(s.t, body)
	}
	s.mu.Lock()
	s.samples, s.fields = append(s.samples, pcm), append(s.fields, fields)
	s.mu.Unlock()
	if _, partial := fields["temperature_inc"]; partial && s.release != nil {
		select {
		case <-s.release:
		case <-r.Context().Done():
			s.mu.Lock()
			s.aborted++
			s.mu.Unlock()
			return
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"text": fmt.Sprintf(" %d\n samples ", pcm)})
}

// count decodes a file whose header must tell its length.
func count(t *testing.T, wav []byte) int {
	dec, err := formats.NewDecoder(codec.Format{Encoding: codec.WAV}, codec.SpeechRate)
	if err != nil {
		t.Error(err)
		return 0
	}
	pcm, err := dec.Decode(nil, append(wav, "what follows is not audio"...))
	if err != nil {
		t.Error(err)
	}
	if pcm, err = dec.Flush(pcm); err != nil {
		t.Error(err)
	}
	return len(pcm)
}

// plan has one utterance from 1 s to 2.5 s.
func plan() load.Plan {
	return load.Plan{Frames: 250, Utterances: []load.Utterance{{Start: time.Second, End: 2500 * time.Millisecond}}}
}

// feed sends a plan's frames, without waiting; lost frames are left out.
func feed(t *testing.T, c load.Conn, p load.Plan, from int, lost func(k int) bool) {
	t.Helper()
	for k := from; k < p.Frames; k++ {
		if lost(k) {
			continue
		}
		f := load.Frame{Seq: uint32(k), At: time.Duration(k) * material.Frame}
		if k%2 == 0 {
			f.PCM = make([]float32, material.FrameSamples)
		}
		if err := c.Send(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
}

func never(int) bool { return false }

// all reads to the end.
func all(t *testing.T, c load.Conn) (list []load.Event) {
	t.Helper()
	for {
		ev, err := c.Receive(t.Context())
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ev)
	}
}

func TestWhisperServerGetsTheGrowingUtterance(t *testing.T) {
	s := &inference{t: t}
	server := httptest.NewServer(s)
	defer server.Close()
	conn, err := WhisperServer{URL: server.URL + "/", Interval: 500 * time.Millisecond}.Dial(t.Context(), plan())
	if err != nil {
		t.Fatal(err)
	}
	var events []load.Event
	p, from := plan(), 0
	for _, until := range []int{70, 100, 250} { // so that there is a partial of each of the first two
		p.Frames = until
		feed(t, conn, p, from, func(k int) bool { return k == 80 || k == 81 })
		if from = until; until == 250 {
			break
		}
		ev, err := conn.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
	if err := conn.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	events = append(events, all(t, conn)...)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	// From 0.7 s (the pre-roll) to 3 s (the hangover) of audio at 16 kHz, lost frames as silence.
	first, last := events[0], events[len(events)-1]
	if first.Kind != load.Partial || first.Tail != "8000 samples" || first.Start != 700*time.Millisecond || first.End != 1200*time.Millisecond {
		t.Errorf("first %+v", first)
	}
	if last.Kind != load.Final || last.Stable != "36800 samples" || last.End != 3*time.Second || last.Tail != "" {
		t.Errorf("last %+v", last)
	}
	for i, f := range s.fields {
		if final := i == len(s.fields)-1; f["response_format"] != "json" || (f["temperature_inc"] == "") != final {
			t.Errorf("request %d: %v", i, f)
		}
	}
}

func TestAFinalTakesThePlaceOfAPartial(t *testing.T) {
	s := &inference{t: t, release: make(chan struct{})}
	server := httptest.NewServer(s)
	defer server.Close()
	conn, err := WhisperServer{URL: server.URL, Interval: 100 * time.Millisecond}.Dial(t.Context(), plan())
	if err != nil {
		t.Fatal(err)
	}
	feed(t, conn, plan(), 0, never) // while the first partial hangs at most the latest waits
	if err := conn.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if events := all(t, conn); len(events) != 1 || events[0].Kind != load.Final {
		t.Errorf("%+v", events)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.samples) > 2 {
		t.Errorf("%d requests", len(s.samples))
	}
}

func TestWhatWhisperServerCannotDo(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"HTTP 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"failed to read audio": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"error":"failed to read audio"}`))
		},
		"invalid character": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`<html>`)) },
	} {
		server := httptest.NewServer(handler)
		conn, err := WhisperServer{URL: server.URL, Interval: time.Second}.Dial(t.Context(), plan())
		if err != nil {
			t.Fatal(err)
		}
		feed(t, conn, plan(), 0, never)
		if _, err := conn.Receive(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	}
}

func TestAWhisperSessionCanBeLeft(t *testing.T) {
	s := &inference{t: t, release: make(chan struct{})}
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := WhisperServer{URL: server.URL, Interval: 100 * time.Millisecond}.Dial(ctx, plan())
	if err != nil {
		t.Fatal(err)
	}
	p := plan()
	p.Frames = 80
	feed(t, conn, p, 0, never)
	cancel()
	if _, err := conn.Receive(ctx); err == nil {
		t.Error("it goes on")
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
