package session

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"parley/engine"
	"parley/stream"
)

func TestQuietestFindsTheGap(t *testing.T) {
	for name, c := range map[string]struct {
		offset, scale float64
	}{
		"clean": {0, 0.3}, "with an offset": {0.4, 0.3}, "clipped": {0, 9},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		audio := make([]float32, 4*16000)
		for i := range audio {
			level := c.scale
			if i > 20000 && i < 21200 {
				level /= 50
			}
			audio[i] = float32(max(-1, min(1, c.offset+level*(r.Float64()*2-1))))
		}
		if at := quietest(audio); at < 20300 || at > 20900 {
			t.Errorf("%s: %d is not in the gap", name, at)
		}
	}
	for _, n := range []int{0, 1, 959, 960} {
		if at := quietest(make([]float32, n)); at < 0 || at > n {
			t.Errorf("%d of %d samples", at, n)
		}
	}
	if at := quietest([]float32{float32(math.NaN())}); at < 0 || at > 1 {
		t.Error(at)
	}
}

// grow lets an utterance be heard up to a length, second by second.
func grow(s *state, from, to time.Duration) (out []effect) {
	for d := from; d <= to; d += 100 * time.Millisecond {
		out = append(out, s.step(0, heard{utt: 1, audio: samples(d)})...)
	}
	return out
}

func long(t *testing.T) *state {
	most := 90_000
	s := started(t, stream.Patch{MaxUtterance: &most})
	s.step(0, onset{utt: 1})
	return s
}

// sayAll is a word each half second from one sample to another.
func sayAll(from, to int64) []engine.Word {
	out := words("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty")
	for i := range out {
		out[i].Start, out[i].End = time.Duration(i)*500*time.Millisecond, time.Duration(i+1)*500*time.Millisecond
	}
	n := min(len(out), int((media(to)-media(from))/(500*time.Millisecond)))
	return out[:n]
}

func TestALongWindowIsCutInItsLatestPause(t *testing.T) {
	s := long(t)
	grow(s, time.Second, 7*time.Second)
	s.step(0, paused{utt: 1, pause: 1, audio: samples(7064 * time.Millisecond), at: 7 * time.Second})
	s.step(0, resumed{utt: 1, at: 7300 * time.Millisecond})
	out := grow(s, 7400*time.Millisecond, 12*time.Second)
	if _, ok := find[foresee](out); ok {
		t.Fatal("a window of 12 s is cut")
	}
	f, ok := find[foresee](grow(s, 12100*time.Millisecond, 13*time.Second))
	if !ok || f.view.to != samplesIn(7064*time.Millisecond) || f.view.prefix != nil {
		t.Fatalf("piece %v: %d to %d", ok, f.view.from, f.view.to)
	}
	out = s.step(0, foreseen{utt: 1, epoch: f.epoch, t: engine.Transcript{Words: sayAll(0, f.view.to)}})
	if a, ok := find[abandon](out); !ok || a.epoch == 0 {
		t.Error("the partial of the old window goes on")
	}
	p := events(out)[0].(stream.Partial)
	if want := engine.Text(sayAll(0, f.view.to)); p.Stable != want {
		t.Errorf("stable %q, want %q", p.Stable, want)
	}
	if p.End < media(f.view.to) {
		t.Errorf("the partial ends at %v, its words at %v", p.End, media(f.view.to))
	}
	g, ok := find[guess](grow(s, 13100*time.Millisecond, 14*time.Second))
	if !ok || g.view.from != f.view.to || g.view.window.Memo == f.view.window.Memo {
		t.Errorf("the next partial looks from %d", g.view.from)
	}
	out = s.step(0, ended{utt: 1, audio: samples(15 * time.Second), to: 15 * time.Second, voiced: true})
	if d, ok := find[decide](out); !ok || d.view.from != f.view.to {
		t.Errorf("the final decodes from %d", d.view.from)
	}
}

