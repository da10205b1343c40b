package timing

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/cmd/internal/native"
	"parley/codec/codectest"
	"parley/engine/whisper"
)

const bundled = "../../../engine/whisper/tinymodel/commands.en-q5_0.bin"

// config measures the least there is.
func config(t *testing.T) Config {
	t.Helper()
	return Config{
		Paths: native.Find(), Model: bundled, GPU: whisper.Off, Short: true, Slots: []int{1, 2}, Runs: 1, Busy: 50 * time.Millisecond,
		Windows: []time.Duration{3 * time.Second}, Speech: codectest.Speech(t),
	}
}

func TestRun(t *testing.T) {
	var done []string
	r, err := Run(t.Context(), config(t), func(what string) { done = append(done, what) })
	if err != nil {
		t.Fatal(err)
	}
	d := r.Decodes[0]
	if len(r.Decodes) != 1 || d.Words < 1 || d.Free.Wall <= 0 || d.Forces.CPU <= 0 || r.Final.CPU <= 0 {
		t.Errorf("%+v", r)
	}
	if len(r.Busy) != 2 || r.Busy[1].Slots != 2 || r.Busy[1].Partials <= 0 || r.Busy[1].CPU <= 0 {
		t.Errorf("%+v", r.Busy)
	}
	var table bytes.Buffer
	if err := r.Print(&table); err != nil || !strings.Contains(table.String(), "FORCED/FREE") || len(done) != 5 {
		t.Errorf("%v, %q, %s", err, done, table.String())
	}
}

func TestNoCard(t *testing.T) {
	c := config(t)
	c.Only = true
	devices, err := whisper.Devices(c.Paths.Backends)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if d.Type == whisper.Graphics {
			return // there is one: nothing to complain about
		}
	}
	if _, err := Run(t.Context(), c, func(string) {}); !errors.Is(err, ErrNoCard) || !strings.Contains(err.Error(), "CPU") {
		t.Errorf("without a card: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no speech": func(c *Config) { c.Speech = nil },
		"0 runs":    func(c *Config) { c.Runs = 0 },
		"0 slots":   func(c *Config) { c.Slots = []int{0} },
		"29s":       func(c *Config) { c.Windows = []time.Duration{29 * time.Second} },
		"-1s":       func(c *Config) { c.Busy = -time.Second },
		"none.bin":  func(c *Config) { c.Model = "none.bin" },
	} {
		c := config(t)
		change(&c)
		if _, err := Run(t.Context(), c, func(string) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestStepAndEncode(t *testing.T) {
	ms := func(n int) Took {
		return Took{time.Duration(n) * time.Millisecond, time.Duration(n) * time.Millisecond}
	}
	d := Decode{Words: 24, Forced: 20, Free: ms(220), Forces: ms(140)}
	if d.Step() != ms(4) || d.Encode() != ms(124) {
		t.Errorf("a step takes %v, the encoder %v", d.Step(), d.Encode())
	}
}
