package engine

import (
	"fmt"
	"testing"
	"time"
)

// overload runs finals that come at random beside talkers who never stop and
// want partials of several times what the slots can do.
func overload(t *testing.T, m machine, slots int, times float64) (finals sample, seen *tally, s *sim) {
	s = newSim(t, defaultPolicy(), m, slots, 1000)
	seen = &tally{}
	window := 8 * time.Second // as a live window is trimmed
	cost := m.cost(ClassPartial, window).Seconds()
	talkers := int(times * float64(slots) * paceFast.Seconds() / cost)
	for i := range talkers {
		k := s.talker(fmt.Sprint("talker ", i), seen, 0, 0, 0)
		k.window = window
		s.after(s.exp(time.Second), func() { k.begun, k.speaking, k.first = s.now, true, true; k.listen() })
	}
	n := 0
	s.poisson(0.1*float64(slots)/m.cost(ClassFinal, 4*time.Second).Seconds(), func() {
		n++
		asked := s.now
		s.ask(Ask{Session: fmt.Sprint("final ", n)}, 4*time.Second, nil, func(err error) {
			if err != nil {
				t.Errorf("a final ended with %v", err)
			}
			finals.add(s.now.Sub(asked))
		})
	})
	s.run(1000 * m.cost(ClassFinal, 4*time.Second)) // 100 finals a slot
	seen.wanted = talkers * int(s.now.Sub(dawn)/paceFast)
	return finals, seen, s
}

// TestSimOverload: four times the partials that can be served. Finals do not feel
// it beyond the encoder that is being run, and few partials are computed, all of
// them fresh.
func TestSimOverload(t *testing.T) {
	for m, sizes := range map[*machine][]int{&tinyCPU: {1, 2, 4}, &turboGPU: {1, 2}} {
		for _, slots := range sizes {
			t.Run(fmt.Sprint(m.name, " x", slots), func(t *testing.T) {
				m := *m
				alone, _, _ := overload(t, m, slots, 0)
				beside, seen, s := overload(t, m, slots, 4)
				encode, _ := m.of(ClassPartial, 8*time.Second)
				t.Logf("finals alone:    %v", alone)
				t.Logf("finals overload: %v; p99 %v longer, one encode is %v", beside, short(beside.p(99)-alone.p(99)), short(encode))
				share := float64(seen.emitted) / float64(seen.wanted)
				t.Logf("partials: %d of %d wanted (%.3f), age %v, gap %v", seen.emitted, seen.wanted, share, seen.age, seen.gap)
				t.Logf("load %.2f, pace %v, busy %.2f, wasted %.3f, ends %v", s.s.load.rho(), short(s.s.load.pace()),
					s.busy.Seconds()/s.now.Sub(dawn).Seconds()/float64(slots), s.wasted.Seconds()/s.busy.Seconds(), s.ended)
				if late := beside.p(99) - alone.p(99); late > encode {
					t.Errorf("p99 of finals is %v later, more than one encode of %v", late, encode)
				}
				if share > 0.3 {
					t.Errorf("%.2f of the partials were computed, want at most 0.3", share)
				}
				if most := paceSlow + m.cost(ClassPartial, 8*time.Second); seen.age.p(100) > most {
					t.Errorf("a partial was %v old, at most %v", seen.age.p(100), most)
				}
			})
		}
	}
}
