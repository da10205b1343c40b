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

	// paceFast and paceSlow bound the pace; up to paceKnee of load it is fast.
	paceFast = 500 * time.Millisecond
	paceSlow = 2 * time.Second
	paceKnee = 0.6
)

// load measures how busy the slots are. It is pure: time is handed in and never
// goes back.
type load struct {
	slots float64
	at    time.Time
	busy  float64 // share of the slots that run, fading
	work  float64 // seconds of decoding started or refused per second, fading
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
	l.heard *= math.Exp(-dt / talkMemory.Seconds())
}

// want counts work that was asked for: it is done now, or refused.
func (l *load) want(cost time.Duration) {
	l.work = min(l.work+cost.Seconds()/loadMemory.Seconds(), loadMost*l.slots)
}

// hear counts a finished utterance.
func (l *load) hear(length time.Duration) { l.heard += length.Seconds() / talkMemory.Seconds() }

// rho is the load: 0 idle, 1 all slots busy, more where work is refused. The
// share of busy slots alone never says by how much too much is asked.
func (l *load) rho() float64 { return max(l.busy, l.work/l.slots) }

// pace is how much new audio a partial is worth at this load: work per second
// falls with the pace, so the square of the load settles it (rho^3 ~ demand^2
// above the knee) where a step would swing.
func (l *load) pace() time.Duration {
	over := max(1, l.rho()/paceKnee)
	return min(paceSlow, time.Duration(float64(paceFast)*over*over))
}
