package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/codec"
)

// PoolConfig sizes a Pool.
type PoolConfig struct {
	// Queue is the most decodes that wait for a slot, 1 to 100000.
	Queue int
	// Metrics takes the pool's collectors; nil for none.
	Metrics prometheus.Registerer
}

// Validate reports a size no pool can have.
func (c PoolConfig) Validate() error {
	if c.Queue < 1 || c.Queue > 100_000 {
		return fmt.Errorf("engine: queue of %d is outside 1 to 100000", c.Queue)
	}
	return nil
}

// Pool shares slots between sessions. A call waits its turn, runs on one slot
// in the caller's goroutine and returns: finals before partials, sessions by
// how little computing they have had. Where a final waits and partials hold
// every slot, the youngest of them is cancelled with ErrPreempted. A full
// queue refuses with ErrBusy at once. It is safe for concurrent use.
type Pool struct {
	mu      sync.Mutex
	queue   *queue
	idle    []Slot
	slots   []Slot
	closed  bool
	drained chan struct{} // closed when closed and nothing runs
	close   func() error
	metrics *poolMetrics
}

// Stats is what a pool does right now.
type Stats struct {
	Slots, Running           int
	WaitFinals, WaitPartials int
}

// NewPool takes over slots: Close closes them.
func NewPool(c PoolConfig, slots ...Slot) (*Pool, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if len(slots) == 0 {
		return nil, fmt.Errorf("engine: %w: a pool needs at least one slot", ErrUnavailable)
	}
	p := &Pool{
		queue:   newQueue(len(slots), c.Queue),
		idle:    append([]Slot(nil), slots...),
		slots:   slots,
		drained: make(chan struct{}),
	}
	p.close = sync.OnceValue(p.closeSlots)
	var err error
	if p.metrics, err = newPoolMetrics(c.Metrics, p.Stats); err != nil {
		return nil, fmt.Errorf("engine: registering metrics: %w", err)
	}
	return p, nil
}

// Partial decodes what a session has heard so far: latest is called once, when a
// slot is free, so that however long that takes the audio is fresh. Beside the
// slot's errors it returns ErrBusy, ErrPreempted (both: try again later), or the
// cause of ctx.
func (p *Pool) Partial(ctx context.Context, a Ask, latest func() (Window, Prefix)) (h Hypothesis, err error) {
	err = p.run(ctx, a.Session, false, func(ctx context.Context, s Slot) (time.Duration, error) {
		w, prefix := latest()
		h, err = s.Partial(ctx, w, prefix)
		return codec.Duration(len(w.Audio), codec.SpeechRate), err
	})
	return h, err
}

// Final decodes a whole utterance. Beside the slot's errors it returns ErrBusy
// where the queue is full, or the cause of ctx.
func (p *Pool) Final(ctx context.Context, a Ask, w Window, prefix Prefix) (t Transcript, err error) {
	err = p.run(ctx, a.Session, true, func(ctx context.Context, s Slot) (time.Duration, error) {
		t, err = s.Final(ctx, w, prefix)
		return codec.Duration(len(w.Audio), codec.SpeechRate), err
	})
	return t, err
}

// Pace is how much new audio a session is to gather between two partials, so
// that all sessions together leave room for the finals.
func (p *Pool) Pace() time.Duration { return 500 * time.Millisecond }

// Admit says whether one more session can be served beside so many others: nil,
// or an *Overload.
func (p *Pool) Admit(sessions int) error { return nil }

// Stats says what waits and runs.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{
		Slots:        len(p.slots),
		Running:      len(p.queue.running),
		WaitFinals:   p.queue.count(true),
		WaitPartials: p.queue.count(false),
	}
}

// Close refuses new decodes, ends those that wait with ErrUnavailable, waits
// for those that run and closes the slots. A second call does the same wait.
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		for _, t := range p.queue.waiting {
			t.cancel(errClosed)
		}
		p.checkDrained()
	}
	p.mu.Unlock()
	<-p.drained
	return p.close()
}

var errClosed = fmt.Errorf("%w: the pool is closed", ErrUnavailable)

func (p *Pool) closeSlots() error {
	var errs []error
	for _, s := range p.slots {
		errs = append(errs, s.Close())
	}
	p.metrics.unregister()
	return errors.Join(errs...)
}

func (p *Pool) run(ctx context.Context, session string, final bool, decode func(context.Context, Slot) (time.Duration, error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &ticket{session: session, final: final, ready: make(chan struct{}), cancel: cancel}
	arrived := time.Now()
	if err := p.enter(ctx, t); err != nil {
		return err
	}
	begin := time.Now()
	p.metrics.waited(final, begin.Sub(arrived))
	defer func() { p.leave(t, time.Since(begin)) }()
	audio, err := decode(ctx, t.slot)
	if err == nil {
		p.metrics.decoded(final, time.Since(begin), audio)
	}
	return err
}

// enter returns when t has a slot, or with why it never will.
func (p *Pool) enter(ctx context.Context, t *ticket) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := p.admit(t); err != nil {
		return err
	}
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	gone := p.queue.remove(t)
	p.mu.Unlock()
	if !gone && t.isReady() {
		p.leave(t, 0)
	}
	return context.Cause(ctx)
}

func (p *Pool) admit(t *ticket) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	evicted, err := p.queue.push(t)
	if err != nil {
		p.metrics.refused(t.final)
		return err
	}
	if evicted != nil {
		p.metrics.preempted()
		evicted.cancel(ErrPreempted)
	}
	p.dispatch()
	return nil
}

func (p *Pool) leave(t *ticket, cost time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.finish(t, cost)
	p.idle = append(p.idle, t.slot)
	p.dispatch()
	p.checkDrained()
}

// dispatch hands out slots and takes back what finals need. mu is held.
func (p *Pool) dispatch() {
	for t := p.queue.pop(); t != nil; t = p.queue.pop() {
		last := len(p.idle) - 1
		t.slot, p.idle = p.idle[last], p.idle[:last]
		close(t.ready)
	}
	for t := p.queue.preempt(); t != nil; t = p.queue.preempt() {
		p.metrics.preempted()
		t.cancel(ErrPreempted)
	}
}

// checkDrained closes drained once nothing runs. mu is held.
func (p *Pool) checkDrained() {
	if !p.closed || len(p.queue.running) > 0 {
		return
	}
	select {
	case <-p.drained:
	default:
		close(p.drained)
	}
}

func (t *ticket) isReady() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}
