package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/session"
	"parley/stream/streamtest"
	"parley/vad"
)

// reader hears what streamtest.Said says.
func reader(latency time.Duration) *enginetest.Slot {
	return &enginetest.Slot{Hear: streamtest.Hear, Latency: latency, Language: "en"}
}

// speech says a text at about the pace people do, without pauses between words.
func speech(text string) []byte {
	return streamtest.Said(text, 240*time.Millisecond, 20*time.Millisecond)
}

// counted lets a hub count into the registry it returns.
func counted(c *session.Config) *prometheus.Registry {
	r := prometheus.NewRegistry()
	c.Registerer = r
	return r
}

// outcomes are what became of early finals.
func outcomes(t *testing.T, r *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, f := range families {
		if f.GetName() == "parley_session_speculative_total" {
			for _, m := range f.GetMetric() {
				out[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
			}
		}
	}
	return out
}

func TestTheFinalIsKnownBeforeTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		latency    time.Duration
		hits, late int // of 10
	}{
		"fast":     {latency: 100 * time.Millisecond, hits: 10},
		"in time":  {latency: 400 * time.Millisecond, hits: 10},
		"too slow": {latency: 600 * time.Millisecond, late: 10},
	} {
		t.Run(name, func(t *testing.T) {
			var registry *prometheus.Registry
			bubble(t, reader(c.latency), &enginetest.Synthesizer{}, func(cfg *session.Config) { registry = counted(cfg) }, func(f *fixture) {
				off := stream.PartialsOff
				f.start(stream.Patch{Partials: &off})
				for range 10 {
					f.play(speech("turn on the kitchen light."), streamtest.Hush(1500*time.Millisecond))
				}
				for range 10 {
					await[stream.SpeechStopped](f)
					if final := f.next().(stream.Final); final.Text != "turn on the kitchen light." || final.Revised {
						f.Errorf("final %+v", final)
					}
				}
				got := outcomes(t, registry)
				if got["hit"] != c.hits || got["late"] != c.late || got["cancelled"]+got["refused"]+got["failed"] != 0 {
					f.Errorf("%v, want %d hits and %d late", got, c.hits, c.late)
				}
			})
		})
	}
}

func TestAnEarlyFinalThatFailsIsDecodedAgain(t *testing.T) {
	for outcome, why := range map[string]error{"refused": engine.ErrBusy, "failed": errors.New("no luck")} {
		slot := reader(50 * time.Millisecond)
		slot.Fail = func(call int) error {
			if call == 0 {
				return why
			}
			return nil
		}
		var registry *prometheus.Registry
		bubble(t, slot, &enginetest.Synthesizer{}, func(cfg *session.Config) { registry = counted(cfg) }, func(f *fixture) {
			off := stream.PartialsOff
			f.start(stream.Patch{Partials: &off})
			f.play(speech("turn on the light."), streamtest.Hush(time.Second))
			if final := await[stream.Final](f); final.Text != "turn on the light." {
				f.Errorf("final %+v", final)
			}
			if got := outcomes(t, registry); got[outcome] != 1 || len(got) != 1 {
				f.Errorf("%v, want one %s", got, outcome)
			}
		})
	}
}

// turns are the events about turns up to the final.
func (f *fixture) turns() (kinds []string, final stream.Final) {
	for {
		switch ev := f.next().(type) {
		case stream.TurnEager:
			kinds = append(kinds, "eager "+ev.Text)
			if ev.Probability <= 0 || ev.Probability > 1 || ev.At <= 0 {
				f.Errorf("%+v", ev)
			}
		case stream.TurnResumed:
			kinds = append(kinds, "resumed")
		case stream.SpeechStopped:
			kinds = append(kinds, "stopped")
		case stream.Final:
			return kinds, ev
		}
	}
}

func TestTurnsAreToldEagerly(t *testing.T) {
	eager := 0.7
	words := speech("turn on the light.")
	more := speech("no, the lamp.")
	for name, c := range map[string]struct {
		play  [][]byte
		want  string
		final string
	}{
		"over":           {[][]byte{words, streamtest.Hush(time.Second)}, "eager turn on the light., stopped", "turn on the light."},
		"goes on":        {[][]byte{words, streamtest.Hush(300 * time.Millisecond), more, streamtest.Hush(time.Second)}, "eager turn on the light., resumed, eager turn on the light. no, the lamp., stopped", "turn on the light. no, the lamp."},
		"a short breath": {[][]byte{words, streamtest.Hush(150 * time.Millisecond), more, streamtest.Hush(time.Second)}, "eager turn on the light. no, the lamp., stopped", "turn on the light. no, the lamp."},
		"unfinished":     {[][]byte{speech("turn on the"), streamtest.Hush(2 * time.Second)}, "stopped", "turn on the"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, reader(40*time.Millisecond), &enginetest.Synthesizer{}, nil, func(f *fixture) {
				f.start(stream.Patch{Eager: &eager})
				f.play(c.play...)
				kinds, final := f.turns()
				if got := strings.Join(kinds, ", "); got != c.want || final.Text != c.final {
					f.Errorf("%q, final %q; want %q, %q", got, final.Text, c.want, c.final)
				}
			})
		})
	}
}

