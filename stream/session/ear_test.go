package session

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"parley/codec"
	"parley/stream"
	"parley/vad"
)

// ordinals decodes a payload that says how many samples it holds; the value of
// each sample is its ordinal in the session, from 1, so that losing or doubling
// one shows. Concealed samples are 0.
type ordinals struct{ n *float32 }

func (d ordinals) Decode(dst []float32, payload []byte) ([]float32, error) {
	if len(payload) != 2 {
		return dst, codec.ErrMalformed
	}
	for range binary.BigEndian.Uint16(payload) {
		*d.n++
		dst = append(dst, *d.n)
	}
	return dst, nil
}

func (d ordinals) Conceal(dst []float32, n int, _ []byte) ([]float32, error) {
	return append(dst, make([]float32, n)...), nil
}

func (d ordinals) Flush(dst []float32) ([]float32, error) { return dst, nil }

// moody is a detector that changes its mind at random, in stretches.
type moody struct {
	r *rand.Rand
	p float32
}

func (d *moody) Probability([]float32) (float32, error) {
	if d.r.IntN(30) == 0 {
		d.p = d.r.Float32()
	}
	return d.p, nil
}
func (d *moody) Reset()       {}
func (d *moody) Close() error { return nil }

// hearing drives an ear at random and checks the facts it tells.
type hearing struct {
	*testing.T
	open    bool // an utterance is open
	utt     int
	to      time.Duration // end of the last one
	highest float32       // ordinal heard last
	ended   int
}

func (h *hearing) tell(in input) {
	switch in := in.(type) {
	case onset:
		if h.open || in.utt != h.utt+1 {
			h.Errorf("onset of %d after %d, open %v", in.utt, h.utt, h.open)
		}
		h.open, h.utt = true, in.utt
	case heard:
		if !h.open || in.utt != h.utt {
			h.Errorf("heard %d while %d is open: %v", in.utt, h.utt, h.open)
		}
		h.ascending(in.audio, h.highest)
	case ended:
		if !h.open || in.utt != h.utt {
			h.Errorf("end of %d while %d is open: %v", in.utt, h.utt, h.open)
		}
		if in.from < h.to {
			h.Errorf("utterance %d begins at %v, before the end of the last one at %v", in.utt, in.from, h.to)
		}
		if n := codec.Samples(in.to-in.from+time.Microsecond, codec.SpeechRate); n != len(in.audio) {
			h.Errorf("utterance %d has %d samples, its times say %d", in.utt, len(in.audio), n)
		}
		h.highest = h.ascending(in.audio, h.highest)
		h.open, h.to = false, in.to
		h.ended++
	case cleared:
		if in.utt != 0 {
			h.open = false
		}
	}
}

// ascending checks that no decoded sample is missing or doubled within audio,
// and that all come after the last utterance's.
func (h *hearing) ascending(audio []float32, after float32) float32 {
	last := float32(0)
	for _, x := range audio {
		if x == 0 {
			continue
		}
		if last != 0 && x != last+1 || x <= after {
			h.Fatalf("sample %v follows %v, the last utterance ended with %v", x, last, after)
		}
		last = x
	}
	return max(last, after)
}

func TestNoSampleIsLostOrHeardTwice(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 7))
		h := &hearing{T: t}
		var ordinal float32
		e := &ear{
			open: func(codec.Format) (codec.Decoder, error) { return ordinals{&ordinal}, nil },
			det:  &moody{r: r}, tell: h.tell, deaf: func() bool { return false }, order: func() *hold { return nil },
		}
		cfg := stream.DefaultConfig()
		cfg.VAD.MaxUtteranceMS = 5000
		if r.IntN(3) == 0 {
			cfg.VAD.Mode = vad.Manual
		}
		if err := e.configure(cfg); err != nil {
			t.Fatal(err)
		}
		a := stream.Audio{HasSeq: true}
		for range 1500 {
			n := r.IntN(2000)
			a.Payload = binary.BigEndian.AppendUint16(nil, uint16(n))
			if err := e.hear(a); err != nil {
				if e, ok := err.(*stream.Error); !ok || e.Fatal {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			a.Seq++
			a.PTS += codec.Duration(n, codec.SpeechRate)
			switch r.IntN(60) {
			case 0:
				a.Seq += 3
				a.PTS += 60 * time.Millisecond
			case 1:
				e.commit()
			case 2:
				e.clear("")
			case 3:
				if err := e.wait(); err != nil {
					t.Fatal(err)
				}
			case 4:
				if err := e.leave(); err != nil {
					t.Fatal(err)
				}
				a.Stream++
				a.Seq, a.PTS = 0, 0
			}
		}
		if h.ended < 10 {
			t.Errorf("seed %d: only %d utterances", seed, h.ended)
		}
		if limit := int(6*time.Second/time.Millisecond) * 16 * 4; cap(e.buf) > limit {
			t.Errorf("seed %d: the ear keeps %d samples", seed, cap(e.buf))
		}
	}
}

func TestWrongCodecIsNamedAfterAFewPackets(t *testing.T) {
	var ordinal float32
	e := &ear{
		open: func(codec.Format) (codec.Decoder, error) { return ordinals{&ordinal}, nil },
		det:  &moody{r: rand.New(rand.NewPCG(1, 1))}, tell: func(input) {}, deaf: func() bool { return false }, order: func() *hold { return nil },
	}
	if err := e.configure(stream.DefaultConfig()); err != nil {
		t.Fatal(err)
	}
	for i := range maxBad {
		err := e.hear(stream.Audio{HasSeq: true, Seq: uint32(i), Payload: []byte("garbage")}).(*stream.Error)
		if last := i == maxBad-1; err.Fatal != last {
			t.Fatalf("packet %d: %+v", i, err)
		}
	}
}
