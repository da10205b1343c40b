package load

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/cmd/internal/material"
)

// clips of so many ms of speech, with 100 ms of silence before and after.
func clips(lengths ...int) (list []material.Clip) {
	for i, ms := range lengths {
		n := (ms + 200) / 20
		c := material.Clip{Text: fmt.Sprintf("clip %d", i), PCM: make([]float32, n*material.FrameSamples),
			Start: 100 * time.Millisecond, End: time.Duration(ms+100) * time.Millisecond}
		for k := range n {
			c.Packets = append(c.Packets, []byte{byte(i), byte(k)})
			c.PCM[k*material.FrameSamples] = 1
		}
		list = append(list, c)
	}
	return list
}

func TestTheShareOfTalkHolds(t *testing.T) {
	material := clips(900, 1400, 2000, 2600)
	for _, talk := range []float64{0.05, 0.2, 0.4, 0.7, 0.9} {
		s := Schedule{Sessions: 8, Duration: 20 * time.Minute, Talk: talk, Seed: 7}
		var speech, length time.Duration
		for _, p := range s.Plans(material) {
			for _, u := range p.Utterances {
				speech += u.End - u.Start
			}
			length += s.Duration
		}
		if got := speech.Seconds() / length.Seconds(); got < talk*0.93 || got > talk*1.07 {
			t.Errorf("talk %g became %.3f", talk, got)
		}
	}
}

func TestPlansAreSound(t *testing.T) {
	material := clips(900, 1400, 2000, 2600)
	for seed := range uint64(4) {
		for _, talk := range []float64{0.1, 0.4, 0.9} {
			s := Schedule{Sessions: 5, Duration: time.Minute, Talk: talk, Seed: seed}
			plans := s.Plans(material)
			if diff := cmp.Diff(plans, s.Plans(material)); diff != "" {
				t.Fatal("the same seed gives another plan:", diff)
			}
			for i, p := range plans {
				check(t, p, material, s)
				if i > 0 && p.Begin <= plans[i-1].Begin {
					t.Errorf("session %d begins at %v, the one before at %v", i, p.Begin, plans[i-1].Begin)
				}
			}
			if cmp.Equal(plans[0].Places, plans[1].Places) {
				t.Error("two sessions say the same at the same time")
			}
			s.Seed++
			if cmp.Equal(plans, s.Plans(material)) {
				t.Error("another seed gives the same plans")
			}
		}
	}
}

// check holds a plan against what utterances are.
func check(t *testing.T, p Plan, clips []material.Clip, s Schedule) {
	t.Helper()
	if len(p.Utterances) == 0 {
		t.Fatal("nobody says anything")
	}
	end := 0
	used := map[int]int{}
	for _, place := range p.Places {
		if place.Frame < end {
			t.Errorf("a clip at %d begins before %d, the end of the one before", place.Frame, end)
		}
		end = place.Frame + clips[place.Clip].Frames()
		used[place.Clip]++
	}
	counts := []int{}
	for i := range clips {
		counts = append(counts, used[i])
	}
	if slices.Max(counts)-slices.Min(counts) > 1 {
		t.Errorf("clips are used %v times", counts)
	}
	for i, u := range p.Utterances {
		if i > 0 && u.Start-p.Utterances[i-1].End < silence {
			t.Errorf("only %v of silence before utterance %d", u.Start-p.Utterances[i-1].End, i)
		}
		if i > 0 && u.End > s.Duration {
			t.Errorf("utterance %d ends at %v of %v", i, u.End, s.Duration)
		}
		if u.Text == "" {
			t.Error("an utterance without its text")
		}
	}
	if last := p.Utterances[len(p.Utterances)-1].End; time.Duration(p.Frames)*material.Frame < last+tail {
		t.Errorf("it ends %v after the last word", time.Duration(p.Frames)*material.Frame-last)
	}
}

func TestAnUnknownTextMakesAllUnknown(t *testing.T) {
	material := clips(900, 1000)
	material[1].Text = ""
	p := Schedule{Sessions: 1, Duration: time.Minute, Talk: 0.9, Seed: 1}.Plans(material)[0]
	for _, u := range p.Utterances {
		if u.Text != "" {
			t.Errorf("%q of several clips, of which one is not known", u.Text)
		}
	}
}

func TestBadSchedulesAreNamed(t *testing.T) {
	good := Schedule{Sessions: 1, Duration: time.Second, Talk: 0.4}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Schedule){
		func(s *Schedule) { s.Sessions = 0 },
		func(s *Schedule) { s.Duration = 999 * time.Millisecond },
		func(s *Schedule) { s.Talk = 0 },
		func(s *Schedule) { s.Talk = 0.91 },
	} {
		bad := good
		change(&bad)
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	for _, n := range []Network{{Jitter: -1}, {Jitter: time.Minute}, {Loss: -0.1}, {Loss: 0.6}} {
		if n.Validate() == nil {
			t.Errorf("%+v is taken", n)
		}
	}
}
