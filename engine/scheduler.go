package engine

import (
	"fmt"
	"slices"
	"time"
)

// policy is what a scheduler is tuned by; docs/recognition.md says how.
type policy struct {
	// patience is how long the last partial in line may have to wait: beyond the
	// slowest pace it is better to gather more audio than to queue.
	patience time.Duration
	// firsts is how many first partials go before a partial that waits.
	firsts int
	// speculate is the share of the slots that finals may have while speculative
	// ones are still taken. The whole load says nothing about it: partials give way,
	// and a speculative final that comes true costs no more than the final later.
	speculate float64
	// talk is the share of time a session is expected to talk, full the predicted
	// load up to which one more is taken: the rest is the reserve of finals, which
	// come in bunches.
	talk, full float64
	// late is how long a final may wait for a slot before nobody more is let in,
	// whatever the costs known so far predict.
	late time.Duration
	// knee is the load up to which the pace is the fastest.
	knee float64
}

func defaultPolicy() policy {
	return policy{patience: paceSlow, firsts: 3, speculate: 0.6, talk: 0.4, full: 0.8, late: 5 * time.Second, knee: 0.6}
}

// scheduler decides which decode runs when and which never does. It is pure: no
// goroutines, no locks, no clock; times handed in must not go back. Its owner
// tells of what happens, then asks for start and for told until they have no more.
type scheduler struct {
	policy
	queue
	limit   int // most tickets that wait
	costs   costs
	load    load
	outs    []*ticket
	refused int // sessions, for hints that differ
}

func newScheduler(p policy, slots, limit int) *scheduler {
	return &scheduler{
		policy: p,
		queue:  queue{slots: slots, ledger: newLedger(), most: p.firsts, quantum: time.Millisecond},
		limit:  limit,
		load:   load{slots: float64(slots), knee: p.knee},
	}
}

// ask lets a ticket wait, or says why it may not: an *Overload. Others may be
// put out for it.
func (s *scheduler) ask(now time.Time, t *ticket) error {
	s.pass(now)
	if err := s.mayWait(now, t); err != nil {
		if t.Class != ClassSpeculative { // its final is still to come
			s.refuse(now, t)
		}
		return err
	}
	s.replace(t)
	s.push(t, now)
	t.cost = s.expect(t)
	if t.Class.partial() {
		s.shorten(now)
	}
	if t.out != nil { // it was the last in line itself
		s.outs = slices.DeleteFunc(s.outs, func(o *ticket) bool { return o == t })
	}
	return t.out
}

// expect is what a ticket will cost. How long the audio of a partial is shows
// when it starts: until then it is as long as the session's last one.
func (s *scheduler) expect(t *ticket) time.Duration {
	k := s.costs.of(t.Class)
	switch {
	case !t.Class.partial():
		return k.predict(t.length)
	case t.Class == ClassPartial && t.account != nil && t.account.length > 0 && k.all.n > 0:
		return k.predict(t.account.length)
	}
	return s.costs.usual(t.Class)
}

// mayWait makes room where the queue is full: a final takes the place of the
// last of the others, a newer partial that of the older one.
func (s *scheduler) mayWait(now time.Time, t *ticket) error {
	if t.Class == ClassSpeculative {
		switch {
		case s.load.finals() > s.speculate:
			return s.overload(0, "finals take %.0f %% of the slots; beyond %.0f %% there are no speculative ones", 100*s.load.finals(), 100*s.speculate)
		case s.count(ClassFinal) > 0:
			return s.overload(0, "%d finals wait, which go before speculative ones", s.count(ClassFinal))
		}
	}
	if len(s.waiting) < s.limit || s.free() > 0 || t.Class != ClassFinal && s.same(t) != nil {
		return nil
	}
	if last := s.last(ClassSpeculative); t.Class == ClassFinal && last != nil {
		s.put(last, ErrPreempted)
		return nil
	}
	return s.overload(s.ahead(nil, now), "%d decodes wait, which is the limit", len(s.waiting))
}

// same is the waiting ticket that t makes useless: of its session, and a partial
// as it is, or a speculative final as it is.
func (s *scheduler) same(t *ticket) *ticket {
	for _, w := range s.waiting {
		if w.Session == t.Session && t.Session != "" && w.Class.partial() == t.Class.partial() && w.Class != ClassFinal {
			return w
		}
	}
	return nil
}

// replace puts out what t makes useless. A newer ask has the place of the older
// one, so that asking again never loses it. Nobody reads a partial of a session
// any more, nor what it speculated, once it asks for its final.
func (s *scheduler) replace(t *ticket) {
	if t.Session == "" {
		return
	}
	if t.Class != ClassFinal {
		if old := s.same(t); old != nil {
			t.Class, t.order = min(t.Class, old.Class), old.order
			if t.Due.IsZero() || old.Due.Before(t.Due) {
				t.Due = old.Due
			}
			s.put(old, ErrSuperseded)
		}
		return
	}
	for i := len(s.waiting) - 1; i >= 0; i-- {
		if w := s.waiting[i]; w.Session == t.Session && w.Class != ClassFinal {
			s.put(w, ErrSuperseded)
		}
	}
	for _, r := range s.running {
		if r.Session == t.Session && r.Class != ClassFinal && r.out == nil {
			r.out = ErrPreempted
			s.outs = append(s.outs, r)
		}
	}
}

