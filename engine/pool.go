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
// in the caller's goroutine and returns. Who is next: finals by when they are
// due, speculative finals, first partials, partials; of partials the session that
// had the least computing. Where a final waits and others hold every slot, the
// youngest partial, or else the youngest speculative final, is cancelled with
// ErrPreempted. While finals take all there is, partials get nothing: they are
// refused, or wait until their own final ends that.
//
// A session has one partial and one speculative final waiting at most: a newer
// one takes the place of the older, which ends with ErrSuperseded, and a final
// ends whatever else of its session waits or runs. What would come too late is
// refused at once with an *Overload, which is an ErrBusy. It is safe for
// concurrent use.
type Pool struct {
	mu      sync.Mutex
	sched   *scheduler
	idle    []Slot
	slots   []Slot
	closed  bool
	drained chan struct{} // closed when closed and nothing runs
	close   func() error
	metrics *poolMetrics
}

// Stats is what a pool does right now.
type Stats struct {
	Slots, Running int
	Waiting        [Classes]int           // decodes without a slot
	Oldest         [Classes]time.Duration // how long the first of them has waited
	Load           float64                // work asked for as a share of what the slots can do, over the last seconds
	Pace           time.Duration          // as Pool.Pace
	Talkers        float64                // how many talked at a time, over the last minute
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
		sched:   newScheduler(defaultPolicy(), len(slots), c.Queue),
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
// slot is free, so that however long that takes the audio is fresh. The class is
// ClassFirst or else ClassPartial. Beside the slot's errors it returns ErrBusy,
// ErrPreempted (both: try again after a Pace), or the cause of ctx.
func (p *Pool) Partial(ctx context.Context, a Ask, latest func() (Window, Prefix)) (h Hypothesis, err error) {
	if !a.Class.partial() {
		a.Class = ClassPartial
	}
	t := &ticket{Ask: a}
	err = p.run(ctx, t, func(ctx context.Context, s Slot) error {
		w, prefix := latest()
		t.length = length(w)
		h, err = s.Partial(ctx, w, prefix)
		return err
	})
	return h, err
}

// Final decodes a whole utterance. The class is ClassSpeculative or else
// ClassFinal. Beside the slot's errors it returns ErrBusy where the queue is full
// of finals, or the cause of ctx; a speculative one also where the load is high,
// and ErrPreempted.
func (p *Pool) Final(ctx context.Context, a Ask, w Window, prefix Prefix) (t Transcript, err error) {
	if a.Class != ClassSpeculative {
		a.Class = ClassFinal
	}
	err = p.run(ctx, &ticket{Ask: a, length: length(w)}, func(ctx context.Context, s Slot) error {
		t, err = s.Final(ctx, w, prefix)
		return err
	})
	return t, err
}

func length(w Window) time.Duration { return codec.Duration(len(w.Audio), codec.SpeechRate) }

// Promote makes the speculative finals of a session that wait or run finals, as
// somebody waits for them now; it does nothing where there is none.
func (p *Pool) Promote(session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sched.promote(session)
	p.dispatch()
}

// Pace is how much new audio a session is to gather between two partials, so
// that all sessions together leave room for the finals: half a second to two.
func (p *Pool) Pace() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sched.pass(time.Now())
	return p.sched.load.pace()
}

// Admit says whether one more session can be served beside so many others: nil,
// or an *Overload. It goes by what decodes have cost so far and by how long finals
// wait; before that is known it lets everybody in, and always as many as there are
// slots.
func (p *Pool) Admit(sessions int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.sched.admit(time.Now(), sessions)
	if err != nil {
		p.metrics.turnedAway()
	}
	return err
}

// Stats says what waits and runs.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.sched.pass(now)
	s := Stats{
		Slots:   len(p.slots),
		Running: len(p.sched.running),
		Load:    p.sched.load.rho(),
		Pace:    p.sched.load.pace(),
		Talkers: p.sched.load.heard,
	}
	for _, t := range p.sched.waiting {
		s.Waiting[t.Class]++
		s.Oldest[t.Class] = max(s.Oldest[t.Class], now.Sub(t.asked))
	}
	return s
}

// Close refuses new decodes, ends those that wait with ErrUnavailable, waits
// for those that run and closes the slots. A second call does the same wait.
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		for _, t := range p.sched.waiting {
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

func (p *Pool) run(ctx context.Context, t *ticket, decode func(context.Context, Slot) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t.ready, t.cancel = make(chan struct{}), cancel
	class, end := t.Class, endFailed // the scheduler may raise t.Class
	defer func() { p.metrics.ended(class, end) }()
	if err := p.enter(ctx, t); err != nil {
		end = endOf(ctx, err)
		return err
	}
	p.metrics.waited(class, t.began.Sub(t.asked))
	done := false
	defer func() { p.leave(t, done) }()
	err = decode(ctx, t.slot)
	end, done = endOf(ctx, err), err == nil
	if done {
		p.metrics.decoded(class, time.Since(t.began), t.length)
	}
	return err
}

// endOf names how a decode ended that returned err.
func endOf(ctx context.Context, err error) string {
	switch {
	case err == nil:
		return endDone
	case errors.Is(err, ErrSuperseded):
		return endSuperseded
	case errors.Is(err, ErrPreempted):
		return endPreempted
	case errors.Is(err, ErrBusy), errors.Is(err, errClosed):
		return endRefused
	case ctx.Err() != nil:
		return endCancelled
	}
	return endFailed
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
	p.sched.withdraw(t)
	p.mu.Unlock()
	if t.isReady() {
		p.leave(t, false)
	}
	return context.Cause(ctx)
}

func (p *Pool) admit(t *ticket) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	err := p.sched.ask(time.Now(), t)
	p.dispatch()
	return err
}

func (p *Pool) leave(t *ticket, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sched.finish(time.Now(), t, done)
	p.idle = append(p.idle, t.slot)
	p.dispatch()
	p.checkDrained()
}

// dispatch hands out slots and tells those who lost their place. mu is held.
func (p *Pool) dispatch() {
	now := time.Now()
	for t := p.sched.start(now); t != nil; t = p.sched.start(now) {
		last := len(p.idle) - 1
		t.slot, p.idle = p.idle[last], p.idle[:last]
		close(t.ready)
	}
	for t := p.sched.told(); t != nil; t = p.sched.told() {
		t.cancel(t.out)
	}
}

// checkDrained closes drained once nothing runs. mu is held.
func (p *Pool) checkDrained() {
	if !p.closed || len(p.sched.running) > 0 {
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