// lasted is the silence that ended an utterance, within what frames and packets allow.
func (f *fixture) lasted(patch stream.Patch, text string) time.Duration {
	f.start(patch)
	begun := time.Now()
	said := speech(text)
	var ended time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		await[stream.SpeechStopped](f)
		ended = time.Since(begun)
	}()
	f.play(said, streamtest.Hush(3*time.Second))
	<-done
	return ended - time.Duration(len(said)/2)*time.Second/16000
}

func TestPatienceFollowsTheWords(t *testing.T) {
	none, some := time.Duration(0), 600*time.Millisecond
	manual := vad.Manual
	for name, c := range map[string]struct {
		patience *time.Duration
		mode     *vad.Mode
		text     string
		want     time.Duration
	}{
		"a sentence":                   {&some, nil, "turn on the light.", 500 * time.Millisecond},
		"an article":                   {&some, nil, "turn on the", 1100 * time.Millisecond},
		"a comma":                      {&some, nil, "well,", 1100 * time.Millisecond},
		"no punctuation has been seen": {&some, nil, "turn on the light", 500 * time.Millisecond},
		"without patience":             {&none, nil, "turn on the", 500 * time.Millisecond},
		"by default":                   {nil, nil, "turn on the", 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, reader(40*time.Millisecond), &enginetest.Synthesizer{}, nil, func(f *fixture) {
				got := f.lasted(stream.Patch{Patience: c.patience, VADMode: c.mode}, c.text)
				if got < c.want-50*time.Millisecond || got > c.want+80*time.Millisecond {
					f.Errorf("ended after %v of silence, want %v", got, c.want)
				}
			})
		})
	}
	t.Run("punctuation is missing", func(t *testing.T) {
		bubble(t, reader(40*time.Millisecond), &enginetest.Synthesizer{}, nil, func(f *fixture) {
			f.start(stream.Patch{})
			f.play(speech("yes please."), streamtest.Hush(time.Second))
			await[stream.Final](f)
			f.play(speech("turn on"), streamtest.Hush(700*time.Millisecond), speech("the light."), streamtest.Hush(time.Second))
			if final := await[stream.Final](f); final.Text != "turn on the light." {
				f.Errorf("cut after %q", final.Text)
			}
		})
	})
	t.Run("in manual mode nothing ends", func(t *testing.T) {
		bubble(t, reader(40*time.Millisecond), &enginetest.Synthesizer{}, nil, func(f *fixture) {
			eager := 0.1
			f.start(stream.Patch{VADMode: &manual, Eager: &eager})
			f.play(speech("turn on the light."), streamtest.Hush(3*time.Second))
			f.send(stream.Commit{})
			if kinds, final := f.turns(); strings.Join(kinds, " ") != "stopped" || final.Text != "turn on the light." {
				f.Errorf("%v, %q", kinds, final.Text)
			}
		})
	})
}

// oracle is a turn model of one opinion.
type oracle struct {
	p       float64
	err     error
	latency time.Duration
	asked   int
	longest int
}

func (o *oracle) Probability(ctx context.Context, audio []float32) (float64, error) {
	o.asked++
	o.longest = max(o.longest, len(audio))
	if err := enginetest.Sleep(ctx, o.latency); err != nil {
		return 0, err
	}
	return o.p, o.err
}

func TestATurnModelDecides(t *testing.T) {
	eager := 0.5
	for name, c := range map[string]struct {
		model oracle
		text  string
		want  time.Duration
		eager bool
	}{
		"surely over":   {oracle{p: 0.95}, "turn on the", 200 * time.Millisecond, true},
		"surely not":    {oracle{p: 0.05}, "turn on the light.", 1100 * time.Millisecond, false},
		"who knows":     {oracle{p: 0.6}, "turn on the light.", 500 * time.Millisecond, true},
		"slow":          {oracle{p: 0.95, latency: 100 * time.Millisecond}, "turn on the light.", 300 * time.Millisecond, true},
		"far too slow":  {oracle{p: 0.05, latency: time.Hour}, "turn on the light.", 500 * time.Millisecond, false},
		"broken":        {oracle{err: errors.New("broken")}, "turn on the light.", 500 * time.Millisecond, true},
		"broken, words": {oracle{err: errors.New("broken")}, "turn on the", 1100 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			model := c.model
			bubble(t, reader(40*time.Millisecond), &enginetest.Synthesizer{}, func(cfg *session.Config) { cfg.Services.Turn = &model }, func(f *fixture) {
				told := false
				f.start(stream.Patch{Eager: &eager})
				begun := time.Now()
				said := speech("so " + c.text)
				var got time.Duration
				done := make(chan struct{})
				go func() {
					defer close(done)
					for {
						switch f.next().(type) {
						case stream.TurnEager:
							told = true
						case stream.SpeechStopped:
							got = time.Since(begun) - time.Duration(len(said)/2)*time.Second/16000
						case stream.Final:
							return
						}
					}
				}()
				f.play(said, streamtest.Hush(3*time.Second))
				<-done
				if got < c.want-50*time.Millisecond || got > c.want+100*time.Millisecond || told != c.eager {
					f.Errorf("ended after %v of silence, want %v; eager %v, want %v", got, c.want, told, c.eager)
				}
			})
			if model.asked != 1 || model.longest > 8*codec.SpeechRate || model.longest == 0 {
				t.Errorf("asked %d times about up to %d samples", model.asked, model.longest)
			}
		})
	}
}
