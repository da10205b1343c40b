package engine

import (
	"fmt"
	"testing"
	"time"
)

// rig drives a scheduler by hand.
type rig struct {
	*scheduler
	t   *testing.T
	now time.Time
}

func newRig(t *testing.T, slots, limit int) *rig {
	return &rig{newScheduler(defaultPolicy(), slots, limit), t, dawn}
}

// want asks and requires the outcome.
func (r *rig) want(c Class, session string, err error) *ticket {
	r.t.Helper()
	x := &ticket{Ask: Ask{Session: session, Class: c}, length: time.Second}
	if got := r.ask(r.now, x); !sameError(got, err) {
		r.t.Fatalf("%v of %s: %v, want %v", c, session, got, err)
	}
	r.now = r.now.Add(time.Millisecond)
	return x
}

func sameError(got, want error) bool {
	if got == nil || want == nil {
		return got == want
	}
	return simEnd(got) == simEnd(want)
}

// starts requires which tickets are started next, all of them.
func (r *rig) starts(want ...*ticket) {
	r.t.Helper()
	for i, w := range append(want, nil) {
		if got := r.start(r.now); got != w {
			r.t.Fatalf("start %d is %s, want %s", i, naming(got), naming(w))
		}
	}
}

// tells requires which tickets are put out next and why, all of them.
func (r *rig) tells(why error, want ...*ticket) {
	r.t.Helper()
	for i, w := range append(want, nil) {
		got := r.told()
		if got != w || got != nil && !sameError(got.out, why) {
			r.t.Fatalf("put out %d is %s, want %s: %v", i, naming(got), naming(w), why)
		}
	}
}

// ends finishes a running ticket after it took some time.
func (r *rig) ends(x *ticket, took time.Duration, done bool) {
	r.now = x.began.Add(max(took, r.now.Sub(x.began)))
	r.finish(r.now, x, done)
}

func naming(t *ticket) string {
	if t == nil {
		return "nobody"
	}
	return fmt.Sprintf("%v of %s", t.Class, t.Session)
}

func TestQueueClassesInOrder(t *testing.T) {
	r := newRig(t, 1, 8)
	running := r.want(ClassFinal, "z", nil)
	r.starts(running)
	s := r.want(ClassSpeculative, "d", nil)
	p := r.want(ClassPartial, "a", nil)
	first := r.want(ClassFirst, "b", nil)
	f := r.want(ClassFinal, "c", nil)
	r.starts()
	r.tells(nil)
	for _, next := range []*ticket{f, s, first, p} {
		r.ends(running, time.Second, true)
		r.starts(next)
		running = next
	}
}

func TestQueueEarliestDueFirst(t *testing.T) {
	for _, c := range []Class{ClassFinal, ClassSpeculative, ClassFirst, ClassPartial} {
		r := newRig(t, 1, 8)
		running := r.want(ClassFinal, "z", nil)
		r.starts(running)
		late := &ticket{Ask: Ask{Session: "late", Class: c, Due: dawn.Add(2 * time.Second)}}
		soon := &ticket{Ask: Ask{Session: "soon", Class: c, Due: dawn.Add(time.Second)}}
		for _, x := range []*ticket{late, soon} {
			if err := r.ask(r.now, x); err != nil {
				t.Fatal(err)
			}
		}
		now := r.want(c, "now", nil)
		for _, next := range []*ticket{now, soon, late} {
			r.ends(running, 0, false)
			r.starts(next)
			running = next
		}
	}
}

func TestQueueFirstPartialsLeaveSomeToTheOthers(t *testing.T) {
	r := newRig(t, 1, 100)
	running := r.want(ClassFinal, "z", nil)
	r.starts(running)
	for i := range 20 {
		r.want(ClassFirst, fmt.Sprint("new ", i), nil)
		r.want(ClassPartial, fmt.Sprint("old ", i), nil)
	}
	order := ""
	for range 12 {
		r.ends(running, 0, false)
		running = r.start(r.now)
		order += map[Class]string{ClassFirst: "f", ClassPartial: "p"}[running.Class]
	}
	if order != "fffpfffpfffp" {
		t.Errorf("order %s", order)
	}
}

