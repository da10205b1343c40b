//go:build image

// Package image tests a booted container image from outside: it has the server say a sentence, sends that recording
// back and reads what was understood. deploy/image/test.sh boots the image and names its address in PARLEY_URL.
package image

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// sentence lies in the domain of the bundled model.
const sentence = "Turn on the light in the kitchen."

// event holds the fields of the server's messages that matter here.
type event struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Fatal   bool   `json:"fatal"`
}

// session is one connection with bare PCM of 16 kHz both ways.
type session struct {
	t    *testing.T
	ctx  context.Context
	conn *websocket.Conn
}

func dial(t *testing.T) *session {
	t.Helper()
	url := os.Getenv("PARLEY_URL")
	if url == "" {
		t.Fatal("PARLEY_URL is not set; run make image-test")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/v1/stream",
		&websocket.DialOptions{Subprotocols: []string{"speech.v1"}})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(2 << 20)
	s := &session{t: t, ctx: ctx, conn: conn}
	pcm := map[string]any{"codec": "pcm_s16le", "rate": 16000, "channels": 1, "framing": "bare"}
	s.send(map[string]any{"type": "session.start", "input": pcm,
		"output": map[string]any{"codec": "pcm_s16le", "rate": 16000, "framing": "bare"}})
	return s
}

func (s *session) send(message map[string]any) {
	s.t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.conn.Write(s.ctx, websocket.MessageText, text); err != nil {
		s.t.Fatalf("send %v: %v", message["type"], err)
	}
}

// until reads to the first event of the given type and returns it with the audio that came before it.
func (s *session) until(want string) (event, []byte) {
	s.t.Helper()
	var audio []byte
	for {
		kind, data, err := s.conn.Read(s.ctx)
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", want, err)
		}
		if kind == websocket.MessageBinary {
			audio = append(audio, data...)
			continue
		}
		var e event
		if err := json.Unmarshal(data, &e); err != nil {
			s.t.Fatalf("the server sent %q: %v", data, err)
		}
		switch e.Type {
		case want:
			return e, audio
		case "error", "transcript.failed":
			s.t.Fatalf("waiting for %s, got %s", want, data)
		}
	}
}

// TestSpeakAndTranscribe needs every native library of the image: flite, libopus's package, ggml, whisper and
// onnxruntime.
func TestSpeakAndTranscribe(t *testing.T) {
	speaker := dial(t)
	speaker.send(map[string]any{"type": "speak", "text": sentence})
	done, recording := speaker.until("speak.done")
	if done.Reason != "complete" {
		t.Fatalf("speak.done has the reason %q", done.Reason)
	}
	if seconds := float64(len(recording)) / 32000; seconds < 1 || seconds > 10 {
		t.Fatalf("the sentence lasts %.2f s", seconds)
	}

	listener := dial(t)
	pause := make([]byte, 16000)
	for _, audio := range [][]byte{pause, recording, pause} {
		for len(audio) > 0 {
			n := min(len(audio), 6400)
			if err := listener.conn.Write(listener.ctx, websocket.MessageBinary, audio[:n]); err != nil {
				t.Fatalf("send audio: %v", err)
			}
			audio = audio[n:]
		}
	}
	listener.send(map[string]any{"type": "input.end"})
	final, _ := listener.until("transcript.final")
	t.Logf("said %q, understood %q", sentence, final.Text)
	for _, word := range []string{"light", "kitchen"} {
		if !strings.Contains(strings.ToLower(final.Text), word) {
			t.Errorf("%q misses %q", final.Text, word)
		}
	}
}
