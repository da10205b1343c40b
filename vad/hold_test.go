package vad

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHold: without Hold 16 frames of silence (500 ms) end an utterance.
func TestHold(t *testing.T) {
	begin := Event{Start, "", 0, 0, f(3), f(3)}
	pause := Event{Pause, "", f(5), 0, f(7), f(5)}
	resume := func(at float64) Event { return Event{Resume, "", f(at), 0, f(at + 1), f(6)} }
	over := Event{End, ByVAD, f(5), 0, f(5) + tailLen, f(5)}
	for _, c := range []struct {
		name   string
		change func(*Config)
		script string
		want   []Event
	}{
		{name: "not asked for", script: "0.9*5 0*15", want: []Event{begin, pause}},
		{name: "more silence", script: "0.9*5 0*2 hold=1000 0*29", want: []Event{begin, pause}},
		{name: "more silence, and then enough", script: "0.9*5 0*2 hold=1000 0*30", want: []Event{begin, pause, over}},
		{name: "less silence", script: "0.9*5 0*2 hold=200 0*5", want: []Event{begin, pause, over}},
		{name: "rounded up to frames, as the configuration is", script: "0.9*5 0*2 hold=193 0*4", want: []Event{begin, pause}},
		{
			name: "what is enough already ends at the next frame", script: "0.9*5 0*10 hold=64 0*1",
			want: []Event{begin, pause, over},
		},
		{
			name: "the least there is", script: "0.9*5 0*2 hold=1 0*1",
			want: []Event{begin, pause, {End, ByVAD, f(5), 0, f(8), f(5)}},
		},
		{name: "the most there is", script: "0.9*5 0*2 hold=99999 0*310", want: []Event{begin, pause}},
		{name: "the most there is, and then enough", script: "0.9*5 0*2 hold=99999 0*311", want: []Event{begin, pause, over}},
		{name: "the last word counts", script: "0.9*5 0*2 hold=3000 0*2 hold=300 0*6", want: []Event{begin, pause, over}},
		{name: "taken back", script: "0.9*5 0*2 hold=3000 0*2 hold=0 0*12", want: []Event{begin, pause, over}},
		{
			name: "forgotten when speech goes on", script: "0.9*5 0*2 hold=3000 0.9*1 0*16",
			want: []Event{begin, pause, resume(7), {Pause, "", f(8), 0, f(10), f(6)}, {End, ByVAD, f(8), 0, f(8) + tailLen, f(6)}},
		},
		{
			name: "too late for its pause", script: "0.9*5 0*2 0.9*1 hold=64 0*15",
			want: []Event{begin, pause, resume(7), {Pause, "", f(8), 0, f(10), f(6)}},
		},
		{name: "too early for a pause", script: "0.9*5 0*1 hold=64 0*14", want: []Event{begin, pause}},
		{name: "no utterance", script: "hold=64 0.9*5 0*15", want: []Event{begin, pause}},
		{
			name: "forgotten with its utterance", script: "0.9*5 0*2 hold=64 commit 0*12 0.9*3 0*15",
			want: []Event{
				begin, pause, {End, ByCommit, f(5), 0, f(7), f(5)},
				{Start, "", f(19), f(19) - prefix, f(22), f(3)}, {Pause, "", f(22), f(19) - prefix, f(24), f(3)},
			},
		},
		{
			name: "forgotten by clear", script: "0.9*5 0*2 hold=64 clear 0.9*3 0*15",
			want: []Event{
				begin, pause, {End, ByClear, f(5), 0, f(7), f(5)},
				{Start, "", f(7), f(7), f(10), f(3)}, {Pause, "", f(10), f(7), f(12), f(3)},
			},
		},
		{
			name: "the longest utterance stays the longest", change: func(c *Config) { c.MaxUtteranceMS = 5000 },
			script: "0.9*5 0*2 hold=10000 0*149",
			want:   []Event{begin, pause, {End, ByMaxLen, f(5), 0, f(153), f(5)}},
		},
		{
			name: "nobody waits for silence in manual mode", change: func(c *Config) { c.Mode = Manual },
			script: "0.9*5 0*2 hold=64 0*100 commit",
			want:   []Event{begin, pause, {End, ByCommit, f(5), 0, f(107), f(5)}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, drive(t, mustNew(t, c.change), c.script)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHoldAndUpdate: what was asked for in a pause outlives a new configuration,
// but is not there where it was asked for in manual mode.
func TestHoldAndUpdate(t *testing.T) {
	update := func(t *testing.T, s *Segmenter, change func(*Config)) {
		t.Helper()
		cfg := s.cfg
		change(&cfg)
		if err := s.Update(cfg); err != nil {
			t.Fatal(err)
		}
	}
	over := []Event{{End, ByVAD, f(5), 0, f(5) + tailLen, f(5)}}
	t.Run("held", func(t *testing.T) {
		s := mustNew(t, nil)
		drive(t, s, "0.9*5 0*2 hold=1000")
		update(t, s, func(c *Config) { c.SilenceMS = 100 })
		if got := drive(t, s, "0*29"); len(got) != 0 {
			t.Errorf("events %+v", got)
		}
		if diff := cmp.Diff(over, drive(t, s, "0*1")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("asked for in manual mode", func(t *testing.T) {
		s := mustNew(t, func(c *Config) { c.Mode = Manual })
		drive(t, s, "0.9*5 0*2 hold=64")
		update(t, s, func(c *Config) { c.Mode = Server })
		if got := drive(t, s, "0*13"); len(got) != 0 {
			t.Errorf("events %+v", got)
		}
		if diff := cmp.Diff(over, drive(t, s, "0*1")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
