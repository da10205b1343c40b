package vad

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drive runs a script on a Segmenter. Words are "p*n" (n frames of probability
// p), "commit", "end", "clear" (all at the latest frame), or "commit+k" and so
// on with k samples of a frame that was never completed, or "hold=ms".
func drive(t *testing.T, s *Segmenter, script string) []Event {
	t.Helper()
	var got []Event
	for _, word := range strings.Fields(script) {
		if p, n, ok := strings.Cut(word, "*"); ok {
			prob, err1 := strconv.ParseFloat(p, 32)
			count, err2 := strconv.Atoi(n)
			if err1 != nil || err2 != nil {
				t.Fatalf("script word %q", word)
			}
			for range count {
				got = append(got, s.Push(float32(prob))...)
			}
			continue
		}
		if ms, ok := strings.CutPrefix(word, "hold="); ok {
			n, err := strconv.Atoi(ms)
			if err != nil {
				t.Fatalf("script word %q", word)
			}
			s.Hold(n)
			continue
		}
		name, extra, _ := strings.Cut(word, "+")
		k, _ := strconv.Atoi(extra)
		stop := map[string]func(int64) (Event, bool){"commit": s.Commit, "end": s.End, "clear": s.Clear}[name]
		if e, ok := stop(s.pos + int64(k)); ok {
			got = append(got, e)
		}
	}
	return got
}

func mustNew(t testing.TB, change func(*Config)) *Segmenter {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// f converts frames to samples, so that expectations read in frames.
func f(n float64) int64 { return int64(n * FrameSize) }

const (
	prefix  = 300 * 16
	tailLen = 200 * 16
)

func TestSegmenterServer(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		script string
		want   []Event
	}{
		{name: "silence", script: "0*400 end"},
		{
			name:   "one utterance",
			script: "0.1*20 0.9*10 0.1*20",
			want: []Event{
				{Start, "", f(20), f(20) - prefix, f(23), f(3)},
				{Pause, "", f(30), f(20) - prefix, f(32), f(10)},
				{End, ByVAD, f(30), f(20) - prefix, f(30) + tailLen, f(10)},
			},
		},
		{
			name:   "speech at once has no pre-roll",
			script: "0.9*5 end",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{End, ByEnd, f(5), 0, f(5), f(5)},
			},
		},
		{name: "two frames are a glitch", script: "0.1*20 0.9*2 0.1*2 0.9*2 0.1*2 end"},
		{
			name:   "one frame in four may be missing at the onset",
			script: "0.1*20 0.9*1 0.1*1 0.9*2 end",
			want: []Event{
				{Start, "", f(20), f(20) - prefix, f(24), f(3)},
				{End, ByEnd, f(24), f(20) - prefix, f(24), f(3)},
			},
		},
		{name: "above the lower threshold is not an onset", script: "0.1*20 0.45*100 end"},
		{
			name:   "above the lower threshold speech goes on, but does not come back",
			script: "0.1*20 0.9*3 0.4*20 0.3*1 0.4*15 0.1*9",
			want: []Event{
				{Start, "", f(20), f(20) - prefix, f(23), f(3)},
				{Pause, "", f(43), f(20) - prefix, f(45), f(23)},
				{End, ByVAD, f(43), f(20) - prefix, f(43) + tailLen, f(23)},
			},
		},
		{
			name:   "silence shorter than the hangover",
			script: "0.9*5 0.1*15 0.9*5 0.1*1 0.9*1 0.1*16",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{Pause, "", f(5), 0, f(7), f(5)},
				{Resume, "", f(20), 0, f(21), f(6)},
				{Pause, "", f(27), 0, f(29), f(11)},
				{End, ByVAD, f(27), 0, f(27) + tailLen, f(11)},
			},
		},
		{
			name:   "a short hangover leaves a short tail",
			change: func(c *Config) { c.SilenceMS = 33 },
			script: "0.9*5 0.1*2",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{End, ByVAD, f(5), 0, f(7), f(5)},
			},
		},
		{
			name:   "pre-roll never reaches into the utterance before",
			change: func(c *Config) { c.SilenceMS = 320 },
			script: "0.9*5 0.1*10 0.9*3 end",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{Pause, "", f(5), 0, f(7), f(5)},
				{End, ByVAD, f(5), 0, f(5) + tailLen, f(5)},
				{Start, "", f(15), f(5) + tailLen, f(18), f(3)},
				{End, ByEnd, f(18), f(5) + tailLen, f(18), f(3)},
			},
		},
		{
			name:   "min speech",
			change: func(c *Config) { c.MinSpeechMS, c.PrefixMS = 0, 0 },
			script: "0.1*7 0.9*1 end",
			want: []Event{
				{Start, "", f(7), f(7), f(8), f(1)},
				{End, ByEnd, f(8), f(7), f(8), f(1)},
			},
		},
		{
			name:   "not a number is silence",
			script: "0.9*5 NaN*2 NaN*14",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{Pause, "", f(5), 0, f(7), f(5)},
				{End, ByVAD, f(5), 0, f(5) + tailLen, f(5)},
			},
		},
		{
			name:   "commit, with a frame begun",
			script: "0.9*5 commit+100 0.9*3 end+511",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{End, ByCommit, f(5), 0, f(5) + 100, f(5)},
				{Start, "", f(5) + 100, f(5) + 100, f(8), f(3) - 100},
				{End, ByEnd, f(8), f(5) + 100, f(8) + 511, f(3) - 100},
			},
		},
		{
			name:   "commit without an utterance changes nothing",
			script: "0.1*20 commit 0.9*2 commit 0.9*1 commit",
			want: []Event{
				{Start, "", f(20), f(20) - prefix, f(23), f(3)},
				{End, ByCommit, f(23), f(20) - prefix, f(23), f(3)},
			},
		},
		{
			name:   "clear drops utterance, onset and pre-roll",
			script: "0.9*5 clear+7 0.9*2 clear 0.9*2 clear 0.9*3 end",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{End, ByClear, f(5), 0, f(5) + 7, f(5)},
				{Start, "", f(9), f(9), f(12), f(3)},
				{End, ByEnd, f(12), f(9), f(12), f(3)},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, drive(t, mustNew(t, c.change), c.script)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSegmenterManual(t *testing.T) {
	for _, c := range []struct {
		name   string
		script string
		want   []Event
	}{
		{
			name:   "all between commits",
			script: "0.1*20 0.9*5 0.1*100 commit 0.1*3 0.9*3 commit",
			want: []Event{
				{Start, "", f(20), 0, f(23), f(3)},
				{Pause, "", f(25), 0, f(27), f(5)},
				{End, ByCommit, f(25), 0, f(125), f(5)},
				{Start, "", f(128), f(125), f(131), f(3)},
				{End, ByCommit, f(131), f(125), f(131), f(3)},
			},
		},
		{
			name:   "a commit of silence is none and moves on",
			script: "0.1*20 commit+9 0.9*3 commit",
			want: []Event{
				{Start, "", f(20) + 9, f(20) + 9, f(23), f(3) - 9},
				{End, ByCommit, f(23), f(20) + 9, f(23), f(3) - 9},
			},
		},
		{
			name:   "silence before speech is kept for 10 s",
			script: "0*1000 1*3 commit",
			want: []Event{
				{Start, "", f(1000), f(1000 - lookback), f(1003), f(3)},
				{End, ByCommit, f(1003), f(1000 - lookback), f(1003), f(3)},
			},
		},
		{
			name:   "cut at the maximum, then silence",
			script: "0.9*5 0.1*2000 commit 0.9*3 commit",
			want: []Event{
				{Start, "", 0, 0, f(3), f(3)},
				{Pause, "", f(5), 0, f(7), f(5)},
				{End, ByMaxLen, f(5), 0, f(937 - 3), f(5)},
				{Start, "", f(2005), f(2005), f(2008), f(3)},
				{End, ByCommit, f(2008), f(2005), f(2008), f(3)},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustNew(t, func(c *Config) { c.Mode = Manual })
			if diff := cmp.Diff(c.want, drive(t, s, c.script)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSegmenterCommitOfSilence(t *testing.T) {
	s := mustNew(t, func(c *Config) { c.Mode = Manual })
	drive(t, s, "0.9*2 0.1*8")
	got, ok := s.Commit(f(10) + 5)
	if want := (Event{Kind: End, Reason: ByCommit, From: 0, To: f(10) + 5}); ok || got != want {
		t.Errorf("Commit = %+v, %v; want %+v, false", got, ok, want)
	}
	if s.Keep() != f(10)+5 {
		t.Errorf("Keep = %d after the commit, want %d", s.Keep(), f(10)+5)
	}
}

// The utterance is 30 s = 937.5 frames long at most. The deepest pause lies at
// frames 700 to 704; deeper ones are too early, or too short.
func TestSegmenterCutsAtDeepestPause(t *testing.T) {
	s := mustNew(t, nil)
	got := drive(t, s, "0.9*300 0*8 0.9*392 0.1*5 0.9*50 0*1 0.9*244 end")
	want := []Event{
		{Start, "", 0, 0, f(3), f(3)},
		{Pause, "", f(300), 0, f(302), f(300)},
		{Resume, "", f(308), 0, f(309), f(301)},
		{Pause, "", f(700), 0, f(702), f(692)},
		{Resume, "", f(705), 0, f(706), f(693)},
		{End, ByMaxLen, f(700), 0, f(702), f(692)},
		{Start, "", f(705), f(702), f(937), f(937 - 705 - 1)},
		{End, ByEnd, f(1000), f(702), f(1000), f(1000 - 705 - 1)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// Speech without any pause is cut too, again and again, with nothing lost.
func TestSegmenterCutsEndlessSpeech(t *testing.T) {
	s := mustNew(t, nil)
	var at int64
	for _, e := range drive(t, s, "1*10000 end+77") {
		switch e.Kind {
		case Start:
			if e.From != at {
				t.Errorf("utterance from %d, want %d", e.From, at)
			}
		case End:
			if got := e.To - e.From; got > samples(30000) || e.Reason == ByMaxLen && got < samples(29500) {
				t.Errorf("utterance of %d samples", got)
			}
			at = e.To
		}
	}
	if at != f(10000)+77 {
		t.Errorf("speech told up to %d, want %d", at, f(10000)+77)
	}
}

func TestSegmenterUpdate(t *testing.T) {
	update := func(t *testing.T, s *Segmenter, change func(*Config)) {
		cfg := s.cfg
		change(&cfg)
		if err := s.Update(cfg); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("hangover and threshold in mid-utterance", func(t *testing.T) {
		s := mustNew(t, nil)
		got := drive(t, s, "0.6*5")
		update(t, s, func(c *Config) { c.Threshold, c.SilenceMS = 0.9, 64 })
		got = append(got, drive(t, s, "0.6*2 0.9*3")...)
		want := []Event{
			{Start, "", 0, 0, f(3), f(3)},
			{End, ByVAD, f(5), 0, f(7), f(5)},
			{Start, "", f(7), f(7), f(10), f(3)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("longer pre-roll does not bring forgotten audio back", func(t *testing.T) {
		s := mustNew(t, nil)
		drive(t, s, "0*100")
		kept := s.Keep()
		update(t, s, func(c *Config) { c.PrefixMS = 5000 })
		if got := drive(t, s, "0.9*3"); len(got) != 1 || got[0].From != kept {
			t.Errorf("events %+v, want one Start from %d", got, kept)
		}
	})
	t.Run("manual to server ends what has been silent long", func(t *testing.T) {
		s := mustNew(t, func(c *Config) { c.Mode = Manual })
		drive(t, s, "0.9*3 0*50")
		update(t, s, func(c *Config) { c.Mode = Server })
		want := []Event{{End, ByVAD, f(3), 0, f(3) + tailLen, f(3)}}
		if diff := cmp.Diff(want, drive(t, s, "0*5")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("lowered maximum", func(t *testing.T) {
		s := mustNew(t, func(c *Config) { c.MaxUtteranceMS = 90000 })
		drive(t, s, "0.9*2500")
		update(t, s, func(c *Config) { c.MaxUtteranceMS = 25000 })
		got := drive(t, s, "0.9*10 end")
		var at int64
		for _, e := range got {
			if e.Kind == End {
				if e.From != at || e.To-e.From > samples(25000) {
					t.Errorf("utterance [%d, %d) after %d", e.From, e.To, at)
				}
				at = e.To
			}
		}
		if at != f(2510) {
			t.Errorf("told up to %d, want %d", at, f(2510))
		}
	})
	t.Run("lowered maximum with speech only late", func(t *testing.T) {
		s := mustNew(t, func(c *Config) { c.Mode, c.MaxUtteranceMS = Manual, 90000 })
		got := drive(t, s, "0.9*10 0*2490 0.9*10")
		update(t, s, func(c *Config) { c.MaxUtteranceMS = 25000 })
		got = append(got, drive(t, s, "0.9*10 commit")...)
		want := []Event{
			{Start, "", 0, 0, f(3), f(3)},
			{Pause, "", f(10), 0, f(12), f(10)},
			{Resume, "", f(2500), 0, f(2501), f(11)},
			{End, ByMaxLen, f(10), 0, f(778), f(10)},
			{Start, "", f(2500), f(778), f(2511), f(11)},
			{End, ByCommit, f(2520), f(778 * 3), f(2520), f(20)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("a bad configuration changes nothing", func(t *testing.T) {
		s := mustNew(t, nil)
		bad := s.cfg
		bad.SilenceMS = -1
		if err := s.Update(bad); err == nil || s.cfg != DefaultConfig() {
			t.Errorf("Update = %v, configuration %+v", err, s.cfg)
		}
	})
}

func TestSegmenterSpeaking(t *testing.T) {
	s := mustNew(t, nil)
	drive(t, s, "0*20 0.9*2")
	if _, ok := s.Speaking(); ok {
		t.Error("speaking after two frames")
	}
	if got, want := s.Keep(), f(20)-int64(prefix); got != want {
		t.Errorf("Keep = %d, want %d", got, want)
	}
	drive(t, s, "0.9*1 0*10")
	if from, ok := s.Speaking(); !ok || from != f(20)-prefix {
		t.Errorf("Speaking = %d, %v", from, ok)
	}
	drive(t, s, "0*10")
	if _, ok := s.Speaking(); ok {
		t.Error("speaking after the hangover")
	}
}

func TestPushDoesNotAllocate(t *testing.T) {
	s := mustNew(t, nil)
	drive(t, s, "1*2000")
	probs := slices.Repeat([]float32{1, 1, 1, 1, 0, 0, 0.4, 1}, 125)
	if n := testing.AllocsPerRun(3, func() {
		for _, p := range probs {
			s.Push(p)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPush(b *testing.B) {
	s := mustNew(b, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Push(float32(i/64%2) * 0.9)
	}
}
