package main_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/container"
)

// TestThePageInABrowser drives the demo page in a real Chromium that hears a file
// as its microphone. Screenshots stay in .artifacts/browser.
func TestThePageInABrowser(t *testing.T) {
	s := startServer(t)
	dir := t.TempDir()
	out := filepath.Join(root(t), ".artifacts", "browser")
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "demo.mjs",
		"--url", "http://"+s.addr+"/",
		"--wav", microphone(t, dir),
		"--expect", "turn (on|off) the radio in the bedroom",
		"--say", "Today is Monday, and the weather in London is good for a walk in the garden.",
		"--timeout", "60000",
		"--out", out)
	cmd.Dir = filepath.Join(root(t), "web-demo", "e2e")
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Run(); err != nil {
		t.Fatalf("node demo.mjs (make setup-test brings what it needs): %v\n%s\n%s", err, both.String(), s.log.String())
	}
	shots, err := filepath.Glob(filepath.Join(out, "*.png"))
	if err != nil || len(shots) < 2 {
		t.Errorf("%d screenshots in %s, %v", len(shots), out, err)
	}
}

// microphone is a sentence with silence round it, as a WAV file.
func microphone(t *testing.T, dir string) string {
	t.Helper()
	spoken := filepath.Join(dir, "spoken.wav")
	parley(t, nil, "say", "turn off the radio in the bedroom", "-o", spoken).must(t)
	pause := make([]float32, 2*codec.SpeechRate)
	path := filepath.Join(dir, "microphone.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := container.NewWAVWriter(f, codec.SpeechRate)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]float32{pause[:codec.SpeechRate/2], decodeFile(t, spoken), pause} {
		if err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