// shorten puts out the last partials while they would wait beyond patience.
// As many as there are slots always have a place, whatever they cost.
func (s *scheduler) shorten(now time.Time) {
	for n := s.count(ClassFirst) + s.count(ClassPartial); n > s.slots; n-- {
		last := s.last(ClassFirst)
		wait := s.ahead(last, now)
		if wait <= s.patience {
			return
		}
		s.refuse(now, last)
		s.put(last, s.overload(wait, "%d partials wait, the last one for %v", n, wait.Round(time.Millisecond)))
	}
}

// refuse counts work that is wanted and not done, once a pace however often a
// session comes back for it.
func (s *scheduler) refuse(now time.Time, t *ticket) {
	a := s.ledger.open(t.Session, now)
	a.users--
	if now.Sub(a.refused) >= s.load.pace() {
		a.refused = now
		s.load.want(t.Class, s.expect(t))
	}
}

// put ends a waiting ticket's wait.
func (s *scheduler) put(t *ticket, why error) {
	if s.remove(t) {
		t.out = why
		s.outs = append(s.outs, t)
	}
}

// start gives a slot to the next ticket, nil where none is free or nobody waits.
func (s *scheduler) start(now time.Time) *ticket {
	s.pass(now)
	if s.free() == 0 {
		return nil
	}
	t := s.next()
	if t == nil {
		return nil
	}
	s.queue.start(t, now)
	s.load.want(t.Class, t.cost)
	return t
}

// told is the next ticket whose owner has to hear that it is out, for the reason
// in it. One that runs keeps its slot until finish.
func (s *scheduler) told() *ticket {
	if v := s.victim(); v != nil {
		v.out = ErrPreempted
		s.outs = append(s.outs, v)
	}
	if len(s.outs) == 0 {
		return nil
	}
	t := s.outs[0]
	s.outs = s.outs[1:]
	return t
}

// withdraw takes back a ticket that waits; false where it does not.
func (s *scheduler) withdraw(t *ticket) bool { return s.remove(t) }

// finish ends a running ticket. done says that the decode came to its end: only
// such ones teach what decodes cost. A final that did is free, since everybody
// is owed his finals; a partial that was called off for one is free too. All
// else is on the session's account.
func (s *scheduler) finish(now time.Time, t *ticket, done bool) {
	s.pass(now)
	took := now.Sub(t.began)
	owes := took
	if t.out != nil && !done || done && !t.Class.partial() {
		owes = 0
	}
	if !s.queue.finish(t, owes) || !done {
		return
	}
	s.load.hear(t.account.done(t.Class, t.length))
	s.costs.of(t.Class).learn(t.length, took)
	s.quantum = max(time.Millisecond, s.costs.usual(ClassPartial)/2)
}

// promote makes the speculative finals of a session finals: somebody waits now.
func (s *scheduler) promote(session string) {
	for _, ts := range [][]*ticket{s.waiting, s.running} {
		for _, t := range ts {
			if t.Session == session && t.Class == ClassSpeculative && t.out == nil {
				t.Class = ClassFinal
			}
		}
	}
}

// predict is the load of so many sessions at the slowest pace, 0 where nothing
// is known: each talks its share of the time, or as many talk as lately did and
// one more does.
func (s *scheduler) predict(sessions int) float64 {
	final, first, partial := s.costs.of(ClassFinal), s.costs.of(ClassFirst), s.costs.of(ClassPartial)
	work := 0. // seconds of decoding for a second of speech
	if final.all.n >= costSure && final.audio.value > 0 {
		work += (final.all.value + first.all.value) / final.audio.value
	}
	if partial.all.n >= costSure {
		work += partial.all.value / paceSlow.Seconds()
	}
	talkers := max(s.talk*float64(sessions), s.load.heard+s.talk)
	return talkers * work / float64(s.slots)
}

// admit says whether one more session can be served beside so many: nil, or an
// *Overload. As many as there are slots always are, and all are while nothing is
// known of what they cost and no final is late: where decodes are very slow it
// takes long until enough are known.
func (s *scheduler) admit(now time.Time, sessions int) error {
	s.pass(now)
	if sessions < s.slots {
		return nil
	}
	why := ""
	if load, waits := s.predict(sessions+1), s.oldest(ClassFinal, now); load > s.full {
		why = fmt.Sprintf("%d sessions and one more need %.0f %% of %d slots, of which they may have %.0f %%",
			sessions, 100*load, s.slots, 100*s.full)
	} else if waits > s.late {
		why = fmt.Sprintf("a final of the %d sessions has waited for %v", sessions, waits.Round(100*time.Millisecond))
	} else {
		return nil
	}
	s.refused++ // those refused together shall not come back together
	return &Overload{RetryAfter: 5*time.Second + time.Duration(s.refused%16)*500*time.Millisecond, Why: why}
}

// pass accounts for the time up to now.
func (s *scheduler) pass(now time.Time) { s.load.pass(now, len(s.running)) }

// overload is a refusal with a hint: the next pace, or later if known.
func (s *scheduler) overload(wait time.Duration, format string, args ...any) *Overload {
	return &Overload{RetryAfter: max(wait, s.load.pace()).Round(time.Millisecond), Why: fmt.Sprintf(format, args...)}
}
