package parts

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
)

// witness is a slot that takes a second a decode and remembers the windows.
type witness struct {
	mu       sync.Mutex
	running  int
	lengths  []int
	prefixes int
	memos    int
	partials int
	closed   bool
}

func (w *witness) Partial(context.Context, engine.Window, engine.Prefix) (engine.Hypothesis, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partials++
	return engine.Hypothesis{}, nil
}

func (w *witness) Final(ctx context.Context, win engine.Window, p engine.Prefix) (engine.Transcript, error) {
	w.enter(win, p)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	return engine.Transcript{Words: []engine.Word{{Text: "word"}}}, ctx.Err()
}

func (w *witness) enter(win engine.Window, p engine.Prefix) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running++; w.running > 1 {
		panic("two decodes at once")
	}
	w.lengths = append(w.lengths, len(win.Audio))
	if p != nil {
		w.prefixes++
	}
	if win.Memo != nil {
		w.memos++
	}
}

func (w *witness) Close() error {
	w.closed = true
	return nil
}

func TestNaiveServesInOrderWithoutPriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slot := &witness{}
		n := NewNaive(slot)
		var all sync.WaitGroup
		window := func(samples int) engine.Window {
			return engine.Window{Audio: make([]float32, samples), Memo: &engine.Memo{}}
		}
		for i := 1; i <= 4; i++ {
			all.Go(func() {
				var err error
				if i == 4 {
					_, err = n.Final(t.Context(), engine.Ask{Class: engine.ClassFinal}, window(i), engine.Prefix{{Text: "promised"}})
				} else {
					_, err = n.Partial(t.Context(), engine.Ask{Class: engine.ClassPartial}, func() (engine.Window, engine.Prefix) {
						return window(i), engine.Prefix{{Text: "promised"}}
					})
				}
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		begun := time.Now()
		all.Wait()
		if !slices.Equal(slot.lengths, []int{1, 2, 3, 4}) || time.Since(begun) != 4*time.Second {
			t.Errorf("decoded %v in %v", slot.lengths, time.Since(begun))
		}
		if slot.prefixes+slot.memos+slot.partials > 0 {
			t.Errorf("%d prefixes, %d memos, %d short decodes", slot.prefixes, slot.memos, slot.partials)
		}
		if n.Admit(1_000_000) != nil || n.Pace() != 500*time.Millisecond {
			t.Error("it knows of load")
		}
		if err := n.Close(); err != nil || !slot.closed {
			t.Error(err)
		}
	})
}

func TestNaiveCallsNothingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slot := &witness{}
		n := NewNaive(slot)
		why := errors.New("the speaker fell silent")
		ctx, cancel := context.WithCancelCause(t.Context())
		var all sync.WaitGroup
		var running, waiting error
		latest := func() (engine.Window, engine.Prefix) { return engine.Window{}, nil }
		all.Go(func() { _, running = n.Partial(ctx, engine.Ask{}, latest) })
		synctest.Wait()
		all.Go(func() { _, waiting = n.Partial(ctx, engine.Ask{}, latest) })
		synctest.Wait()
		begun := time.Now()
		cancel(why)
		all.Wait()
		if running != nil || !errors.Is(waiting, why) || time.Since(begun) != time.Second {
			t.Errorf("running %v, waiting %v, after %v", running, waiting, time.Since(begun))
		}
	})
}
