package engine

import (
	"math"
	"time"
)

const (
	// loadMemory is how far back the load looks: some paces, so that the pace
	// does not swing with its own effect, and few enough to follow a rush.
	loadMemory = 5 * time.Second
	// talkMemory is how far back the number of talkers looks: many utterances.
	talkMemory = 60 * time.Second
	// loadMost bounds what refused work can add up to.
	loadMost = 4

	// paceFast and paceSlow bound the pace.
	paceFast = 500 * time.Millisecond
	paceSlow = 2 * time.Second
)

// load measures how busy the slots are. It is pure: time is handed in and never
// goes back.
type load struct {
	slots float64
	knee  float64 // load up to which the pace is fast
	at    time.Time
	busy  float64 // share of the slots that run, fading
	work  float64 // seconds of decoding started or refused per second, fading
	must  float64 // of work, that of finals, speculative ones too
	heard float64 // seconds of speech in finals per second, fading: how many talk
}

// pass accounts for the time up to now, in which so many slots ran.
func (l *load) pass(now time.Time, running int) {
	if l.at.IsZero() {
		l.at = now
	}
	dt := now.Sub(l.at).Seconds()
	if dt <= 0 {
		return
	}
	l.at = now
	keep := math.Exp(-dt / loadMemory.Seconds())
	l.busy = l.busy*keep + float64(running)/l.slots*(1-keep)
	l.work *= keep
	l.must *= keep
	l.heard *= math.Exp(-dt / talkMemory.Seconds())
}

// want counts work that was asked for: it is done now, or refused.
func (l *load) want(c Class, cost time.Duration) {
	rate := cost.Seconds() / loadMemory.Seconds()
	l.work = min(l.work+rate, loadMost*l.slots)
	if !c.partial() {
		l.must = min(l.must+rate, loadMost*l.slots)
	}
}

// hear counts a finished utterance.
func (l *load) hear(length time.Duration) { l.heard += length.Seconds() / talkMemory.Seconds() }

// rho is the load: 0 idle, 1 all slots busy, more where work is refused. The
// share of busy slots alone never says by how much too much is asked.
func (l *load) rho() float64 { return max(l.busy, l.work/l.slots) }

// finals is the part of the load that partials cannot give way to.
func (l *load) finals() float64 { return l.must / l.slots }

// pace is how much new audio a partial is worth at this load: work per second
// falls with the pace, so the square of the load settles it (rho^3 ~ demand^2
// above the knee) where a step would swing.
func (l *load) pace() time.Duration {
	over := max(1, l.rho()/l.knee)
	return min(paceSlow, time.Duration(float64(paceFast)*over*over))
}
