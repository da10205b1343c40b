package session

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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
	cfg stream.Config

	ear    speaker
	jobs   map[int]effect // running decodes and judgements, by epoch
	ghosts map[int]effect // cancelled ones that may still come back
	mouth  *open          // the live mouth
	said   time.Duration  // audio the mouth has made

	begun    map[int]bool
	ended    map[int]bool
	stable   map[int]string
	eager    map[int]bool    // TurnEager was told and not answered
	speeches map[string]bool // true while no terminal was seen
	finished bool
	faults   []string
	seen     map[string]int // what happened how often
}

// speaker is what the ear knows.
type speaker struct {
	utt      int // utterances so far; the last one may be open
	speaking bool
	paused   bool
	pauses   int
	at       time.Duration // where speech ended
	first    int64         // where the utterance begins
	to       int64         // samples heard
}

func newWorld(seed uint64) *world {
	return &world{r: rand.New(rand.NewPCG(seed, 1)), s: newState("sess_walk", stream.DefaultLimits()),
		jobs: map[int]effect{}, ghosts: map[int]effect{}, begun: map[int]bool{}, ended: map[int]bool{},
		seen: map[string]int{}, stable: map[int]string{}, eager: map[int]bool{}, speeches: map[string]bool{}}
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
		w.look(e.view, longest)
		w.begin(e.epoch, e)
	case show:
		g, ok := w.jobs[e.epoch].(guess)
		if !ok {
			w.fault("something to look at for guess %d, which is not running", e.epoch)
		}
		w.look(e.view, longest)
		g.view = e.view
		w.jobs[e.epoch] = g
	case foresee:
		w.look(e.view, 90*time.Second)
		w.begin(e.epoch, e)
		if u := w.s.owing(e.utt); u.ahead.piece {
			w.seen["piece"]++
		}
	case decide:
		if e.view.from > w.ear.first && w.s.hearing == nil {
			w.seen["cut final"]++
		}
		w.look(e.view, 90*time.Second)
		w.begin(e.epoch, e)
	case judge:
		w.begin(e.epoch, e)
	case abandon:
		for epoch, j := range w.jobs {
			if uttOf(j) == e.utt && (e.epoch == 0 || e.epoch == epoch) {
				delete(w.jobs, epoch)
				if w.r.IntN(4) == 0 { // a cancelled decode may still come back
					w.ghosts[epoch] = j
				}
			}
		}
	case tally:
		w.seen[e.outcome]++
	case hold:
		w.seen["hold"]++
		if !w.ear.paused || e.utt != w.ear.utt || e.pause != w.ear.pauses || e.ms < 0 || e.ms > 10000 {
			w.fault("%+v, but %+v", e, w.ear)
		}
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

func uttOf(job effect) int {
	switch j := job.(type) {
	case guess:
		return j.utt
	case foresee:
		return j.utt
	case decide:
		return j.utt
	case judge:
		return j.utt
	}
	return 0
}

// begin takes a job on and counts those of its kind.
func (w *world) begin(epoch int, job effect) {
	w.jobs[epoch] = job
	var guesses, early, finals int
	for _, j := range w.jobs {
		switch j.(type) {
		case guess:
			guesses++
		case foresee:
			early++
		case decide:
			finals++
		}
	}
	if guesses > 1 || early > 1 || finals > 1 {
		w.fault("%d partial, %d early and %d final decodes at once", guesses, early, finals)
	}
}

// look checks what a decode is given.
func (w *world) look(v view, most time.Duration) {
	if n := int64(len(v.window.Audio)); n != v.to-v.from || n == 0 || length(n) > most {
		w.fault("a window of %d samples from %d to %d", n, v.from, v.to)
	}
	if len(v.window.Audio) > 0 && v.window.Audio[0] != float32(v.from) {
		w.fault("a window from %d begins with sample %v", v.from, v.window.Audio[0])
	}
}

func (w *world) told(ev stream.Event) {
	terminal := func(utt int) {
		if !w.begun[utt] || w.ended[utt] {
			w.fault("%T of utterance %d, begun %v, ended %v", ev, utt, w.begun[utt], w.ended[utt])
		}
		w.ended[utt] = true
		w.eager[utt] = false
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
		for _, word := range slices.Concat(ev.StableWords, ev.TailWords) {
			if word.End < word.Start || word.End > ev.End {
				w.fault("%+v in a partial of %v to %v", word, ev.Start, ev.End)
			}
		}
	case stream.Final:
		terminal(ev.Utterance)
		for _, word := range ev.Words {
			if word.Start < ev.Start || word.End < word.Start || word.End > ev.End {
				w.fault("%+v in a final of %v to %v", word, ev.Start, ev.End)
			}
		}
		if ev.Revised {
			w.seen["revised"]++
		}
		begins := strings.HasPrefix(ev.Text, w.stable[ev.Utterance])
		if begins == ev.Revised || ev.Revised && w.cfg.Final != stream.FinalBest {
			w.fault("final %q after %q, revised %v, policy %s", ev.Text, w.stable[ev.Utterance], ev.Revised, w.cfg.Final)
		}
		if begins && w.stable[ev.Utterance] != "" {
			w.seen["kept promise"]++
		}
	case stream.TurnEager:
		if w.ended[ev.Utterance] || w.eager[ev.Utterance] || !w.ear.paused || ev.Probability < w.cfg.Turn.Eager || ev.Text == "" {
			w.fault("%+v, but %+v", ev, w.ear)
		}
		w.eager[ev.Utterance] = true
		w.seen["eager"]++
	case stream.TurnResumed:
		if !w.eager[ev.Utterance] || w.ended[ev.Utterance] {
			w.fault("%+v without an eager end", ev)
		}
		w.eager[ev.Utterance] = false
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

var vocabulary = strings.Fields("set a timer for ten minutes. and turn off the light in Kitchen please 你 好")

// hypothesis is what somebody says between two samples: always the same words at
// the same time, here and there misheard. Times count from the first sample.
func (w *world) hypothesis(v view) (out []engine.Word) {
	const every = 400 * time.Millisecond
	from, to := media(v.from), media(v.to)
	for i := from / every; i < to/every; i++ {
		word := engine.Word{Text: vocabulary[int(i*7)%len(vocabulary)], Start: i*every - from, End: (i+1)*every - from, P: 0.2 + w.r.Float32()}
		if w.r.IntN(10) == 0 {
			word.Text = vocabulary[w.r.IntN(len(vocabulary))]
		}
		if w.r.IntN(50) == 0 {
			word.Text = word.Text[:len(word.Text)-1] // half a character, perhaps
		}
		out = append(out, word)
	}
	if w.r.IntN(10) == 0 {
		out = out[:w.r.IntN(len(out)+1)]
	}
	return out
}

// act makes one thing happen.
func (w *world) act() {
	switch w.r.IntN(16) {
	case 0:
		w.voice()
	case 1, 2, 3, 4:
		w.hear()
	case 5:
		w.fallSilent()
	case 6, 7, 8:
		w.answer(w.jobs)
	case 9:
		w.answer(w.ghosts)
	case 10:
		w.text()
	case 11, 12:
		w.speak()
	case 13:
		w.give(ticked{})
	case 14:
		w.reconfigure()
	case 15:
		if w.r.IntN(5) == 0 {
			w.whim()
		}
	}
}

func (w *world) mishap() error {
	switch w.r.IntN(16) {
	case 0:
		return errors.New("broken")
	case 1:
		return engine.ErrBusy
	}
	return nil
}

// answer lets one of some jobs come back.
func (w *world) answer(jobs map[int]effect) {
	epochs := slices.Sorted(maps.Keys(jobs))
	if len(epochs) == 0 {
		return
	}
	epoch := epochs[w.r.IntN(len(epochs))]
	job := jobs[epoch]
	delete(jobs, epoch)
	w.comeBack(job, w.mishap())
}

func (w *world) comeBack(job effect, err error) {
	switch j := job.(type) {
	case guess:
		w.give(guessed{utt: j.utt, epoch: j.epoch, from: j.view.from, to: j.view.to, err: err,
			hyp: engine.Hypothesis{Words: w.hypothesis(j.view), Language: "en"}, pace: time.Duration(w.r.IntN(2000)) * time.Millisecond})
	case foresee:
		w.give(foreseen{j.utt, j.epoch, engine.Transcript{Words: w.hypothesis(j.view)}, err})
	case decide:
		w.give(decided{j.utt, j.epoch, engine.Transcript{Words: w.hypothesis(j.view)}, err})
	case judge:
		w.give(judged{j.utt, j.epoch, w.r.Float64(), err})
	}
}

// tape is the audio of all walks.
var tape []float32

// audio is the utterance so far: each sample's value is its place in the session.
func (w *world) audio(to int64) []float32 {
	for int64(len(tape)) < to {
		tape = append(tape, float32(len(tape)))
	}
	return tape[w.ear.first:to:to]
}

// hear lets time pass in an utterance, with speech or without.
func (w *world) hear() {
	e := &w.ear
	if !e.speaking {
		e.to += int64(w.r.IntN(8000))
		return
	}
	if e.paused && w.r.IntN(3) == 0 {
		e.paused = false
		w.give(resumed{e.utt, media(e.to)})
	}
	e.to += int64(w.r.IntN(12000))
	if e.to-e.first > 85*codec.SpeechRate {
		w.voice()
		return
	}
	if w.r.IntN(400) == 0 {
		e.first += int64(w.r.IntN(int(e.to - e.first + 1))) // silence at the beginning is forgotten
	}
	w.give(heard{e.utt, e.first, w.audio(e.to)})
}

func (w *world) fallSilent() {
	e := &w.ear
	if !e.speaking || e.paused {
		return
	}
	e.paused, e.at = true, media(e.to)
	e.pauses++
	e.to += 1024
	w.give(paused{e.utt, e.pauses, e.first, w.audio(e.to), e.at, time.Duration(w.r.IntN(2000)) * time.Millisecond})
}

// voice begins or ends an utterance.
func (w *world) voice() {
	e := &w.ear
	if !e.speaking {
		e.utt++
		e.speaking, e.paused, e.first = true, false, e.to
		e.to += 3000
		w.give(onset{utt: e.utt, from: media(e.first), at: media(e.first + 1000)})
		w.give(heard{e.utt, e.first, w.audio(e.to)})
		return
	}
	if w.r.IntN(4) > 0 && e.to-e.first < 20*codec.SpeechRate {
		return // most utterances grow long
	}
	e.speaking = false
	if w.r.IntN(6) == 0 {
		w.give(cleared{utt: e.utt})
		return
	}
	to, at := e.to, media(e.to)
	if e.paused {
		at = e.at
	}
	if w.r.IntN(6) == 0 { // too long: the rest belongs to the next one
		to = e.first + int64(w.r.IntN(int(e.to-e.first)))
		at = media(to)
	}
	w.give(ended{utt: e.utt, first: e.first, audio: w.audio(to), from: media(e.first), to: media(to), at: at,
		voiced: w.r.IntN(8) > 0, reason: "vad"})
	e.to, e.paused = to, false
}

// reconfigure changes the session once in a while.
func (w *world) reconfigure() {
	if w.r.IntN(20) > 0 {
		return
	}
	w.cfg = w.config()
	w.give(configured{cfg: w.cfg})
}

func (w *world) config() stream.Config {
	c := stream.DefaultConfig()
	c.Final = []stream.FinalPolicy{stream.FinalStable, stream.FinalBest}[w.r.IntN(2)]
	c.Partials = []stream.Partials{stream.PartialsFull, stream.PartialsFull, stream.PartialsStable, stream.PartialsOff}[w.r.IntN(4)]
	c.Turn.Eager = []float64{0, 0.2, 0.8}[w.r.IntN(3)]
	c.VAD.MaxUtteranceMS = []int{5000, 30000, 90000, 90000}[w.r.IntN(4)]
	c.Words = w.r.IntN(2) == 0
	return c
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
	for w.ear.speaking {
		w.voice()
	}
	w.give(asked{stream.End{}})
	for range 500 {
		if w.finished {
			break
		}
		w.give(ticked{}) // what is heard by now makes room for what waits
		for _, epoch := range slices.Sorted(maps.Keys(w.jobs)) {
			job := w.jobs[epoch]
			delete(w.jobs, epoch)
			w.comeBack(job, nil)
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

func walk(t *testing.T, seed uint64, steps int) *world {
	t.Helper()
	w := newWorld(seed)
	w.cfg = w.config()
	w.s.judges = w.r.IntN(2) == 0
	w.give(configured{start: true, cfg: w.cfg})
	for range steps {
		w.act()
	}
	w.settle()
	for _, f := range w.faults {
		t.Errorf("seed %d: %s", seed, f)
	}
	return w
}

// TestRandomWalksHoldTheInvariants is the property test of the state machine.
func TestRandomWalksHoldTheInvariants(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(1000) {
		for what, n := range walk(t, seed, 400).seen {
			seen[what] += n
		}
		if t.Failed() {
			return
		}
	}
	t.Log(seen)
	for _, what := range []string{"kept promise", "revised", "eager", "hold", "piece", "cut final", "hit", "late", "cancelled", "refused", "failed"} {
		if seen[what] < 20 {
			t.Errorf("%s: only %d times, the walks prove little", what, seen[what])
		}
	}
}

func FuzzWalk(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) { walk(t, seed, int(steps)%2000) })
}
