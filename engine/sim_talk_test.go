package engine

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// converse is so many sessions that talk a good third of the time, in utterances
// of 4 s with a hesitation after every third.
func converse(t *testing.T, m machine, slots, sessions int, d time.Duration, reserve bool) (*tally, *sim) {
	s := newSim(t, defaultPolicy(), m, slots, 1000)
	s.reserve = reserve
	seen := &tally{}
	for i := range sessions {
		k := s.talker(fmt.Sprint("session ", i), seen, 4*time.Second, 8*time.Second, 0.3)
		k.window = 12 * time.Second
		s.after(s.exp(8*time.Second), k.speak)
	}
	s.run(d)
	return seen, s
}

func (s *sim) row(seen *tally, sessions int) string {
	return fmt.Sprintf("%4d sessions: busy %.2f wasted %.2f load %.2f pace %5v predicted %.2f | finals p50 %v p99 %v, ready %.2f | first partial p50 %v p95 %v | between partials p50 %v p95 %v | refused %d",
		sessions, s.busy.Seconds()/s.now.Sub(dawn).Seconds()/float64(s.s.slots), s.wasted.Seconds()/max(s.busy.Seconds(), 1),
		s.s.load.rho(), short(s.s.load.pace()), s.s.predict(sessions), short(seen.final.p(50)), short(seen.final.p(99)),
		float64(seen.hits)/float64(max(1, len(seen.final))), short(seen.first.p(50)), short(seen.first.p(95)),
		short(seen.gap.p(50)), short(seen.gap.p(95)), seen.refused)
}

// TestSimConversations: whole sessions. Up to the load they are admitted for,
// finals come about as soon as alone, and none is lost at any load; what gives
// way is how often partials come.
func TestSimConversations(t *testing.T) {
	for _, c := range []struct {
		m        machine
		slots    int
		sessions []int
		d        time.Duration
	}{
		{tinyCPU, 1, []int{1, 3, 6}, 10 * time.Minute},
		{tinyCPU, 2, []int{1, 4, 8, 12, 20}, 10 * time.Minute},
		{turboGPU, 3, []int{100, 400, 600, 800}, 30 * time.Second},
	} {
		alone := time.Duration(0)
		for _, n := range c.sessions {
			seen, s := converse(t, c.m, c.slots, n, c.d, false)
			t.Logf("%s x%d %s", c.m.name, c.slots, s.row(seen, n))
			if alone == 0 {
				alone = seen.final.p(99)
			}
			full := c.m.cost(ClassFinal, 12*time.Second)
			if late := seen.final.p(99) - alone; s.s.predict(n) <= s.s.full && late > full+full/2 {
				t.Errorf("p99 of finals is %v later than of one session alone, more than one and a half finals", late)
			}
			if seen.lost > 0 {
				t.Errorf("%d finals lost", seen.lost)
			}
		}
	}
}

// TestSimReserve: a slot that is kept from partials while somebody may have
// stopped talking. It does not pay: finals come no sooner, since the speculative
// one has a slot already, and the others call off a partial.
func TestSimReserve(t *testing.T) {
	for _, n := range []int{4, 8, 12} {
		without, s1 := converse(t, tinyCPU, 2, n, 10*time.Minute, false)
		with, s2 := converse(t, tinyCPU, 2, n, 10*time.Minute, true)
		t.Logf("without: %s", s1.row(without, n))
		t.Logf("with:    %s", s2.row(with, n))
		if with.final.p(99) < without.final.p(99)*8/10 && with.gap.p(95) <= without.gap.p(95) {
			t.Errorf("keeping a slot pays now: finals p99 %v instead of %v", with.final.p(99), without.final.p(99))
		}
	}
}

