package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/direct"
	"parley/stream/session"
	"parley/stream/streamtest"
)

// gauge counts what a recogniser is asked, second by second of the session.
type gauge struct {
	session.Recognizer
	begun time.Time

	mu     sync.Mutex
	looked map[bool][]time.Duration // by minute: audio decoded, true for finals
	most   map[bool]time.Duration   // longest window
}

func (g *gauge) count(final bool, w engine.Window) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := codec.Duration(len(w.Audio), codec.SpeechRate)
	minute := int(time.Since(g.begun) / time.Minute)
	for len(g.looked[final]) <= minute {
		g.looked[final] = append(g.looked[final], 0)
	}
	g.looked[final][minute] += d
	g.most[final] = max(g.most[final], d)
}

func (g *gauge) Partial(ctx context.Context, a engine.Ask, latest func() (engine.Window, engine.Prefix)) (engine.Hypothesis, error) {
	return g.Recognizer.Partial(ctx, a, func() (engine.Window, engine.Prefix) {
		w, p := latest()
		g.count(false, w)
		return w, p
	})
}

func (g *gauge) Final(ctx context.Context, a engine.Ask, w engine.Window, p engine.Prefix) (engine.Transcript, error) {
	g.count(true, w)
	return g.Recognizer.Final(ctx, a, w, p)
}

// monologue is minutes of numbered words, with a pause after each so many; 0: never.
func monologue(d time.Duration, every int, pause time.Duration) (audio [][]byte, text string) {
	const per, gap = 300 * time.Millisecond, 20 * time.Millisecond
	var words []string
	var length time.Duration
	for length < d {
		word := fmt.Sprintf("w%d", len(words))
		words = append(words, word)
		audio = append(audio, streamtest.Said(word, per, gap))
		length += per + gap
		if every > 0 && len(words)%every == 0 {
			audio = append(audio, streamtest.Hush(pause))
			length += pause
		}
	}
	return audio, strings.Join(words, " ")
}

// heap is the memory in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestALongMonologueCostsTheSameEveryMinute(t *testing.T) {
	for name, c := range map[string]struct {
		minutes time.Duration
		every   int
		pause   time.Duration
		fail    func(int) error
		// what each minute may cost in audio seconds decoded per second spoken
		partials, finals float64
	}{
		"with pauses":               {minutes: 10, every: 17, pause: 300 * time.Millisecond, partials: 20, finals: 4},
		"without a pause":           {minutes: 3, partials: 25, finals: 3},
		"a third of decodes failed": {minutes: 3, every: 17, pause: 300 * time.Millisecond, fail: every(3), partials: 25, finals: 4},
	} {
		t.Run(name, func(t *testing.T) {
			slot := reader(30 * time.Millisecond)
			slot.Fail = c.fail
			var g *gauge
			bubble(t, slot, &enginetest.Synthesizer{}, func(cfg *session.Config) {
				g = &gauge{Recognizer: cfg.Services.Recognizer, begun: time.Now(), looked: map[bool][]time.Duration{}, most: map[bool]time.Duration{}}
				cfg.Services.Recognizer = g
			}, func(f *fixture) {
				most := 90_000
				f.start(stream.Patch{MaxUtterance: &most})
				audio, want := monologue(c.minutes*time.Minute, c.every, c.pause)
				var got listened
				var side sync.WaitGroup
				side.Go(func() { got.run(f.ctx, f.client) })
				var early uint64
				for i, a := range audio {
					f.play(a)
					if i == len(audio)/5 {
						early = heap()
					}
				}
				late := heap()
				f.send(stream.End{})
				side.Wait()
				for _, fault := range got.faults {
					f.Error(fault)
				}
				if c.every > 0 && c.fail == nil && got.text() != want {
					f.Errorf("heard %q\nwant %q", got.text(), want)
				}
				if n, all := len(strings.Fields(got.text())), len(strings.Fields(want)); n < all*95/100 || n > all*105/100 {
					f.Errorf("heard %d words of %d", n, all)
				}
				if len(got.finals) > int(c.minutes)*2 {
					f.Errorf("%d utterances", len(got.finals))
				}
				if late > early+8<<20 {
					f.Errorf("the heap grew from %d to %d bytes", early, late)
				}
				if g.most[false] > 21*time.Second || g.most[true] > 25*time.Second {
					f.Errorf("the longest partial looked at %v, the longest final at %v", g.most[false], g.most[true])
				}
				for final, limit := range map[bool]float64{false: c.partials, true: c.finals} {
					for minute, d := range g.looked[final][:c.minutes-1] {
						if cost := d.Seconds() / 60; cost > limit || cost < limit/10 {
							f.Errorf("minute %d: %.1f s decoded per second, finals %v", minute, cost, final)
						}
					}
					f.Logf("finals %v: audio decoded a minute %v", final, g.looked[final])
				}
			})
		})
	}
}

