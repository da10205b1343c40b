package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/engine"
	"parley/engine/enginetest"
)

func (b *bench) ask(ctx context.Context, name string, a engine.Ask) {
	b.wg.Go(func() {
		var err error
		if a.Class == engine.ClassFinal || a.Class == engine.ClassSpeculative {
			_, err = b.pool.Final(ctx, a, second, nil)
		} else {
			_, err = b.pool.Partial(ctx, a, whole)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ends[name] = outcome{err, time.Since(b.begin)}
	})
	synctest.Wait()
}

func TestPoolNewerPartialTakesThePlace(t *testing.T) {
	inBubble(t, 8, []engine.Slot{scripted(time.Second)}, func(t *testing.T, b *bench) {
		b.ask(t.Context(), "running", engine.Ask{Session: "a", Class: engine.ClassPartial})
		b.ask(t.Context(), "older", engine.Ask{Session: "a", Class: engine.ClassPartial})
		b.ask(t.Context(), "other", engine.Ask{Session: "b", Class: engine.ClassPartial})
		time.Sleep(100 * time.Millisecond)
		b.ask(t.Context(), "newer", engine.Ask{Session: "a", Class: engine.ClassPartial})
		b.wg.Wait()
		b.want(t, "running", nil, time.Second)
		b.want(t, "older", engine.ErrSuperseded, 100*time.Millisecond)
		b.want(t, "older", engine.ErrPreempted, 100*time.Millisecond)
		b.want(t, "other", nil, 2*time.Second)
		b.want(t, "newer", nil, 3*time.Second)
	})
}

func TestPoolFinalEndsWhatItsSessionWants(t *testing.T) {
	slots := []engine.Slot{scripted(time.Minute), scripted(time.Minute)}
	inBubble(t, 8, slots, func(t *testing.T, b *bench) {
		b.ask(t.Context(), "own", engine.Ask{Session: "a", Class: engine.ClassPartial})
		b.ask(t.Context(), "other", engine.Ask{Session: "b", Class: engine.ClassPartial})
		b.ask(t.Context(), "next", engine.Ask{Session: "a", Class: engine.ClassPartial})
		b.ask(t.Context(), "early", engine.Ask{Session: "a", Class: engine.ClassSpeculative})
		time.Sleep(time.Second)
		b.ask(t.Context(), "final", engine.Ask{Session: "a"})
		b.wg.Wait()
		b.want(t, "next", engine.ErrSuperseded, time.Second)
		b.want(t, "early", engine.ErrSuperseded, time.Second)
		b.want(t, "own", engine.ErrPreempted, time.Second)
		b.want(t, "other", nil, time.Minute)
		b.want(t, "final", nil, time.Minute+time.Second)
	})
}

func TestPoolPromotes(t *testing.T) {
	inBubble(t, 8, []engine.Slot{scripted(time.Minute)}, func(t *testing.T, b *bench) {
		b.ask(t.Context(), "partial", engine.Ask{Session: "a", Class: engine.ClassPartial})
		b.ask(t.Context(), "early", engine.Ask{Session: "b", Class: engine.ClassSpeculative})
		time.Sleep(time.Second)
		b.pool.Promote("nobody")
		b.pool.Promote("b")
		b.wg.Wait()
		b.want(t, "partial", engine.ErrPreempted, time.Second)
		b.want(t, "early", nil, time.Minute+time.Second)
	})
}

func TestPoolRefusesSpeculationWhileFinalsWait(t *testing.T) {
	inBubble(t, 8, []engine.Slot{scripted(time.Second)}, func(t *testing.T, b *bench) {
		b.ask(t.Context(), "running", engine.Ask{Session: "a"})
		b.ask(t.Context(), "waiting", engine.Ask{Session: "b"})
		b.ask(t.Context(), "early", engine.Ask{Session: "c", Class: engine.ClassSpeculative})
		b.wg.Wait()
		b.want(t, "early", engine.ErrBusy, 0)
		var e *engine.Overload
		if !errors.As(b.ends["early"].err, &e) || e.RetryAfter <= 0 {
			t.Errorf("refused with %v", b.ends["early"].err)
		}
		b.want(t, "waiting", nil, 2*time.Second)
	})
}

// TestPoolUnderOverload: forty sessions on two slots want partials of four times
// what there is, for five minutes, in real goroutines. Finals are as soon as if
// they were alone, partials fresh and even, and every one asked for is counted once.
func TestPoolUnderOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions, cost = 40, 100 * time.Millisecond
		reg := prometheus.NewRegistry()
		p, err := engine.NewPool(engine.PoolConfig{Queue: 100, Metrics: reg}, scripted(cost), scripted(cost))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		var mu sync.Mutex
		asked, oldest, served := 0, time.Duration(0), make([]int, sessions)
		for i := range sessions {
			wg.Go(func() {
				_ = enginetest.Sleep(ctx, time.Duration(i)*7*time.Millisecond)
				for ctx.Err() == nil {
					var from time.Time
					_, err := p.Partial(ctx, engine.Ask{Session: fmt.Sprint(i), Class: engine.ClassPartial}, func() (engine.Window, engine.Prefix) {
						from = time.Now()
						return second, nil
					})
					mu.Lock()
					asked++
					if err == nil {
						served[i]++
						oldest = max(oldest, time.Since(from))
					}
					mu.Unlock()
					if !errors.Is(err, engine.ErrPreempted) {
						_ = enginetest.Sleep(ctx, p.Pace())
					}
				}
			})
		}
		var slowest time.Duration
		for range 100 {
			_ = enginetest.Sleep(ctx, 1730*time.Millisecond)
			begin := time.Now()
			if _, err := p.Final(ctx, engine.Ask{Session: "final"}, second, nil); err != nil {
				t.Fatal(err)
			}
			slowest = max(slowest, time.Since(begin))
		}
		s := p.Stats()
		wg.Wait()
		t.Logf("slowest final %v of %v, oldest partial %v, %d partials asked, served %d to %d, load %.2f, pace %v",
			slowest, cost, oldest, asked, slices.Min(served), slices.Max(served), s.Load, s.Pace)
		if slowest != cost {
			t.Errorf("a final took %v, alone it takes %v", slowest, cost)
		}
		if oldest > cost {
			t.Errorf("a partial was of audio %v old", oldest)
		}
		if least, most := slices.Min(served), slices.Max(served); float64(most) > 1.1*float64(least) {
			t.Errorf("sessions were served %d to %d times", least, most)
		}
		if s.Load < 0.9 || s.Pace < time.Second {
			t.Errorf("load %v, pace %v", s.Load, s.Pace)
		}
		if got := ends(t, reg); got["partial"] != asked || got["final"] != 100 {
			t.Errorf("%d partials and 100 finals asked for, counted %v", asked, got)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// ends sums parley_engine_decodes_total by kind.
func ends(t *testing.T, reg *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		if f.GetName() != "parley_engine_decodes_total" {
			continue
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if l.GetName() == "kind" {
					got[l.GetValue()] += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return got
}

func TestPoolAdmitsByWhatDecodesCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		slot := scripted(500 * time.Millisecond)
		p, err := engine.NewPool(engine.PoolConfig{Queue: 10, Metrics: reg}, slot)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Admit(1000); err != nil {
			t.Errorf("refused before anything is known: %v", err)
		}
		for range 10 {
			if _, err := p.Final(t.Context(), engine.Ask{Session: "s"}, second, nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		calls := len(slot.Calls())
		var e *engine.Overload
		if err := p.Admit(4); !errors.As(err, &e) || !errors.Is(err, engine.ErrBusy) || e.RetryAfter < time.Second || e.Why == "" {
			t.Errorf("five sessions of half a second for each second of speech: %v", err)
		}
		if err := p.Admit(3); err != nil {
			t.Errorf("four such sessions: %v", err)
		}
		if len(slot.Calls()) != calls {
			t.Error("something was computed for a session that was refused")
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkPool is what the pool adds to a decode that takes no time: so many
// sessions take turns on two slots.
func BenchmarkPool(b *testing.B) {
	for _, sessions := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			p, err := engine.NewPool(engine.PoolConfig{Queue: 1000}, idle{}, idle{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range sessions {
				n := b.N / sessions
				if i < b.N%sessions {
					n++
				}
				wg.Go(func() {
					a := engine.Ask{Session: fmt.Sprint(i), Class: engine.ClassPartial}
					for range n {
						if _, err := p.Partial(context.Background(), a, whole); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			if err := p.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

// idle is a slot that does nothing.
type idle struct{}

func (idle) Partial(context.Context, engine.Window, engine.Prefix) (engine.Hypothesis, error) {
	return engine.Hypothesis{}, nil
}

func (idle) Final(context.Context, engine.Window, engine.Prefix) (engine.Transcript, error) {
	return engine.Transcript{}, nil
}

func (idle) Close() error { return nil }
