package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

// world answers effects at random, as workers and a client would, and checks
// what design holds of every session.
type world struct {
	r   *rand.Rand
	s   *state
	now time.Duration

	utt      int // utterances so far; the last one may be open
	speaking bool
	length   time.Duration

	guesses  []guess       // running partial decodes
	deciding []int         // running final decodes
	mouth    *open         // the live mouth
	said     time.Duration // audio the mouth has made

	begun    map[int]bool
	ended    map[int]bool
	stable   map[int]string
	speeches map[string]bool // true while no terminal was seen
	finished bool
	faults   []string
}

func newWorld(seed uint64) *world {
	return &world{r: rand.New(rand.NewPCG(seed, 1)), s: newState("sess_walk", stream.DefaultLimits()),
		begun: map[int]bool{}, ended: map[int]bool{}, stable: map[int]string{}, speeches: map[string]bool{}}
}

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// give lets the state take a fact and the world carry out the effects.
func (w *world) give(in input) {
	w.now += time.Duration(w.r.IntN(200)) * time.Millisecond
	effects := w.s.step(w.now, in)
	if w.finished && len(effects) > 0 {
		w.fault("%d effects after the end, of %T", len(effects), in)
	}
	for _, e := range effects {
		w.apply(e)
	}
}

func (w *world) apply(e effect) {
	switch e := e.(type) {
	case emit:
		w.told(e.event)
	case guess:
		w.guesses = append(w.guesses, e)
	case decide:
		if w.deciding = append(w.deciding, e.utt); len(w.deciding) > 1 {
			w.fault("two final decodes at once: %v", w.deciding)
		}
	case abandon:
		keep := w.guesses[:0]
		for _, g := range w.guesses {
			if g.utt != e.utt || w.r.IntN(4) == 0 { // a cancelled decode may still come back
				keep = append(keep, g)
			}
		}
		w.guesses = keep
	case open:
		if w.mouth != nil {
			w.fault("two live replies: epochs %d and %d", w.mouth.epoch, e.epoch)
		}
		w.mouth, w.said = &e, 0
	case hush:
		if w.mouth != nil && w.mouth.epoch == e.epoch {
			w.mouth = nil
		}
	case finish:
		if w.finished {
			w.fault("finished twice")
		}
		w.finished = true
	}
}

func (w *world) told(ev stream.Event) {
	terminal := func(utt int) {
		if !w.begun[utt] || w.ended[utt] {
			w.fault("%T of utterance %d, begun %v, ended %v", ev, utt, w.begun[utt], w.ended[utt])
		}
		w.ended[utt] = true
	}
	switch ev := ev.(type) {
	case stream.SpeechStarted:
		if w.begun[ev.Utterance] {
			w.fault("utterance %d began twice", ev.Utterance)
		}
		w.begun[ev.Utterance] = true
	case stream.Partial:
		if w.ended[ev.Utterance] {
			w.fault("partial of %d after its end", ev.Utterance)
		}
		if !strings.HasPrefix(ev.Stable, w.stable[ev.Utterance]) {
			w.fault("stable %q became %q", w.stable[ev.Utterance], ev.Stable)
		}
		w.stable[ev.Utterance] = ev.Stable
	case stream.Final:
		terminal(ev.Utterance)
		if !strings.HasPrefix(ev.Text, w.stable[ev.Utterance]) {
			w.fault("final %q does not begin with %q", ev.Text, w.stable[ev.Utterance])
		}
	case stream.Failed:
		terminal(ev.Utterance)
	case stream.Cleared:
		if ev.Utterance != 0 {
			terminal(ev.Utterance)
		}
	case stream.SpeakStarted:
		w.live(ev, ev.Speech)
	case stream.SpeakAudio:
		w.live(ev, ev.Speech)
	case stream.SpeakMark:
		w.live(ev, ev.Speech)
	case stream.SpeakDone:
		w.live(ev, ev.Speech)
		w.speeches[ev.Speech] = false
	}
}

func (w *world) live(ev stream.Event, speech string) {
	if !w.speeches[speech] {
		w.fault("%T of speech %q, which is not live", ev, speech)
	}
}

var vocabulary = strings.Fields("set a timer for ten minutes and turn off the light in kitchen please")

func (w *world) hypothesis() []engine.Word {
	n := w.r.IntN(len(vocabulary))
	out := words(strings.Join(vocabulary[:n], " "))
	for i := range out {
		if w.r.IntN(6) == 0 {
			out[i].Text = vocabulary[w.r.IntN(len(vocabulary))]
		}
	}
	return out
}

