package vad

import (
	"math/rand/v2"
	"testing"
)

// oracle checks what every Segmenter promises, whatever it is fed.
type oracle struct {
	t        *testing.T
	s        *Segmenter
	pos      int64 // samples pushed
	total    int64 // samples the caller claimed at most
	last     int64 // end of the last utterance
	kept     int64
	open     *Event // Start of the utterance in progress
	paused   bool
	pausedAt int64 // where speech ended before the pause
	held     int   // ms of silence asked for in the pause in progress; 0 none
	cutAt    int64 // end of an utterance cut at the maximum by this Push, else -1
	longest  int64 // bound on an utterance: the largest maximum since it began
	run      int   // speech frames since the last command or silence
	runStart int64
}

func newOracle(t *testing.T) *oracle {
	return &oracle{t: t, s: mustNew(t, nil), cutAt: -1, longest: samples(DefaultConfig().MaxUtteranceMS)}
}

func (o *oracle) push(p float32) {
	o.pos += FrameSize
	o.total = max(o.total, o.pos)
	o.cutAt = -1
	for _, e := range o.s.Push(p) {
		o.event(e)
	}
	if o.cutAt >= 0 && o.open == nil && o.s.Keep() != o.cutAt {
		o.t.Fatalf("cut at %d, but audio is kept from %d", o.cutAt, o.s.Keep())
	}
	o.follow(p)
	o.check()
	if o.paused && o.s.cfg.Mode == Server && o.pos-o.pausedAt >= int64(frames(o.silence()))*FrameSize {
		o.t.Fatalf("at %d: silent from %d on, %d ms would have been enough", o.pos, o.pausedAt, o.silence())
	}
}

// silence is how much of it ends the utterance, in ms.
func (o *oracle) silence() int {
	if o.held != 0 {
		return o.held
	}
	return o.s.cfg.SilenceMS
}

func (o *oracle) hold(ms int) {
	o.s.Hold(ms)
	if o.paused && o.s.cfg.Mode == Server {
		o.held = ms
	}
}

// follow makes sure that a run of speech long enough is inside an utterance.
func (o *oracle) follow(p float32) {
	if !(p >= o.s.cfg.Threshold) {
		o.run = 0
		return
	}
	if o.run == 0 {
		o.runStart = o.pos - FrameSize
	}
	o.run++
	need, _ := o.s.cfg.onset()
	if o.run < need {
		return
	}
	from, ok := o.s.Speaking()
	if !ok {
		o.t.Fatalf("at %d: %d frames of speech and no utterance", o.pos, o.run)
	}
	if o.run == need && from > max(o.runStart, o.last) {
		o.t.Fatalf("at %d: speech from %d is cut off, the utterance begins at %d", o.pos, o.runStart, from)
	}
}

func (o *oracle) stop(stop func(int64) (Event, bool), claim int64) {
	e, ok := stop(claim)
	o.total = max(o.total, e.To)
	if ok != (o.open != nil) {
		o.t.Fatalf("at %d: %+v, %v, but in an utterance: %v", o.pos, e, ok, o.open != nil)
	}
	if e.To < o.pos || e.To >= o.pos+FrameSize || e.From > e.To {
		o.t.Fatalf("at %d: claimed %d, got %+v", o.pos, claim, e)
	}
	if ok {
		o.event(e)
	} else if e.Voiced != 0 {
		o.t.Fatalf("at %d: %+v is voiced without speech", o.pos, e)
	}
	if ok || e.Reason != ByCommit || o.s.cfg.Mode == Manual {
		o.run, o.last = 0, e.To
	}
	o.check()
}

func (o *oracle) update(cfg Config) {
	if err := o.s.Update(cfg); err != nil {
		o.t.Fatal(err)
	}
	o.longest = max(o.longest, samples(cfg.MaxUtteranceMS))
	o.run = 0
}

