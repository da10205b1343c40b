package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

func ask(session string, final bool) *ticket { return &ticket{session: session, final: final} }

func mustPush(t *testing.T, q *queue, ts ...*ticket) {
	t.Helper()
	for _, x := range ts {
		if _, err := q.push(x); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQueueFinalsFirst(t *testing.T) {
	q := newQueue(1, 8)
	running := ask("a", false)
	mustPush(t, q, running)
	q.pop()
	p1, p2, f := ask("b", false), ask("c", false), ask("d", true)
	mustPush(t, q, p1, p2, f)
	if q.pop() != nil {
		t.Fatal("two tickets on one slot")
	}
	q.finish(running, time.Second)
	for i, want := range []*ticket{f, p1, p2} {
		got := q.pop()
		if got != want {
			t.Fatalf("%d: got %+v, want %+v", i, got, want)
		}
		q.finish(got, time.Second)
	}
}

func TestQueueLeastServedFirst(t *testing.T) {
	q := newQueue(1, 100)
	greedy, modest := 0, 0
	var busy time.Duration
	mustPush(t, q, ask("greedy", false), ask("modest", false))
	for range 110 {
		x := q.pop()
		cost := 10 * time.Second
		if x.session == "modest" {
			cost, modest = time.Second, modest+1
		} else {
			greedy++
		}
		busy += cost
		q.finish(x, cost)
		mustPush(t, q, ask(x.session, false))
	}
	if greedy < 9 || greedy > 11 || modest < 99 {
		t.Errorf("long decodes ran %d times, short ones %d times: want equal computing", greedy, modest)
	}
}

func TestQueueNewcomerWaitsForNoDebts(t *testing.T) {
	q := newQueue(1, 100)
	for range 50 { // old has had 50 s alone
		mustPush(t, q, ask("old", false))
		q.finish(q.pop(), time.Second)
	}
	order := map[string]int{}
	mustPush(t, q, ask("old", false), ask("new", false))
	for range 20 {
		x := q.pop()
		order[x.session]++
		q.finish(x, time.Second)
		mustPush(t, q, ask(x.session, false))
	}
	if order["old"] < 9 || order["new"] < 9 {
		t.Errorf("served %v: want about half each", order)
	}
}

func TestQueueFull(t *testing.T) {
	q := newQueue(1, 2)
	mustPush(t, q, ask("r", true))
	q.pop()
	p1, p2 := ask("a", false), ask("b", false)
	mustPush(t, q, p1, p2)
	if _, err := q.push(ask("c", false)); !errors.Is(err, ErrBusy) {
		t.Errorf("partial into a full queue: %v", err)
	}
	if out, err := q.push(ask("c", true)); out != p2 || err != nil {
		t.Errorf("final put out %v (%v), want the last partial", out, err)
	}
	if out, err := q.push(ask("d", true)); out != p1 || err != nil {
		t.Errorf("final put out %v (%v), want the other partial", out, err)
	}
	if _, err := q.push(ask("e", true)); !errors.Is(err, ErrBusy) {
		t.Errorf("final into a queue full of finals: %v", err)
	}
}

func TestQueuePreemptsTheYoungestPartial(t *testing.T) {
	q := newQueue(3, 8)
	p1, f, p2 := ask("a", false), ask("b", true), ask("c", false)
	mustPush(t, q, p1, f, p2)
	for range 3 {
		q.pop()
	}
	if q.preempt() != nil {
		t.Fatal("preempted for nobody")
	}
	mustPush(t, q, ask("d", true))
	if v := q.preempt(); v != p2 {
		t.Fatalf("victim %+v, want the youngest partial", v)
	}
	if v := q.preempt(); v != nil {
		t.Fatalf("second victim %+v for one final", v)
	}
	mustPush(t, q, ask("e", true), ask("f", true))
	if v := q.preempt(); v != p1 {
		t.Fatalf("victim %+v, want the other partial", v)
	}
	if v := q.preempt(); v != nil {
		t.Fatalf("a final was chosen: %+v", v)
	}
}

// TestQueueInvariants drives a queue at random: no more run than there are
// slots, no more wait than the limit, no final waits while a partial starts,
// and nothing is remembered of sessions that are gone.
func TestQueueInvariants(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		q := newQueue(1+r.IntN(4), 1+r.IntN(6))
		for range 300 {
			switch r.IntN(4) {
			case 0, 1:
				x := ask(string(rune('a'+r.IntN(5))), r.IntN(3) == 0)
				_, x.cancel = context.WithCancelCause(context.Background())
				_, err := q.push(x)
				if err != nil && !errors.Is(err, ErrBusy) {
					t.Fatal(err)
				}
			case 2:
				if len(q.running) > 0 {
					q.finish(q.running[r.IntN(len(q.running))], time.Duration(r.IntN(1000)))
				}
			case 3:
				if len(q.waiting) > 0 && r.IntN(3) == 0 {
					q.remove(q.waiting[r.IntN(len(q.waiting))])
				}
			}
			finals := q.count(true)
			if x := q.pop(); x != nil && !x.final && finals > 0 {
				t.Fatalf("seed %d: a partial started while a final waited", seed)
			}
			if len(q.running) > q.slots || len(q.waiting) > q.limit {
				t.Fatalf("seed %d: %d running, %d waiting", seed, len(q.running), len(q.waiting))
			}
		}
		for x := q.pop(); len(q.running) > 0; x = q.pop() {
			if x == nil {
				q.finish(q.running[0], 0)
			}
		}
		for i := range 3 { // time passes the old accounts
			x := ask("last", i == 0)
			mustPush(t, q, x)
			q.finish(q.pop(), time.Hour)
		}
		if len(q.account) > 1 {
			t.Fatalf("seed %d: accounts kept: %v", seed, q.account)
		}
	}
}
