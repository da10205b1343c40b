package dial

import (
	"context"
	"sync"
)

// box holds the requests of a session that wait: all finals, and the latest
// partial. A final takes the place of the partial, be it waiting or under way.
type box struct {
	wake chan struct{}

	mu      sync.Mutex
	finals  []request
	partial *request
	over    context.CancelFunc // of the partial under way
	closed  bool
}

func newBox() *box { return &box{wake: make(chan struct{}, 1)} }

func (b *box) put(r request) {
	b.mu.Lock()
	if r.final {
		b.finals = append(b.finals, r)
		b.partial = nil
		if b.over != nil {
			b.over()
		}
	} else {
		b.partial = &r
	}
	b.mu.Unlock()
	b.knock()
}

// close lets what waits be taken and nothing more.
func (b *box) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.knock()
}

func (b *box) knock() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns the next request with a context of its own, or false when none
// will come any more.
func (b *box) take(ctx context.Context) (request, bool) {
	for ctx.Err() == nil {
		if r, ok, closed := b.pop(ctx); ok || closed {
			return r, ok
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
		}
	}
	return request{}, false
}

func (b *box) pop(ctx context.Context) (r request, ok, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = nil
	switch {
	case len(b.finals) > 0:
		r, b.finals = b.finals[0], b.finals[1:]
		r.ctx, r.over = context.WithCancel(ctx)
	case b.partial != nil:
		r, b.partial = *b.partial, nil
		r.ctx, r.over = context.WithCancel(ctx)
		b.over = r.over
	default:
		return r, false, b.closed
	}
	return r, true, b.closed
}
