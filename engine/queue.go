package engine

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// ticket is one decode that waits for a slot or runs on one.
type ticket struct {
	Ask
	length  time.Duration // of its audio; of a partial it is known once it runs
	cost    time.Duration // expected; 0 unknown
	charged bool          // cost is on the account
	account *account
	order   uint64    // of arrival
	asked   time.Time // when it began to wait
	began   time.Time // when it got its slot
	out     error     // why it was put out, waiting or running

	ready  chan struct{}           // closed when slot is set
	slot   Slot                    // while running
	cancel context.CancelCauseFunc // ends the wait or the decode
}

// queue knows what waits and what runs and decides who is next. Finals come
// first, the earliest due before the others; then speculative finals likewise;
// then first partials and partials, of which the session goes first that will have
// had the least computing after it, by rounds of a quantum within which the
// earliest due does. A queue is pure: no goroutines, no locks, no clock.
type queue struct {
	slots   int // most tickets that run
	waiting []*ticket
	running []*ticket
	ledger  *ledger
	quantum time.Duration // accounts this close are even
	streak  int           // first partials started in a row while partials waited
	most    int           // streak after which a partial goes before a first one
	arrived uint64
}

// push lets a ticket wait.
func (q *queue) push(t *ticket, now time.Time) {
	t.asked, t.account = now, q.ledger.open(t.Session, now)
	if t.Due.IsZero() {
		t.Due = now
	}
	if t.order == 0 {
		q.arrived++
		t.order = q.arrived
	}
	q.waiting = append(q.waiting, t)
}

// next is the ticket to start now, nil where none waits. It does not look
// whether there is a slot.
func (q *queue) next() *ticket {
	var best [Classes]*ticket
	for _, t := range q.waiting {
		if b := best[t.Class]; b == nil || q.compare(t, b) < 0 {
			best[t.Class] = t
		}
	}
	if best[ClassPartial] != nil && q.streak >= q.most {
		best[ClassFirst] = nil
	}
	return cmp.Or(best[:]...)
}

// start moves a waiting ticket to those that run.
func (q *queue) start(t *ticket, now time.Time) {
	q.take(t)
	t.began = now
	q.running = append(q.running, t)
	if !t.Class.partial() {
		return
	}
	t.charged = true
	least, others := t.account.at, false
	for _, w := range q.waiting {
		if w.Class.partial() {
			least = min(least, w.account.at)
			others = others || w.Class == ClassPartial
		}
	}
	q.ledger.start(t.account, t.cost, least)
	if t.Class == ClassFirst && others {
		q.streak++
	} else {
		q.streak = 0
	}
}

// remove takes a ticket from those that wait; false where it does not.
func (q *queue) remove(t *ticket) bool {
	if !q.take(t) {
		return false
	}
	t.account.users--
	return true
}

func (q *queue) take(t *ticket) bool {
	i := slices.Index(q.waiting, t)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// finish ends a running ticket and settles its account with what it owes;
// false where it does not run.
func (q *queue) finish(t *ticket, owes time.Duration) bool {
	i := slices.Index(q.running, t)
	if i < 0 {
		return false
	}
	q.running = slices.Delete(q.running, i, i+1)
	if t.charged {
		owes -= t.cost
	}
	t.account.at += owes
	t.account.users--
	return true
}

// victim is the running ticket to call off so that every waiting final has a
// slot: a partial before a first one before a speculative final, and of these
// the one that began last. It is nil where the finals need none.
func (q *queue) victim() *ticket {
	finals, leaving := q.count(ClassFinal), q.free()
	if finals == 0 {
		return nil
	}
	var worst *ticket
	for _, t := range q.running {
		switch {
		case t.out != nil:
			leaving++
		case t.Class != ClassFinal && (worst == nil || cmp.Or(cmp.Compare(t.Class, worst.Class),
			t.began.Compare(worst.began), cmp.Compare(t.order, worst.order)) > 0):
			worst = t
		}
	}
	if finals <= leaving {
		return nil
	}
	return worst
}

// last is the waiting ticket of at least that class that would be served last.
func (q *queue) last(least Class) (last *ticket) {
	for _, t := range q.waiting {
		if t.Class >= least && (last == nil || q.compare(t, last) > 0) {
			last = t
		}
	}
	return last
}

// compare is negative where a goes before b.
func (q *queue) compare(a, b *ticket) int {
	if c := cmp.Compare(a.Class, b.Class); c != 0 {
		return c
	}
	if a.Class.partial() {
		if c := cmp.Compare((a.account.at+a.cost)/q.quantum, (b.account.at+b.cost)/q.quantum); c != 0 {
			return c
		}
	}
	return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.order, b.order))
}

func (q *queue) free() int { return q.slots - len(q.running) }

// count is how many of a class wait.
func (q *queue) count(c Class) (n int) {
	for _, t := range q.waiting {
		if t.Class == c {
			n++
		}
	}
	return n
}

// oldest is how long the first of a class has waited.
func (q *queue) oldest(c Class, now time.Time) (d time.Duration) {
	for _, t := range q.waiting {
		if t.Class == c {
			d = max(d, now.Sub(t.asked))
		}
	}
	return d
}

// ahead is how long the last in line waits for a slot, as far as costs are known.
func (q *queue) ahead(last *ticket, now time.Time) time.Duration {
	sum := time.Duration(0)
	for _, t := range q.waiting {
		if t != last {
			sum += t.cost
		}
	}
	for _, t := range q.running {
		sum += max(0, t.cost-now.Sub(t.began))
	}
	return sum / time.Duration(q.slots)
}