// every fails each n-th decode.
func every(n int) func(int) error {
	return func(call int) error {
		if call%n == n-1 {
			return errors.New("no luck")
		}
		return nil
	}
}

// listened is what a client hears of a session, checked on the way.
type listened struct {
	stable map[int]string
	finals []stream.Final
	failed int
	faults []string
}

// run receives to the end of the session.
func (l *listened) run(ctx context.Context, c *direct.Client) {
	l.stable = map[int]string{}
	for {
		ev, err := c.Receive(ctx)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			l.faults = append(l.faults, err.Error())
			return
		}
		switch ev := ev.(type) {
		case stream.Partial:
			if !strings.HasPrefix(ev.Stable, l.stable[ev.Utterance]) {
				l.faults = append(l.faults, fmt.Sprintf("stable %q became %q", l.stable[ev.Utterance], ev.Stable))
			}
			l.stable[ev.Utterance] = ev.Stable
		case stream.Final:
			if !strings.HasPrefix(ev.Text, l.stable[ev.Utterance]) && !ev.Revised {
				l.faults = append(l.faults, fmt.Sprintf("final %q after stable %q", ev.Text, l.stable[ev.Utterance]))
			}
			l.finals = append(l.finals, ev)
		case stream.Failed:
			l.failed++
		}
	}
}

func (l *listened) text() string {
	var texts []string
	for _, f := range l.finals {
		texts = append(texts, f.Text)
	}
	return strings.Join(texts, " ")
}

func TestAnHourOfSpeechFourTimesTooFast(t *testing.T) {
	slot := &enginetest.Slot{PerSecond: 60 * time.Millisecond}
	bubble(t, slot, &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		var got listened
		var side sync.WaitGroup
		side.Go(func() { got.run(f.ctx, f.client) })
		const packet = 500 * time.Millisecond
		tone := streamtest.Tone(packet)
		var high uint64
		for i := range int(time.Hour / packet) {
			f.send(stream.Audio{Seq: f.seq, HasSeq: true, PTS: f.pts, Payload: tone})
			f.seq++
			f.pts += packet
			time.Sleep(packet / 4)
			if i%1500 == 0 {
				high = max(high, heap())
			}
		}
		f.send(stream.End{})
		side.Wait()
		for _, fault := range got.faults {
			f.Error(fault)
		}
		if high > 64<<20 || len(got.finals) < 60 || got.failed > 0 {
			f.Errorf("%d finals, %d failures, up to %d bytes of heap", len(got.finals), got.failed, high)
		}
	})
}

func TestUtterancesOfFortyMilliseconds(t *testing.T) {
	bubble(t, reader(20*time.Millisecond), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		for range 5 {
			f.play(streamtest.Tone(40*time.Millisecond), streamtest.Hush(time.Second))
		}
		f.play(speech("yes."), streamtest.Hush(time.Second))
		if final := await[stream.Final](f); final.Utterance != 1 || final.Text != "yes." {
			f.Errorf("%+v", final)
		}
	})
}

// polyglot hears the language of whatever word it hears first.
type polyglot struct {
	session.Recognizer
	mu    sync.Mutex
	asked []string // languages asked for, in order
}