func (o *oracle) event(e Event) {
	bad := func(why string) { o.t.Helper(); o.t.Fatalf("at %d: %+v: %s (open %+v)", o.pos, e, why, o.open) }
	if e.From < o.last || e.To < e.From || e.To > o.total || e.At < e.From || e.At > e.To {
		bad("range or position")
	}
	if e.From < o.kept {
		bad("names audio already forgotten")
	}
	if e.Voiced <= 0 || e.Voiced > e.To-e.From {
		bad("voiced")
	}
	if (e.Kind == End) != (e.Reason != "") {
		bad("reason")
	}
	if (o.open == nil) != (e.Kind == Start) {
		bad("out of order")
	}
	switch e.Kind {
	case Start:
		if o.cutAt >= 0 && e.From != o.cutAt {
			bad("does not go on where the last was cut")
		}
		o.open, o.paused = &e, false
	case Pause, Resume:
		if o.paused != (e.Kind == Resume) {
			bad("pause and resume do not alternate")
		}
		o.paused, o.pausedAt, o.held = !o.paused, e.At, 0
	case End:
		if e.To-e.From > o.longest {
			bad("too long")
		}
		if e.Reason == ByVAD && (o.s.cfg.Mode != Server || o.pos-e.At < samples(o.silence())) {
			bad("ended too early")
		}
		o.open, o.last, o.paused, o.held = nil, e.To, false, 0
		if e.Reason == ByMaxLen {
			o.cutAt = e.To // what is left may still be longer than a lowered maximum
		} else {
			o.longest = samples(o.s.cfg.MaxUtteranceMS)
		}
	default:
		bad("kind")
	}
}

func (o *oracle) check() {
	keep := o.s.Keep()
	from, ok := o.s.Speaking()
	if keep < o.kept || keep > o.total || keep < o.last {
		o.t.Fatalf("at %d: Keep went from %d to %d, the last utterance ended at %d", o.pos, o.kept, keep, o.last)
	}
	if ok != (o.open != nil) || ok && from < o.open.From {
		o.t.Fatalf("at %d: Speaking says %d, %v; told %+v", o.pos, from, ok, o.open)
	}
	if o.pos-keep > max(o.longest, samples(90000)) {
		o.t.Fatalf("at %d: audio is kept from %d", o.pos, keep)
	}
	o.kept = keep
}

// step feeds one byte of a script: mostly runs of frames, sometimes a command.
func (o *oracle) step(op, arg byte) {
	level := []float32{0, 0.02, 0.2, 0.4, 0.55, 0.9, 1}
	switch op % 16 {
	case 0:
		o.stop(o.s.Commit, o.pos+int64(arg)*2)
	case 1:
		o.stop(o.s.Clear, o.pos+int64(arg)*5-100)
	case 2:
		o.stop(o.s.End, int64(arg))
	case 3:
		o.update(Config{
			Mode:           []Mode{Server, Server, Manual}[arg%3],
			Threshold:      0.3 + float32(arg%5)/8,
			PrefixMS:       int(arg) * 13,
			SilenceMS:      10 + int(arg)*int(arg)/7,
			MinSpeechMS:    int(arg) * 3,
			MaxUtteranceMS: 5000 + int(arg)*333,
		})
	case 5:
		o.hold([]int{0, 10, 64, 200, 1100, 9000, 10000}[arg%7])
	case 4, 12, 13:
		for i := range int(arg) * 4 { // a long stretch with short dips
			o.push(level[5-i%8/7*(i/8%5)])
		}
	default:
		for range arg%40 + 1 {
			o.push(level[int(op/16)%len(level)])
		}
	}
}

func TestSegmenterProperties(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		o := newOracle(t)
		for range 400 {
			op := byte(r.Uint32())
			if r.IntN(3) > 0 { // fewer commands, so that utterances grow long
				op |= 8
			}
			o.step(op, byte(r.Uint32()))
		}
		o.stop(o.s.End, o.pos+int64(r.IntN(FrameSize)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzSegmenter(f *testing.F) {
	f.Add([]byte("\x55\x10\x05\x20\x00\x07"))
	f.Fuzz(func(t *testing.T, script []byte) {
		o := newOracle(t)
		for i := 0; i+1 < len(script) && o.pos < 20000*FrameSize; i += 2 {
			o.step(script[i], script[i+1])
		}
		o.stop(o.s.End, o.pos)
	})
}