// TestSimBurst: 500 sessions start to talk in the same second, more than can be
// served by far. Nothing grows without bound, finals are answered or refused, and
// the line of partials is short all the time.
func TestSimBurst(t *testing.T) {
	for _, m := range []machine{tinyCPU, turboGPU} {
		s := newSim(t, defaultPolicy(), m, 2, 128)
		seen := &tally{}
		for i := range 500 {
			k := s.talker(fmt.Sprint("session ", i), seen, 4*time.Second, 1000*time.Hour, 0)
			s.after(time.Duration(i)*2*time.Millisecond, k.speak)
		}
		waiting, accounts := 0, 0
		for range 1200 {
			s.run(100 * time.Millisecond)
			waiting, accounts = max(waiting, len(s.s.waiting)), max(accounts, len(s.s.ledger.accounts))
		}
		t.Logf("%s x2: %d finals answered %v, %d refused; first partials %v; at most %d waited, %d accounts; ends %v",
			m.name, len(seen.final), seen.final, seen.lost, seen.first, waiting, accounts, s.ended)
		if len(seen.final)+seen.lost != 500 {
			t.Errorf("%d finals answered and %d refused of 500", len(seen.final), seen.lost)
		}
		if m.name == turboGPU.name && seen.lost > 0 {
			t.Errorf("%d finals refused by a machine that is fast enough", seen.lost)
		}
		if waiting > 128 || accounts > 1000 {
			t.Errorf("%d waited, %d accounts", waiting, accounts)
		}
	}
}

// TestSimLongBesideShort: sessions with windows of 28 s beside such with 2 s. All
// have the same computing where all want more than they get; where they keep to
// the pace the short ones have all they want and the long ones share the rest.
func TestSimLongBesideShort(t *testing.T) {
	for _, eager := range []bool{true, false} {
		s := newSim(t, defaultPolicy(), tinyCPU, 2, 1000)
		short2, long28 := &tally{}, &tally{}
		for i := range 20 {
			seen, window := short2, 2*time.Second
			if i%2 == 0 {
				seen, window = long28, 28*time.Second
			}
			k := s.talker(fmt.Sprint("session ", i), seen, 0, 0, 0)
			k.window, k.eager = window, eager
			k.begun, k.speaking, k.first = dawn.Add(-time.Minute), true, true
			s.after(s.exp(time.Second), k.listen)
		}
		s.run(10 * time.Minute)
		least, most := spread(short2.by)
		fewest, longest := spread(long28.by)
		ratio := max(most, longest).Seconds() / min(least, fewest).Seconds()
		t.Logf("eager %v: computing of a short one %v to %v, of a long one %v to %v, ratio %.2f; between partials short %v, long %v",
			eager, short(least), short(most), short(fewest), short(longest), ratio, short2.gap, long28.gap)
		if eager && ratio > 1.1 || longest.Seconds()/fewest.Seconds() > 1.1 || most.Seconds()/least.Seconds() > 1.1 {
			t.Errorf("one session had %.2f times the computing of another", ratio)
		}
		if late := short2.gap.p(99); !eager && late > paceSlow+time.Second {
			t.Errorf("short partials come every %v because of long ones", late)
		}
	}
}

// TestSimLineAndFairness: so many sessions that most partials are refused. Still
// each has the same computing, whoever comes back when.
func TestSimLineAndFairness(t *testing.T) {
	for _, n := range []int{12, 40} {
		for _, eager := range []bool{true, false} {
			s := newSim(t, defaultPolicy(), tinyCPU, 2, 1000)
			seen := &tally{}
			for i := range n {
				k := s.talker(fmt.Sprint("session ", i), seen, 0, 0, 0)
				k.window, k.eager = 12*time.Second, eager
				k.begun, k.speaking, k.first = dawn.Add(-time.Minute), true, true
				s.after(s.exp(time.Second), k.listen)
			}
			s.run(5 * time.Minute)
			least, most := spread(seen.by)
			t.Logf("%d sessions, eager %v: %v to %v of computing; between partials %v; %d refused; load %.2f",
				n, eager, short(least), short(most), seen.gap, seen.refused, s.s.load.rho())
			if most.Seconds()/least.Seconds() > 1.1 {
				t.Errorf("%d sessions had %v to %v of computing", n, least, most)
			}
		}
	}
}