func (p *polyglot) language(w engine.Window) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, w.Language)
	switch words := streamtest.Hear(w); {
	case w.Language != "":
		return w.Language
	case len(words) > 0 && strings.HasPrefix(words[0].Text, "ja"):
		return "de"
	}
	return "en"
}

func (p *polyglot) Partial(ctx context.Context, a engine.Ask, latest func() (engine.Window, engine.Prefix)) (h engine.Hypothesis, err error) {
	var language string
	h, err = p.Recognizer.Partial(ctx, a, func() (engine.Window, engine.Prefix) {
		w, prefix := latest()
		language = p.language(w)
		return w, prefix
	})
	h.Language = language
	return h, err
}

func (p *polyglot) Final(ctx context.Context, a engine.Ask, w engine.Window, prefix engine.Prefix) (engine.Transcript, error) {
	t, err := p.Recognizer.Final(ctx, a, w, prefix)
	t.Language = p.language(w)
	return t, err
}

func TestTwoLanguagesInOneSession(t *testing.T) {
	var p *polyglot
	bubble(t, reader(40*time.Millisecond), &enginetest.Synthesizer{}, func(c *session.Config) {
		c.Services.Model = session.Model{Name: "test"}
		p = &polyglot{Recognizer: c.Services.Recognizer}
		c.Services.Recognizer = p
	}, func(f *fixture) {
		f.start(stream.Patch{})
		for _, c := range []struct{ text, language string }{
			{"turn on the light in the kitchen and in the hall as well please thank you.", "en"},
			{"ja mach bitte das licht in der küche und im flur wieder aus vielen dank auch.", "de"},
			{"and now good night.", "en"},
		} {
			p.asked = nil
			f.play(speech(c.text), streamtest.Hush(time.Second))
			if final := await[stream.Final](f); final.Text != c.text || final.Language != c.language {
				f.Errorf("final %+v", final)
			}
			synctest.Wait()
			if p.asked[0] != "" {
				f.Errorf("an utterance began in %q", p.asked[0])
			}
			if n := len(p.asked); n > 6 && (p.asked[n-1] != c.language || p.asked[3] != c.language && p.asked[5] != c.language) {
				f.Errorf("the language is not locked: %q", p.asked)
			}
		}
	})
}

// changeable hears every word as something else in a final that is free.
type changeable struct{ session.Recognizer }

func (c changeable) Final(ctx context.Context, a engine.Ask, w engine.Window, p engine.Prefix) (engine.Transcript, error) {
	t, err := c.Recognizer.Final(ctx, a, w, p)
	for i := len(p); i < len(t.Words); i++ {
		t.Words[i].Text = strings.ToUpper(t.Words[i].Text)
	}
	return t, err
}

func TestTheFinalPolicyDecidesWhetherPromisesBind(t *testing.T) {
	const said = "turn on the light in the kitchen now"
	for _, policy := range []stream.FinalPolicy{stream.FinalStable, stream.FinalBest} {
		t.Run(string(policy), func(t *testing.T) {
			bubble(t, reader(10*time.Millisecond), &enginetest.Synthesizer{}, func(c *session.Config) {
				c.Services.Recognizer = changeable{c.Services.Recognizer}
			}, func(f *fixture) {
				f.start(stream.Patch{Final: &policy})
				f.play(speech(said), streamtest.Hush(time.Second))
				stable := ""
				for {
					switch ev := f.next().(type) {
					case stream.Partial:
						if !strings.HasPrefix(ev.Stable, stable) {
							f.Errorf("stable %q became %q", stable, ev.Stable)
						}
						stable = ev.Stable
						continue
					case stream.Final:
						best := policy == stream.FinalBest && ev.Text == strings.ToUpper(said) && ev.Revised
						kept := policy == stream.FinalStable && strings.HasPrefix(ev.Text, stable) && strings.EqualFold(ev.Text, said) && !ev.Revised
						if !best && !kept || !strings.HasPrefix(stable, "turn") {
							f.Errorf("final %q, revised %v, after stable %q", ev.Text, ev.Revised, stable)
						}
					default:
						continue
					}
					break
				}
			})
		})
	}
}