func TestAWindowWithoutAPauseIsCutElsewhere(t *testing.T) {
	s := long(t)
	if _, ok := find[foresee](grow(s, time.Second, 20*time.Second)); ok {
		t.Fatal("a window of 20 s is cut")
	}
	f, ok := find[foresee](grow(s, 20100*time.Millisecond, 21200*time.Millisecond))
	if at := media(f.view.to); !ok || at < 8*time.Second || at > 18*time.Second {
		t.Fatalf("cut at %v", at)
	}
}

func TestAFailedCutIsTriedAgainAndThenDoneWithout(t *testing.T) {
	s := long(t)
	tried := 0
	for d := time.Second; d <= 32*time.Second; d += 100 * time.Millisecond {
		for _, e := range s.step(0, heard{utt: 1, audio: samples(d)}) {
			switch e := e.(type) {
			case foresee:
				tried++
				s.step(0, foreseen{utt: 1, epoch: e.epoch, err: engine.ErrBusy})
			case guess:
				s.step(0, guessed{utt: 1, epoch: e.epoch, from: e.view.from, to: e.view.to, hyp: engine.Hypothesis{Words: sayAll(e.view.from, e.view.to)}})
			}
		}
	}
	if tried < 5 || tried > 10 {
		t.Errorf("%d tries in 8 s", tried)
	}
	if u := s.hearing; u.window.from == 0 || length(u.end()-u.window.from) > longest {
		t.Errorf("a window of %v", length(u.end()-u.window.from))
	}
}

func TestAnEarlyFinalBecomesAPieceWhenSpeechGoesOn(t *testing.T) {
	s := long(t)
	grow(s, time.Second, 12500*time.Millisecond)
	out := s.step(0, paused{utt: 1, pause: 1, audio: samples(12600 * time.Millisecond), at: 12500 * time.Millisecond, voiced: 12 * time.Second})
	f, ok := find[foresee](out)
	if !ok {
		t.Fatal("no early final")
	}
	out = s.step(0, resumed{utt: 1, at: 13 * time.Second})
	if a, ok := find[abandon](out); ok {
		t.Errorf("cancelled %+v", a)
	}
	s.step(0, foreseen{utt: 1, epoch: f.epoch, t: engine.Transcript{Words: sayAll(0, f.view.to)}})
	if got := s.hearing.window.from; got != f.view.to {
		t.Errorf("the window begins at %d, want %d", got, f.view.to)
	}
}

func TestTheEndOfTheLongestUtteranceIsNotPromised(t *testing.T) {
	s := started(t, stream.Patch{})
	s.step(0, onset{utt: 1})
	for d := time.Second; d < 30*time.Second; d += 100 * time.Millisecond {
		out := s.step(0, heard{utt: 1, audio: samples(d)})
		if f, ok := find[foresee](out); ok && media(f.view.to) > 20*time.Second {
			t.Errorf("cut at %v", media(f.view.to))
		}
	}
	if got := media(s.certain(s.hearing)); got != 20*time.Second {
		t.Errorf("certain up to %v of 30 s", got)
	}
}

func TestAnEarlyFinalSomebodyWaitsForIsPromoted(t *testing.T) {
	s := long(t)
	grow(s, time.Second, 2*time.Second)
	audio := samples(2 * time.Second)
	var early foresee
	for _, e := range s.step(0, paused{utt: 1, pause: 1, audio: audio, at: 1900 * time.Millisecond, voiced: 1900 * time.Millisecond}) {
		if f, ok := e.(foresee); ok {
			early = f
		}
	}
	if early.epoch == 0 {
		t.Fatal("no early final")
	}
	promoted := false
	for _, e := range s.step(0, ended{utt: 1, audio: audio, to: 2 * time.Second, at: 1900 * time.Millisecond, reason: "vad", voiced: true}) {
		switch e := e.(type) {
		case promote:
			promoted = true
		case decide:
			t.Error("another final beside the early one")
		case abandon:
			if e.epoch == early.epoch {
				t.Error("the early final was called off")
			}
		}
	}
	if !promoted {
		t.Error("the early final was not promoted")
	}
}
