package load

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"parley/cmd/internal/material"
)

// Schedule says what sessions do.
type Schedule struct {
	Sessions int
	Duration time.Duration // of each; the silence after the last utterance comes on top
	Talk     float64       // share of the time in which somebody speaks, over 0 to 0.9
	Seed     uint64
}

// MaxTalk is the most talk there can be beside the silence that parts utterances.
const MaxTalk = 0.9

// Validate names what cannot be.
func (s Schedule) Validate() error {
	switch {
	case s.Sessions < 1 || s.Sessions > 10_000:
		return fmt.Errorf("--sessions: %d is outside 1 to 10000", s.Sessions)
	case s.Duration < time.Second || s.Duration > 4*time.Hour:
		return fmt.Errorf("--duration: %v is outside 1s to 4h", s.Duration)
	case !(s.Talk > 0 && s.Talk <= MaxTalk):
		return fmt.Errorf("--talk: %g is not above 0 and at most %g", s.Talk, MaxTalk)
	}
	return nil
}

// Plan is what one session does.
type Plan struct {
	Begin      time.Duration // after the run began
	Frames     int           // how long it sends
	Places     []Place       // in order
	Utterances []Utterance   // in order
}

// Place puts a clip into a session.
type Place struct{ Clip, Frame int }

// Utterance is speech between two silences that are long enough to end it.
type Utterance struct {
	Start, End time.Duration // of speech, in media time
	Text       string        // "" where nobody knows
}

const (
	// silence between utterances is never shorter: any server must have noticed
	// the end of the one before the next begins.
	silence = 1500 * time.Millisecond
	// tail of silence after the last utterance.
	tail = 2 * time.Second
	// breath between the clips of one utterance.
	breath = 120 * time.Millisecond
)

// Plans makes a plan for each session, the same for the same seed: utterances in
// random order, parted by random silences so that the share of talk holds. Where
// that share leaves less than 1.5 s of silence after a clip, several clips
// follow each other as one utterance. Sessions begin one after the other within
// the length of an average utterance and the silence after it.
func (s Schedule) Plans(clips []material.Clip) []Plan {
	var speech time.Duration
	for _, c := range clips {
		speech += c.Speech()
	}
	cycle := max(silence, time.Duration(float64(speech)/float64(len(clips))/s.Talk))
	plans := make([]Plan, s.Sessions)
	for i := range plans {
		w := &writer{clips: clips, talk: s.Talk, random: rand.New(rand.NewPCG(s.Seed, uint64(i)))}
		plans[i] = w.plan(s.Duration)
		plans[i].Begin = cycle * time.Duration(i) / time.Duration(s.Sessions)
	}
	return plans
}

// writer writes one plan.
type writer struct {
	clips  []material.Clip
	talk   float64
	random *rand.Rand
	deck   []int // clips still to be dealt before they are mixed again
	owed   time.Duration
}

func (w *writer) plan(length time.Duration) (p Plan) {
	at := frames(time.Duration((0.2 + w.random.Float64()) * float64(silence)))
	for {
		places, u, end := w.utterance(at)
		if len(p.Utterances) > 0 && u.End > length {
			p.Frames = max(frames(length), frames(p.Utterances[len(p.Utterances)-1].End+tail))
			return p
		}
		p.Places, p.Utterances = append(p.Places, places...), append(p.Utterances, u)
		at = max(end, frames(u.End+w.gap(u.End-u.Start)))
	}
}

// utterance puts clips one after the other until they deserve a silence.
func (w *writer) utterance(at int) (places []Place, u Utterance, end int) {
	var texts []string
	known := true
	for {
		i := w.deal()
		c := w.clips[i]
		from := time.Duration(at) * material.Frame
		if len(places) == 0 {
			u.Start = from + c.Start
		}
		u.End = from + c.End
		places = append(places, Place{Clip: i, Frame: at})
		texts, known = append(texts, c.Text), known && c.Text != ""
		end = at + c.Frames()
		if w.quiet(u.End-u.Start) >= silence {
			break
		}
		at = end + frames(breath)
	}
	if known {
		u.Text = strings.Join(texts, " ")
	}
	return places, u, end
}

// quiet is the silence that so much speech deserves.
func (w *writer) quiet(speech time.Duration) time.Duration {
	return time.Duration(float64(speech) * (1 - w.talk) / w.talk)
}

// gap is a random silence; what it has too much or too little is made up for
// by the next ones.
func (w *writer) gap(speech time.Duration) time.Duration {
	w.owed += w.quiet(speech)
	gap := max(silence, time.Duration((0.5+w.random.Float64())*float64(w.owed)))
	w.owed -= gap
	return gap
}

// deal gives every clip once before any comes again.
func (w *writer) deal() int {
	if len(w.deck) == 0 {
		w.deck = w.random.Perm(len(w.clips))
	}
	i := w.deck[0]
	w.deck = w.deck[1:]
	return i
}

// frames that cover a time.
func frames(d time.Duration) int { return int((d + material.Frame - 1) / material.Frame) }
