package parts

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"parley/engine"
	"parley/stream/session"
)

// Naive recognises as simple servers do, to compare with: one model behind one
// lock, whoever comes first goes first, every partial transcribes all that was
// heard anew with the decode of a final, nothing that runs is called off, and
// everybody is let in.
type Naive struct {
	slot engine.Slot
	lock *semaphore.Weighted // hands over in the order of asking, unlike a mutex
}

var _ session.Recognizer = (*Naive)(nil)

// NewNaive takes over a slot: Close closes it.
func NewNaive(slot engine.Slot) *Naive {
	return &Naive{slot: slot, lock: semaphore.NewWeighted(1)}
}

// Partial implements session.Recognizer.
func (n *Naive) Partial(ctx context.Context, _ engine.Ask, latest func() (engine.Window, engine.Prefix)) (engine.Hypothesis, error) {
	t, err := n.decode(ctx, func() engine.Window {
		w, _ := latest()
		return w
	})
	return engine.Hypothesis{Words: t.Words, Language: t.Language}, err
}

// Final implements session.Recognizer.
func (n *Naive) Final(ctx context.Context, _ engine.Ask, w engine.Window, _ engine.Prefix) (engine.Transcript, error) {
	return n.decode(ctx, func() engine.Window { return w })
}

// decode waits for the lock, which ctx may end, and decodes, which it may not.
func (n *Naive) decode(ctx context.Context, window func() engine.Window) (engine.Transcript, error) {
	if err := n.lock.Acquire(ctx, 1); err != nil {
		return engine.Transcript{}, context.Cause(ctx)
	}
	defer n.lock.Release(1)
	w := window()
	w.Memo = nil
	return n.slot.Final(context.WithoutCancel(ctx), w, nil)
}

// Pace implements session.Recognizer.
func (n *Naive) Pace() time.Duration { return 500 * time.Millisecond }

// Admit implements session.Recognizer.
func (n *Naive) Admit(int) error { return nil }

// Close waits for the decode that runs and closes the slot.
func (n *Naive) Close() error {
	if err := n.lock.Acquire(context.Background(), 1); err != nil {
		return err
	}
	return n.slot.Close()
}
