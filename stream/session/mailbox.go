package session

import (
	"context"
	"sync"
)

// mailbox passes values from a goroutine that must not wait to one that may.
// Whoever puts bounds what lies in it.
type mailbox[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // holds one token while items may be there
}

func newMailbox[T any]() *mailbox[T] {
	return &mailbox[T]{ready: make(chan struct{}, 1)}
}

// put never waits.
func (m *mailbox[T]) put(v T) {
	m.mu.Lock()
	m.items = append(m.items, v)
	m.mu.Unlock()
	m.wake()
}

func (m *mailbox[T]) wake() {
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// take returns the oldest item, if there is one.
func (m *mailbox[T]) take() (v T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.items) == 0 {
		return v, false
	}
	v = m.items[0]
	var zero T
	m.items[0] = zero
	m.items = m.items[1:]
	return v, true
}

// wait returns the oldest item, or the cause of ctx.
func (m *mailbox[T]) wait(ctx context.Context) (v T, err error) {
	for {
		if v, ok := m.take(); ok {
			return v, nil
		}
		select {
		case <-m.ready:
		case <-ctx.Done():
			return v, context.Cause(ctx)
		}
	}
}
