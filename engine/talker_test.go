package engine

import (
	"errors"
	"time"
)

// talker is a simulated session as stream/session is one: at most one partial
// is out, asked for when a pace of new audio is there; a speculative final at the
// first pause; the final when the pause has lasted, unless the speculative one
// was of the same audio.
type talker struct {
	m        *sim
	name     string
	seen     *tally
	mean     time.Duration // of an utterance
	pause    time.Duration // mean, between utterances
	falls    float64       // share of pauses after which it goes on talking
	window   time.Duration // most audio of a partial, 0 all
	eager    bool          // wants the next partial at once
	begun    time.Time     // of the utterance
	speaking bool
	tried    time.Duration // of the audio of the last partial asked for
	out      *ticket       // the partial
	first    bool
	spec     *ticket
	ready    bool        // the speculative final has come
	due      func(error) // what to do when it comes, once somebody waits for it
	last     time.Time
}

// tally is what all talkers of a run saw.
type tally struct {
	final, first, age, gap   sample
	specs, hits, utterances  int
	wanted, emitted, refused int // partials at the fastest pace, got, turned down
	lost                     int // finals
	by                       map[string]time.Duration
}

const (
	tick    = 100 * time.Millisecond // in which audio comes
	hush    = 64 * time.Millisecond  // silence until the first suspicion
	silence = 500 * time.Millisecond // silence that ends an utterance
	lead    = 500 * time.Millisecond // speech before the first partial
)

func (m *sim) talker(name string, seen *tally, mean, pause time.Duration, falls float64) *talker {
	k := &talker{m: m, name: name, seen: seen, mean: mean, pause: pause, falls: falls}
	if seen.by == nil {
		seen.by = map[string]time.Duration{}
	}
	return k
}

// speak begins an utterance; after it comes a pause, and so on.
func (k *talker) speak() {
	k.begun, k.speaking, k.first, k.tried, k.last = k.m.now, true, true, 0, time.Time{}
	k.seen.utterances++
	length := min(max(k.m.exp(k.mean), 600*time.Millisecond), 28*time.Second)
	k.m.after(tick, k.listen)
	k.m.after(length+hush, k.suspect)
}

func (k *talker) heard() time.Duration { return k.m.now.Sub(k.begun) }

// listen asks for a partial where it is due, and looks again when it may be: each
// utterance has one listener, which sleeps while its partial is out.
func (k *talker) listen() {
	if !k.speaking {
		return
	}
	pace := k.m.s.load.pace()
	if k.eager {
		pace = tick
	}
	wait := lead - k.heard()
	if k.tried > 0 {
		wait = k.tried + pace - k.heard()
	}
	switch {
	case k.out != nil:
		k.m.after(tick, k.listen)
	case wait > 0:
		k.m.after((wait+tick-1)/tick*tick, k.listen)
	default:
		k.guess()
	}
}

func (k *talker) guess() {
	before := k.tried
	k.tried = k.heard()
	class, begun := ClassPartial, k.begun
	if k.first {
		class = ClassFirst
	}
	var from time.Time
	k.out = &ticket{} // stands for the one that ask may end at once
	t := k.m.ask(Ask{Session: k.name, Class: class}, 0, func() time.Duration {
		from = k.m.now
		k.tried = k.heard()
		if k.window > 0 {
			return min(k.tried, k.window)
		}
		return k.tried
	}, func(err error) {
		k.out = nil
		if !from.IsZero() {
			k.seen.by[k.name] += k.m.now.Sub(from)
		}
		if begun == k.begun {
			k.m.after(tick-(k.m.now.Sub(begun)+1)%tick, k.listen)
		}
		if begun != k.begun || err != nil {
			switch {
			case errors.Is(err, ErrBusy):
				k.seen.refused++
			case begun == k.begun && errors.Is(err, ErrPreempted): // at once again
				k.tried = before
			}
			return
		}
		k.emit(from)
	})
	if k.out != nil {
		k.out = t
	}
}

func (k *talker) emit(from time.Time) {
	k.seen.emitted++
	k.seen.age.add(k.m.now.Sub(from))
	if k.first {
		k.seen.first.add(k.heard() - lead)
	} else {
		k.seen.gap.add(k.m.now.Sub(k.last))
	}
	k.first, k.last = false, k.m.now
}

// suspect is the first pause.
func (k *talker) suspect() {
	length := k.heard()
	k.seen.specs++
	k.ready, k.spec = false, &ticket{}
	t := k.m.ask(Ask{Session: k.name, Class: ClassSpeculative}, length, nil, func(err error) {
		k.spec, k.ready = nil, err == nil
		if due := k.due; due != nil {
			k.due = nil
			due(err)
		}
	})
	if k.spec != nil {
		k.spec = t
	}
	if k.m.r.Float64() < k.falls {
		k.m.after(silence/2, func() {
			if k.spec != nil {
				k.m.leave(k.spec)
			}
			k.m.after(min(max(k.m.exp(k.mean/2), 300*time.Millisecond), 10*time.Second), k.suspect)
		})
		return
	}
	k.m.after(silence-hush, func() { k.stop(length) })
}

// stop is the end of the utterance.
func (k *talker) stop(length time.Duration) {
	k.speaking = false
	asked := k.m.now
	k.m.after(max(k.m.exp(k.pause), 300*time.Millisecond), k.speak)
	if k.ready {
		k.seen.hits++
		k.seen.final.add(0)
		return
	}
	if k.out != nil {
		k.m.leave(k.out)
	}
	final := func() {
		k.m.ask(Ask{Session: k.name, Class: ClassFinal}, length, nil, func(err error) {
			if err != nil {
				k.seen.lost++
				return
			}
			k.seen.final.add(k.m.now.Sub(asked))
		})
	}
	if k.spec == nil {
		final()
		return
	}
	k.due = func(err error) {
		if err != nil {
			final()
			return
		}
		k.seen.final.add(k.m.now.Sub(asked))
	}
	k.m.s.promote(k.name)
	k.m.pump()
}
