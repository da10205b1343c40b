package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/engine"
	"parley/engine/enginetest"
)

func newPool(t *testing.T, queue int, slots ...engine.Slot) *engine.Pool {
	t.Helper()
	p, err := engine.NewPool(engine.PoolConfig{Queue: queue}, slots...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func scripted(latency time.Duration) *enginetest.Slot {
	return &enginetest.Slot{Latency: latency, Script: [][]engine.Word{enginetest.Say("yes", 0, time.Second)}}
}

var second = engine.Window{Audio: make([]float32, 16000)}

func TestPoolConfig(t *testing.T) {
	for _, n := range []int{0, -1, 100_001} {
		if _, err := engine.NewPool(engine.PoolConfig{Queue: n}, scripted(0)); err == nil {
			t.Errorf("queue of %d accepted", n)
		}
	}
	if _, err := engine.NewPool(engine.PoolConfig{Queue: 1}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("no slots: %v", err)
	}
}

func TestPoolRunsAndReports(t *testing.T) {
	reg := prometheus.NewRegistry()
	p, err := engine.NewPool(engine.PoolConfig{Queue: 1, Metrics: reg}, scripted(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.NewPool(engine.PoolConfig{Queue: 1, Metrics: reg}, scripted(0)); err == nil {
		t.Error("the same metrics registered twice")
	}
	h, err := p.Partial(t.Context(), engine.Ask{Session: "s"}, whole)
	if err != nil || engine.Text(h.Words) != "yes" {
		t.Errorf("partial %v, %v", h, err)
	}
	f, err := p.Final(t.Context(), engine.Ask{Session: "s"}, second, nil)
	if err != nil || engine.Text(f.Words) != "yes" {
		t.Errorf("final %v, %v", f, err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, fam := range families {
		for _, m := range fam.Metric {
			counts[fam.GetName()] += m.GetHistogram().GetSampleCount() + uint64(m.GetGauge().GetValue())
		}
	}
	if counts["parley_engine_queue_wait_seconds"] != 2 || counts["parley_engine_real_time_factor"] != 2 || counts["parley_engine_slots"] != 1 {
		t.Errorf("metrics %v", counts)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if families, _ := reg.Gather(); len(families) != 0 {
		t.Errorf("%d metrics left after Close", len(families))
	}
	if err := p.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, err := p.Partial(t.Context(), engine.Ask{Session: "s"}, whole); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("partial on a closed pool: %v", err)
	}
}

// outcome is how one decode of a test ended, and when.
type outcome struct {
	err error
	at  time.Duration
}

// bench starts decodes in a bubble and collects how they end.
type bench struct {
	pool  *engine.Pool
	begin time.Time
	wg    sync.WaitGroup
	mu    sync.Mutex
	ends  map[string]outcome
}

func (b *bench) start(ctx context.Context, name string, final bool) {
	b.wg.Go(func() {
		var err error
		if final {
			_, err = b.pool.Final(ctx, engine.Ask{Session: name}, second, nil)
		} else {
			_, err = b.pool.Partial(ctx, engine.Ask{Session: name}, whole)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ends[name] = outcome{err, time.Since(b.begin)}
	})
	synctest.Wait()
}

func (b *bench) want(t *testing.T, name string, err error, at time.Duration) {
	t.Helper()
	got, ok := b.ends[name]
	if !ok || !errors.Is(got.err, err) || got.at != at {
		t.Errorf("%s: %v at %v, want %v at %v", name, got.err, got.at, err, at)
	}
}

func inBubble(t *testing.T, queue int, slots []engine.Slot, f func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		f(t, &bench{pool: newPool(t, queue, slots...), begin: time.Now(), ends: map[string]outcome{}})
	})
}

func TestPoolFinalPreemptsTheYoungestPartial(t *testing.T) {
	slots := []engine.Slot{scripted(10 * time.Second), scripted(10 * time.Second)}
	inBubble(t, 8, slots, func(t *testing.T, b *bench) {
		b.start(t.Context(), "old", false)
		time.Sleep(time.Second)
		b.start(t.Context(), "young", false)
		time.Sleep(time.Second)
		b.start(t.Context(), "final", true)
		b.wg.Wait()
		b.want(t, "young", engine.ErrPreempted, 2*time.Second)
		b.want(t, "old", nil, 10*time.Second)
		b.want(t, "final", nil, 12*time.Second)
	})
}

func TestPoolBusyAtOnceAndFinalsEvict(t *testing.T) {
	inBubble(t, 1, []engine.Slot{scripted(time.Second)}, func(t *testing.T, b *bench) {
		b.start(t.Context(), "first", true)
		b.start(t.Context(), "second", false)
		b.start(t.Context(), "third", false)
		if s := b.pool.Stats(); s.Slots != 1 || s.Running != 1 || s.Waiting != [engine.Classes]int{engine.ClassPartial: 1} {
			t.Errorf("stats %+v, want one that runs and one partial that waits", s)
		}
		b.start(t.Context(), "fourth", true)
		b.wg.Wait()
		b.want(t, "first", nil, time.Second)
		b.want(t, "second", engine.ErrPreempted, 0)
		b.want(t, "third", engine.ErrBusy, 0)
		b.want(t, "fourth", nil, 2*time.Second)
	})
}

func TestPoolCancelledWaiterLeaves(t *testing.T) {
	inBubble(t, 1, []engine.Slot{scripted(time.Minute)}, func(t *testing.T, b *bench) {
		cause := errors.New("gone")
		b.start(t.Context(), "running", true)
		ctx, cancel := context.WithCancelCause(t.Context())
		b.start(ctx, "waiting", true)
		time.Sleep(time.Second)
		cancel(cause)
		synctest.Wait()
		b.want(t, "waiting", cause, time.Second)
		b.start(ctx, "late", true)
		b.want(t, "late", cause, time.Second)
		b.start(t.Context(), "next", true)
		b.wg.Wait()
		b.want(t, "next", nil, 2*time.Minute)
	})
}

func TestPoolCloseWaitsForWhatRuns(t *testing.T) {
	slot := scripted(time.Minute)
	inBubble(t, 4, []engine.Slot{slot}, func(t *testing.T, b *bench) {
		b.start(t.Context(), "running", true)
		b.start(t.Context(), "waiting", true)
		if err := b.pool.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(b.begin); d != time.Minute || !slot.Closed() {
			t.Errorf("closed after %v, slot closed: %v", d, slot.Closed())
		}
		b.wg.Wait()
		b.want(t, "running", nil, time.Minute)
		b.want(t, "waiting", engine.ErrUnavailable, 0)
	})
}

// TestPoolFairAndFinalsInTime: eight sessions ask for partials without end on
// two slots, finals come in between. Everybody gets a like share and no final
// waits, since partials make room.
func TestPoolFairAndFinalsInTime(t *testing.T) {
	slots := []engine.Slot{scripted(time.Second), scripted(time.Second)}
	inBubble(t, 8, slots, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second+time.Millisecond)
		defer cancel()
		served := make([]int, 8)
		for i := range served {
			b.wg.Go(func() {
				for ctx.Err() == nil {
					_, err := b.pool.Partial(ctx, engine.Ask{Session: fmt.Sprint(i)}, whole)
					if err == nil {
						served[i]++
					} else if !errors.Is(err, engine.ErrPreempted) {
						time.Sleep(b.pool.Pace())
					}
				}
			})
		}
		for range 5 {
			time.Sleep(9500 * time.Millisecond)
			begin := time.Now()
			if _, err := b.pool.Final(ctx, engine.Ask{Session: "final"}, second, nil); err != nil || time.Since(begin) != time.Second {
				t.Errorf("final: %v after %v", err, time.Since(begin))
			}
		}
		b.wg.Wait()
		for i, n := range served {
			if n < 21 || n > 25 {
				t.Errorf("session %d was served %d times of about 24: %v", i, n, served)
			}
		}
	})
}

func TestPoolGivesSlotBackAfterErrorAndPanic(t *testing.T) {
	broken := errors.New("broken")
	slot := &enginetest.Slot{Fail: func(n int) error {
		switch n {
		case 0:
			return broken
		case 1:
			panic("bug")
		}
		return nil
	}}
	p := newPool(t, 1, slot)
	if _, err := p.Final(t.Context(), engine.Ask{Session: "s"}, second, nil); !errors.Is(err, broken) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = p.Final(t.Context(), engine.Ask{Session: "s"}, second, nil)
	}()
	if _, err := p.Final(t.Context(), engine.Ask{Session: "s"}, second, nil); err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.Slots != 1 || s.Running != 0 || s.Waiting != [engine.Classes]int{} {
		t.Errorf("stats %+v, want nothing left", s)
	}
}

func whole() (engine.Window, engine.Prefix) { return second, nil }