func TestQueueFull(t *testing.T) {
	r := newRig(t, 1, 2)
	r.starts(r.want(ClassFinal, "r", nil))
	p1, p2 := r.want(ClassPartial, "a", nil), r.want(ClassPartial, "b", nil)
	r.want(ClassPartial, "c", ErrBusy)
	r.want(ClassSpeculative, "c", ErrBusy)
	r.want(ClassFinal, "c", nil)
	r.tells(ErrPreempted, p2)
	p3 := r.want(ClassPartial, "a", nil) // no more wait than before
	r.tells(ErrSuperseded, p1)
	r.want(ClassFinal, "d", nil)
	r.tells(ErrPreempted, p3)
	r.want(ClassFinal, "e", ErrBusy)
}

func TestQueueMailboxIsOneDeep(t *testing.T) {
	r := newRig(t, 1, 8)
	running := r.want(ClassFinal, "z", nil)
	r.starts(running)
	a1 := r.want(ClassFirst, "a", nil)
	b := r.want(ClassFirst, "b", nil)
	a2 := r.want(ClassPartial, "a", nil)
	r.tells(ErrSuperseded, a1)
	r.want(ClassPartial, "", nil)
	r.want(ClassPartial, "", nil) // nobody's: not the same
	r.tells(nil)
	r.ends(running, 0, true)
	r.starts(a2) // still a first one, still before b
	r.ends(a2, 0, true)
	r.starts(b)
}

func TestQueueFinalEndsWhatElseItsSessionWants(t *testing.T) {
	r := newRig(t, 2, 8)
	p, other := r.want(ClassPartial, "a", nil), r.want(ClassPartial, "b", nil)
	r.starts(p, other)
	next, s := r.want(ClassPartial, "a", nil), r.want(ClassSpeculative, "a", nil)
	f := r.want(ClassFinal, "a", nil)
	r.starts()
	if x := r.told(); x != s || x.out != ErrSuperseded {
		t.Fatalf("%s put out: %v", naming(x), x.out)
	}
	if x := r.told(); x != next || x.out != ErrSuperseded {
		t.Fatalf("%s put out: %v", naming(x), x.out)
	}
	r.tells(ErrPreempted, p) // and b keeps its slot
	f2 := r.want(ClassFinal, "a", nil)
	r.starts()
	r.tells(ErrPreempted, other)
	r.ends(p, 0, false)
	r.starts(f)
	r.ends(other, 0, false)
	r.starts(f2)
}

func TestQueueVictims(t *testing.T) {
	r := newRig(t, 4, 8)
	s, p1, f, p2 := r.want(ClassSpeculative, "s", nil), r.want(ClassPartial, "a", nil), r.want(ClassFinal, "b", nil), r.want(ClassFirst, "c", nil)
	r.starts(f, s, p2, p1)
	r.tells(nil)
	for _, victim := range []*ticket{p1, p2, s, nil} {
		r.want(ClassFinal, "new", nil)
		if victim == nil {
			r.tells(nil)
		} else {
			r.tells(ErrPreempted, victim)
		}
	}
}

func TestQueueLastInLineLeaves(t *testing.T) {
	r := newRig(t, 1, 100)
	for range costSure { // a partial takes a second
		x := r.want(ClassPartial, "teacher", nil)
		r.starts(x)
		r.ends(x, time.Second, true)
	}
	greedy := r.want(ClassPartial, "greedy", nil)
	r.starts(greedy)
	r.ends(greedy, time.Second, true)
	r.starts(r.want(ClassPartial, "a", nil))
	g := r.want(ClassPartial, "greedy", nil)
	r.want(ClassPartial, "b", nil)
	r.tells(nil) // two seconds are just what a partial may wait
	r.want(ClassPartial, "c", nil)
	r.tells(ErrBusy, g) // who had most leaves
	r.want(ClassPartial, "d", ErrBusy)
	r.want(ClassFirst, "e", nil)
	if x := r.told(); x == nil || x.Session != "c" {
		t.Errorf("%s was put out for a first partial", naming(x))
	}
	if err := r.want(ClassPartial, "f", ErrBusy).out.(*Overload); err.RetryAfter < 2*time.Second {
		t.Errorf("hint %v, the line is longer", err)
	}
}

func TestQueuePromotedSpeculationIsAFinal(t *testing.T) {
	r := newRig(t, 1, 8)
	p := r.want(ClassPartial, "a", nil)
	r.starts(p)
	s := r.want(ClassSpeculative, "b", nil)
	r.starts()
	r.tells(nil) // nobody waits for it
	r.promote("b")
	r.tells(ErrPreempted, p)
	r.ends(p, 0, false)
	r.starts(s)
	r.want(ClassFinal, "c", nil)
	r.tells(nil) // it is no victim any more
}