// act makes one thing happen.
func (w *world) act() {
	switch w.r.IntN(14) {
	case 0, 1:
		w.voice()
	case 2, 3, 4:
		if w.speaking {
			w.length += time.Duration(w.r.IntN(600)) * time.Millisecond
			w.give(heard{w.utt, samples(w.length)})
		}
	case 5, 6:
		if len(w.guesses) > 0 {
			g := w.guesses[0]
			w.guesses = w.guesses[1:]
			w.give(guessed{utt: g.utt, epoch: g.epoch, hyp: engine.Hypothesis{Words: w.hypothesis()}, err: w.mishap()})
		}
	case 7, 8:
		if len(w.deciding) > 0 {
			utt := w.deciding[0]
			w.deciding = nil
			w.give(decided{utt: utt, t: engine.Transcript{Words: w.hypothesis()}, err: w.mishap()})
		}
	case 9:
		w.text()
	case 10, 11:
		w.speak()
	case 12:
		w.give(ticked{})
	case 13:
		w.whim()
	}
}

func (w *world) mishap() error {
	if w.r.IntN(8) == 0 {
		return errors.New("broken")
	}
	return nil
}

// voice begins or ends an utterance.
func (w *world) voice() {
	if !w.speaking {
		w.utt++
		w.speaking, w.length = true, 0
		w.give(onset{utt: w.utt})
		return
	}
	w.speaking = false
	if w.r.IntN(6) == 0 {
		w.give(cleared{utt: w.utt})
		return
	}
	w.give(ended{utt: w.utt, audio: samples(w.length), voiced: w.r.IntN(5) > 0, reason: "vad"})
}

func (w *world) text() {
	id := fmt.Sprint("sp", w.r.IntN(4))
	if open, known := w.speeches[id]; known && !open {
		return // clients do not use an id again
	}
	if w.s.phase == live {
		w.speeches[id] = true
	}
	w.give(asked{stream.Speak{Speech: id, Text: "some text", More: w.r.IntN(3) == 0, Replace: w.r.IntN(5) == 0}})
}

// speak makes the mouth go on.
func (w *world) speak() {
	if w.mouth == nil {
		return
	}
	epoch := w.mouth.epoch
	switch w.r.IntN(5) {
	case 0:
		w.give(opened{epoch, codec.Format{Encoding: codec.Opus}})
	case 1:
		w.mouth = nil
		w.give(mute{epoch, w.mishap()})
	default:
		w.said += 20 * time.Millisecond
		w.give(uttered{epoch: epoch, at: w.said, dur: 20 * time.Millisecond, marks: []engine.Mark{{From: 0, To: 2, At: w.said}}})
	}
}

// whim is what clients and operators do once in a while.
func (w *world) whim() {
	switch w.r.IntN(26) {
	case 24:
		w.give(aged{})
	case 25:
		if w.r.IntN(4) == 0 {
			w.give(cut{errors.New("the server stops")})
		}
	case 0:
		w.give(asked{stream.End{}})
	case 1:
		w.give(drained{})
	case 2:
		w.give(refused{stream.Fatalf(stream.BadRequest, "", "bad")})
	case 3:
		w.give(asked{stream.CancelSpeak{}})
	case 4, 5:
		w.give(asked{stream.CancelSpeak{Speech: fmt.Sprint("sp", w.r.IntN(4))}})
	case 6, 7:
		w.give(asked{stream.Played{Speech: fmt.Sprint("sp", w.r.IntN(4)), At: w.said}})
	case 8:
		w.give(refused{stream.Errorf(stream.BadRequest, "", "odd")})
	case 9:
		w.give(idled{})
	default:
		w.give(progress{to: w.now})
	}
}

// settle lets everything run out and checks that nothing is owed.
func (w *world) settle() {
	if w.speaking {
		w.voice()
	}
	w.give(asked{stream.End{}})
	for range 500 {
		if w.finished {
			break
		}
		if len(w.deciding) > 0 {
			utt := w.deciding[0]
			w.deciding = nil
			w.give(decided{utt: utt})
		}
		if w.mouth != nil {
			epoch := w.mouth.epoch
			w.mouth = nil
			w.give(mute{epoch, nil})
		}
	}
	if !w.finished {
		w.fault("the session did not end")
	}
	for utt := range w.begun {
		if !w.ended[utt] {
			w.fault("utterance %d has no terminal event", utt)
		}
	}
	for id, open := range w.speeches {
		if open {
			w.fault("speech %s has no terminal event", id)
		}
	}
}

func walk(t *testing.T, seed uint64, steps int) {
	t.Helper()
	w := newWorld(seed)
	w.give(configured{start: true, cfg: stream.DefaultConfig()})
	for range steps {
		w.act()
	}
	w.settle()
	for _, f := range w.faults {
		t.Errorf("seed %d: %s", seed, f)
	}
}

// TestRandomWalksHoldTheInvariants is the property test of the state machine.
func TestRandomWalksHoldTheInvariants(t *testing.T) {
	for seed := range uint64(200) {
		walk(t, seed, 300)
		if t.Failed() {
			return
		}
	}
}

func FuzzWalk(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) { walk(t, seed, int(steps)%2000) })
}
