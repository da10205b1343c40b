package engine

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSchedulerInvariants drives a scheduler at random and knows what each ticket
// is: refused, waiting, running or over, each once. No more run than there are
// slots, no more wait than the limit, nothing starts before a final that waits,
// of two finals the one due later never starts first, and accounts are no more
// than sessions of late.
func TestSchedulerInvariants(t *testing.T) {
	for seed := range uint64(50) {
		w := &walker{t: t, r: rand.New(rand.NewPCG(seed, 2)), now: dawn, state: map[*ticket]string{}}
		w.s = newScheduler(defaultPolicy(), 1+w.r.IntN(4), 1+w.r.IntN(12))
		for range 400 {
			w.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		w.drain()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type walker struct {
	t     *testing.T
	r     *rand.Rand
	s     *scheduler
	now   time.Time
	state map[*ticket]string
	n     int
}

func (w *walker) in(state string) (ts []*ticket) {
	for x, s := range w.state {
		if s == state {
			ts = append(ts, x)
		}
	}
	slices.SortFunc(ts, func(a, b *ticket) int { return cmp.Or(a.asked.Compare(b.asked), cmp.Compare(a.order, b.order)) })
	return ts
}

func (w *walker) move(x *ticket, to string, from ...string) {
	if !slices.Contains(from, w.state[x]) {
		w.t.Errorf("%s became %s, it was %q", naming(x), to, w.state[x])
	}
	w.state[x] = to
}

func (w *walker) step() {
	w.now = w.now.Add(time.Duration(w.r.IntN(200)) * time.Millisecond)
	switch w.r.IntN(8) {
	case 0, 1, 2, 3:
		w.ask()
	case 4, 5:
		if running := w.in("running"); len(running) > 0 {
			x := running[w.r.IntN(len(running))]
			w.move(x, "over", "running")
			w.s.finish(w.now, x, x.out == nil && w.r.IntN(4) > 0)
		}
	case 6:
		if waiting := w.in("waiting"); len(waiting) > 0 {
			x := waiting[w.r.IntN(len(waiting))]
			if !w.s.withdraw(x) {
				w.t.Errorf("%s waits and cannot be withdrawn", naming(x))
			}
			w.move(x, "over", "waiting")
		}
	case 7:
		w.s.promote(fmt.Sprint(w.r.IntN(6)))
	}
	w.pump()
}

func (w *walker) ask() {
	w.n++
	x := &ticket{Ask: Ask{Session: fmt.Sprint(w.r.IntN(6)), Class: Class(w.r.IntN(int(Classes)))}, length: time.Duration(w.r.IntN(30)) * time.Second}
	if w.r.IntN(10) == 0 {
		x.Session = strings.Repeat("x", w.n) // one that never comes again
	}
	if w.r.IntN(3) == 0 {
		x.Due = w.now.Add(time.Duration(w.r.IntN(4000)-1000) * time.Millisecond)
	}
	switch err := w.s.ask(w.now, x); {
	case err == nil:
		w.move(x, "waiting", "")
	case !errors.Is(err, ErrBusy):
		w.t.Errorf("refused with %v", err)
	default:
		w.move(x, "refused", "")
	}
}

func (w *walker) pump() {
	for {
		var final *ticket
		for _, x := range w.in("waiting") {
			if x.Class == ClassFinal && (final == nil || x.Due.Before(final.Due)) && !slices.Contains(w.s.outs, x) {
				final = x
			}
		}
		x := w.s.start(w.now)
		if x == nil {
			break
		}
		if final != nil && (x.Class != ClassFinal || final.Due.Before(x.Due)) {
			w.t.Errorf("%s started before %s, which was due %v before", naming(x), naming(final), x.Due.Sub(final.Due))
		}
		w.move(x, "running", "waiting")
	}
	for x := w.s.told(); x != nil; x = w.s.told() {
		if x.Class == ClassFinal {
			w.t.Errorf("a final was put out: %v", x.out)
		}
		if !errors.Is(x.out, ErrPreempted) && !errors.Is(x.out, ErrBusy) {
			w.t.Errorf("put out with %v", x.out)
		}
		if w.state[x] == "waiting" {
			w.move(x, "over", "waiting")
		} else {
			w.move(x, "running", "running")
		}
	}
	w.check()
}

func (w *walker) check() {
	running, waiting := w.in("running"), w.in("waiting")
	if len(running) != len(w.s.running) || len(waiting) != len(w.s.waiting) {
		w.t.Errorf("%d run and %d wait, the scheduler knows %d and %d", len(running), len(waiting), len(w.s.running), len(w.s.waiting))
	}
	if len(w.s.running) > w.s.slots || len(w.s.waiting) > w.s.limit {
		w.t.Errorf("%d run on %d slots, %d wait of %d", len(w.s.running), w.s.slots, len(w.s.waiting), w.s.limit)
	}
	if len(w.s.waiting) > 0 && w.s.free() > 0 {
		w.t.Errorf("%d wait and %d slots are free", len(w.s.waiting), w.s.free())
	}
	mailbox := map[string]int{}
	for _, x := range waiting {
		if x.Class != ClassFinal {
			if mailbox[fmt.Sprint(x.Session, x.Class.partial())]++; mailbox[fmt.Sprint(x.Session, x.Class.partial())] > 1 {
				w.t.Errorf("two of %s wait", naming(x))
			}
		}
	}
	users := 0
	for _, a := range w.s.ledger.accounts {
		users += a.users
	}
	if users != len(running)+len(waiting) {
		w.t.Errorf("accounts have %d users, there are %d tickets", users, len(running)+len(waiting))
	}
	if p := w.s.load.pace(); p < paceFast || p > paceSlow {
		w.t.Errorf("pace %v", p)
	}
	if len(w.s.ledger.accounts) > 2*fewAccounts+len(running)+len(waiting)+200 {
		w.t.Errorf("%d accounts", len(w.s.ledger.accounts))
	}
}

// drain lets everything come to its end.
func (w *walker) drain() {
	for w.pump(); len(w.s.running) > 0; w.pump() {
		x := w.s.running[0]
		w.move(x, "over", "running")
		w.now = w.now.Add(time.Second)
		w.s.finish(w.now, x, x.out == nil)
	}
	if n := len(w.in("waiting")); n > 0 {
		w.t.Errorf("%d still wait", n)
	}
}

// TestLedgerIsBounded: twenty thousand sessions that come once, however the slots are
// shared, leave as many accounts as came lately.
func TestLedgerIsBounded(t *testing.T) {
	s := newScheduler(defaultPolicy(), 2, 100)
	now, most := dawn, 0
	var running []*ticket
	for i := range 20_000 {
		x := &ticket{Ask: Ask{Session: fmt.Sprint(i), Class: ClassPartial}}
		if err := s.ask(now, x); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Millisecond)
		running = append(running, s.start(now))
		if len(running) == 2 {
			s.finish(now, running[0], true)
			running = running[1:]
		}
		most = max(most, len(s.ledger.accounts))
	}
	if most > 2*int(debtMemory/(10*time.Millisecond))+fewAccounts {
		t.Errorf("%d accounts for 1000 sessions in the time a debt is remembered", most)
	}
}

func TestCosts(t *testing.T) {
	m := tinyCPU
	var c costs
	if d := c.of(ClassPartial).predict(time.Second) + c.usual(ClassFirst); d != 0 {
		t.Errorf("%v predicted by nobody", d)
	}
	c.of(ClassFirst).learn(time.Second, 200*time.Millisecond)
	if d := c.usual(ClassPartial); d != 200*time.Millisecond {
		t.Errorf("a partial is expected to take %v, first ones take 0.2 s", d)
	}
	r := rand.New(rand.NewPCG(1, 1))
	k := c.of(ClassPartial)
	for range 300 {
		length := time.Duration(r.Float64() * float64(12*time.Second))
		k.learn(length, time.Duration(float64(m.cost(ClassPartial, length))*(0.9+0.2*r.Float64())))
	}
	for _, length := range []time.Duration{time.Second, 3 * time.Second, 8 * time.Second, 11 * time.Second, 16 * time.Second} {
		want, got := m.cost(ClassPartial, length), k.predict(length)
		t.Logf("%v of audio: predicted %v, true %v", length, got.Round(time.Millisecond), want)
		if ratio := got.Seconds() / want.Seconds(); ratio < 0.7 || ratio > 1.4 {
			t.Errorf("%v of audio: predicted %v, true %v", length, got, want)
		}
	}
	before := k.predict(time.Second)
	k.learn(time.Second, time.Hour)
	if after := k.predict(time.Second); after > before*5/4 {
		t.Errorf("one freak made %v of %v", after, before)
	}
	if k.predict(0) < 0 || k.predict(time.Hour) < k.predict(12*time.Second) {
		t.Errorf("predicted %v for nothing and %v for an hour", k.predict(0), k.predict(time.Hour))
	}
}

func TestLoad(t *testing.T) {
	l := load{slots: 2, knee: 0.6}
	now := dawn
	l.pass(now, 0)
	if l.rho() != 0 || l.pace() != paceFast {
		t.Errorf("load %v, pace %v at the start", l.rho(), l.pace())
	}
	now = now.Add(time.Minute)
	l.pass(now, 1)
	if l.rho() < 0.49 || l.rho() > 0.51 || l.pace() != paceFast {
		t.Errorf("load %v, pace %v with one of two slots", l.rho(), l.pace())
	}
	now = now.Add(time.Minute)
	l.pass(now, 2)
	if want := 500 * time.Millisecond * 100 / 36; l.pace() < want-time.Millisecond || l.pace() > want {
		t.Errorf("pace %v with all slots, want %v", l.pace(), want)
	}
	for range 1000 {
		l.want(ClassPartial, time.Second)
	}
	if l.rho() != loadMost || l.finals() != 0 || l.pace() != paceSlow {
		t.Errorf("load %v, of finals %v, pace %v under a flood", l.rho(), l.finals(), l.pace())
	}
	l.pass(now.Add(-time.Hour), 0) // a clock that goes back
	l.pass(now.Add(time.Hour), 0)
	if l.rho() > 0.01 {
		t.Errorf("load %v an hour later", l.rho())
	}
}

// TestAdmit: everybody before costs are known, as many as there are slots always,
// then as many as fit; one burst of slow decodes turns nobody away from a box
// with few sessions.
func TestAdmit(t *testing.T) {
	s := newScheduler(defaultPolicy(), 2, 100)
	now := dawn
	if err := s.admit(now, 100_000); err != nil {
		t.Fatalf("refused before anything is known: %v", err)
	}
	decode := func(c Class, length, took time.Duration) {
		x := &ticket{Ask: Ask{Class: c}, length: length}
		if err := s.ask(now, x); err != nil {
			t.Fatal(err)
		}
		s.start(now)
		now = now.Add(took)
		s.finish(now, x, true)
		now = now.Add(5*time.Second - took)
	}
	for range 20 {
		decode(ClassFirst, time.Second, 150*time.Millisecond)
		decode(ClassPartial, 3*time.Second, 200*time.Millisecond)
		decode(ClassFinal, 5*time.Second, time.Second)
	}
	// (1 s + 0.15 s) / 5 s + 0.2 s / 2 s = 0.33 of a slot for a talker: 0.4 of it a
	// session, 0.8 of two slots hold 12.
	held := 0
	for s.admit(now, held) == nil {
		held++
	}
	if held != 12 {
		t.Errorf("%d sessions fit, want 12", held)
	}
	var e *Overload
	if err := s.admit(now, 12); !errors.As(err, &e) || e.RetryAfter < 5*time.Second || e.Why != "12 sessions and one more need 86 % of 2 slots, of which they may have 80 %" {
		t.Errorf("refused with %v", err)
	}
	for range 3 {
		decode(ClassFinal, 5*time.Second, 5*time.Second)
	}
	for n := range 5 {
		if err := s.admit(now, n); err != nil {
			t.Errorf("one more beside %d turned away after a burst: %v", n, err)
		}
	}
}

// TestAdmitWhileFinalsWait: decodes too slow to be known yet turn nobody away by
// what they cost; finals that wait for them do, until they are served.
func TestAdmitWhileFinalsWait(t *testing.T) {
	s := newScheduler(defaultPolicy(), 2, 100)
	tickets := make([]*ticket, 4)
	for i := range tickets {
		tickets[i] = &ticket{Ask: Ask{Class: ClassFinal, Session: fmt.Sprint(i)}, length: 5 * time.Second}
		if err := s.ask(dawn, tickets[i]); err != nil {
			t.Fatal(err)
		}
	}
	s.start(dawn)
	s.start(dawn)
	now := dawn.Add(s.late)
	if err := s.admit(now, 4); err != nil {
		t.Errorf("refused while finals wait for %v: %v", s.late, err)
	}
	now = now.Add(time.Second)
	var e *Overload
	if err := s.admit(now, 4); !errors.As(err, &e) || e.RetryAfter < 5*time.Second || e.Why != "a final of the 4 sessions has waited for 6s" {
		t.Errorf("refused with %v while finals wait for 6 s", err)
	}
	if err := s.admit(now, 1); err != nil {
		t.Errorf("fewer than there are slots: %v", err)
	}
	for _, x := range tickets[:2] {
		s.finish(now, x, true)
		s.start(now)
	}
	if err := s.admit(now, 4); err != nil {
		t.Errorf("refused when all finals are being served: %v", err)
	}
}
