// Package mail holds what goroutines of a session leave for each other: Box for
// values of any kind, Outbox for messages on their way to the peer.
package mail

import (
	"context"
	"sync"
)

// Box passes values from a goroutine that must not wait to one that may.
// Whoever puts bounds what lies in it. It is safe for concurrent use.
type Box[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // holds one token while items may be there
}

// NewBox makes an empty Box.
func NewBox[T any]() *Box[T] {
	return &Box[T]{ready: make(chan struct{}, 1)}
}

// Put never waits.
func (m *Box[T]) Put(v T) {
	m.mu.Lock()
	m.items = append(m.items, v)
	m.mu.Unlock()
	signal(m.ready)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take returns the oldest item, if there is one.
func (m *Box[T]) take() (v T, ok bool) {
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

// Wait returns the oldest item, or the cause of ctx.
func (m *Box[T]) Wait(ctx context.Context) (v T, err error) {
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
