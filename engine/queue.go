package engine

import (
	"context"
	"slices"
	"time"
)

// ticket is one decode that waits for a slot or runs on one.
type ticket struct {
	session   string
	final     bool
	order     uint64                  // of arrival
	ready     chan struct{}           // closed when slot is set
	slot      Slot                    // while running
	cancel    context.CancelCauseFunc // ends the wait or the decode
	preempted bool
}

// queue decides who runs next. It is pure: no goroutines, no locks, no clock.
// Finals go before partials; among equals the session that has had the least
// computing goes first, then the one that came first.
//
// A session's account is in virtual time: it starts where the last one to be
// served stood, so that a newcomer neither waits for nor overtakes old debts.
type queue struct {
	limit   int // most tickets that wait
	slots   int // most tickets that run
	waiting []*ticket
	running []*ticket
	account map[string]time.Duration
	now     time.Duration // virtual time
	arrived uint64
}

func newQueue(slots, limit int) *queue {
	return &queue{limit: limit, slots: slots, account: make(map[string]time.Duration)}
}

// push lets a ticket wait. Where the queue is full a final takes the place of
// the last partial, which is returned; otherwise it is ErrBusy.
func (q *queue) push(t *ticket) (evicted *ticket, err error) {
	if q.free() == 0 && len(q.waiting) >= q.limit {
		if evicted = q.lastPartial(); !t.final || evicted == nil {
			return nil, ErrBusy
		}
		q.remove(evicted)
	}
	t.order = q.arrived
	q.arrived++
	q.waiting = append(q.waiting, t)
	q.account[t.session] = max(q.account[t.session], q.now)
	return evicted, nil
}

// pop starts the next ticket, or returns nil where none may run.
func (q *queue) pop() *ticket {
	if q.free() == 0 || len(q.waiting) == 0 {
		return nil
	}
	t := slices.MinFunc(q.waiting, func(a, b *ticket) int {
		if q.before(a, b) {
			return -1
		}
		return 1
	})
	q.remove(t)
	q.running = append(q.running, t)
	q.now = max(q.now, q.account[t.session])
	q.forget()
	return t
}

// remove takes a ticket from those that wait; false where it does not.
func (q *queue) remove(t *ticket) bool {
	i := slices.Index(q.waiting, t)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// finish ends a running ticket that took cost of computing.
func (q *queue) finish(t *ticket, cost time.Duration) {
	if i := slices.Index(q.running, t); i >= 0 {
		q.running = slices.Delete(q.running, i, i+1)
		q.account[t.session] += cost
		q.forget()
	}
}

// preempt names a running partial that has to make room for a waiting final:
// the youngest one, and no more than there are finals without a place.
func (q *queue) preempt() *ticket {
	finals, leaving := q.count(true), q.free()
	var victim *ticket
	for _, t := range q.running {
		if t.preempted {
			leaving++
		} else if !t.final && (victim == nil || t.order > victim.order) {
			victim = t
		}
	}
	if finals <= leaving || victim == nil {
		return nil
	}
	victim.preempted = true
	return victim
}

func (q *queue) free() int { return q.slots - len(q.running) }

// count is how many finals, or partials, wait.
func (q *queue) count(final bool) (n int) {
	for _, t := range q.waiting {
		if t.final == final {
			n++
		}
	}
	return n
}

func (q *queue) before(a, b *ticket) bool {
	if a.final != b.final {
		return a.final
	}
	if x, y := q.account[a.session], q.account[b.session]; x != y {
		return x < y
	}
	return a.order < b.order
}

func (q *queue) lastPartial() (last *ticket) {
	for _, t := range q.waiting {
		if !t.final && (last == nil || q.before(last, t)) {
			last = t
		}
	}
	return last
}

// forget drops accounts that nobody uses and that say nothing any more.
func (q *queue) forget() {
	if len(q.account) <= len(q.waiting)+len(q.running) {
		return
	}
	used := make(map[string]bool, len(q.waiting)+len(q.running))
	for _, ts := range [][]*ticket{q.waiting, q.running} {
		for _, t := range ts {
			used[t.session] = true
		}
	}
	for s, at := range q.account {
		if !used[s] && at <= q.now {
			delete(q.account, s)
		}
	}
}