func spread(by map[string]time.Duration) (least, most time.Duration) {
	all := slices.Sorted(maps.Values(by))
	return all[0], all[len(all)-1]
}

// TestSimFinalsBeyondCapacity: three times the finals that can be served. All are
// answered or refused at once, and none waits longer than the queue is long.
func TestSimFinalsBeyondCapacity(t *testing.T) {
	const limit = 16
	s := newSim(t, defaultPolicy(), tinyCPU, 2, limit)
	one := tinyCPU.cost(ClassFinal, 4*time.Second)
	asked, done, refused, partials, others := 0, 0, 0, 0, 0
	var waits sample
	s.poisson(6/one.Seconds(), func() {
		asked++
		begun := s.now
		s.ask(Ask{Session: fmt.Sprint("session ", asked)}, 4*time.Second, nil, func(err error) {
			switch simEnd(err) {
			case endDone:
				done++
				waits.add(s.now.Sub(begun))
			case endRefused:
				refused++
				if err.(*Overload).RetryAfter < one {
					t.Errorf("hint: %v", err)
				}
			default:
				t.Errorf("a final ended with %v", err)
			}
		})
	})
	s.poisson(2, func() {
		others++
		s.ask(Ask{Session: fmt.Sprint("other ", others%10), Class: ClassPartial}, 0, func() time.Duration { return time.Second }, func(err error) {
			if err == nil {
				partials++
			}
		})
	})
	s.run(10 * time.Minute)
	left := asked - done - refused
	t.Logf("of %d finals %d answered %v, %d refused, %d on their way; %d of %d partials", asked, done, waits, refused, left, partials, others)
	if left > limit+2 {
		t.Errorf("%d finals were lost", left)
	}
	if most := one * (limit/2 + 2); waits.p(100) > most {
		t.Errorf("a final took %v, the queue is %v long", waits.p(100), most)
	}
	if share := s.busy.Seconds() / (2 * s.now.Sub(dawn).Seconds()); share < 0.98 {
		t.Errorf("slots were busy only %.2f of the time", share)
	}
}

// TestSimCancelStorm: sessions that ask and leave all the time. Everything ends
// once, finals between are served, and what was never computed is no load.
func TestSimCancelStorm(t *testing.T) {
	s := newSim(t, defaultPolicy(), tinyCPU, 2, 64)
	asked, ended := 0, 0
	s.poisson(200, func() {
		asked++
		c := Class(1 + s.r.IntN(3))
		x := s.ask(Ask{Session: fmt.Sprint("session ", s.r.IntN(300)), Class: c}, time.Second, nil, func(error) { ended++ })
		s.after(s.exp(20*time.Millisecond), func() { s.leave(x) })
	})
	var finals sample
	n := 0
	s.poisson(0.2, func() {
		n++
		begun := s.now
		s.ask(Ask{Session: fmt.Sprint("final ", n)}, 4*time.Second, nil, func(err error) { finals.add(s.now.Sub(begun)) })
	})
	s.run(5 * time.Minute)
	t.Logf("%d asked, %d ended, %v; finals %v; load %.2f busy %.2f, %d accounts", asked, ended, s.ended, finals,
		s.s.load.rho(), s.busy.Seconds()/(2*s.now.Sub(dawn).Seconds()), len(s.s.ledger.accounts))
	if asked-ended > 66 || len(s.s.ledger.accounts) > 1000 {
		t.Errorf("%d never ended, %d accounts", asked-ended, len(s.s.ledger.accounts))
	}
	if most := 3 * tinyCPU.cost(ClassFinal, 4*time.Second); finals.p(99) > most {
		t.Errorf("finals %v", finals)
	}
}
