package engine

import (
	"container/heap"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// sim drives a scheduler through time that it makes up: events in order, slots
// that take what a machine says, no goroutine and no clock. The same seed gives
// the same run.
type sim struct {
	t       *testing.T
	s       *scheduler
	m       machine
	r       *rand.Rand
	now     time.Time
	events  events
	ordered int
	jobs    map[*ticket]*job
	busy    time.Duration // slot time used, wasted included
	wasted  time.Duration // of it by decodes called off
	ended   map[Class]map[string]int
	reserve bool // keep the last slot from partials while somebody may have stopped
}

var dawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newSim(t *testing.T, p policy, m machine, slots, limit int) *sim {
	return &sim{t: t, s: newScheduler(p, slots, limit), m: m, r: rand.New(rand.NewPCG(7, 7)), now: dawn,
		jobs: map[*ticket]*job{}, ended: map[Class]map[string]int{}}
}

// machine is what decodes take: an encoder that cannot be called off, then steps
// of a decoder between which it can.
type machine struct {
	name   string
	encode []time.Duration // of 5.12 s more audio each, the last one for the whole 30 s
	fixed  time.Duration   // beside: spectrogram, prefix
	step   time.Duration   // one token
}

var (
	// One thread of a small server, a tiny model: asr findings 1.6.
	tinyCPU = machine{"tiny on a CPU core", millis(110, 250, 400, 570, 770, 980), 20 * time.Millisecond, 8 * time.Millisecond}
	// A data centre GPU, turbo: an estimate, what counts is that encoders are short.
	turboGPU = machine{"turbo on a GPU", millis(2, 3, 5, 6, 8, 10), time.Millisecond, 500 * time.Microsecond}
)

func millis(ms ...int) (ds []time.Duration) {
	for _, n := range ms {
		ds = append(ds, time.Duration(n)*time.Millisecond)
	}
	return ds
}

// of is the part that cannot be called off and the number of steps after it.
func (m machine) of(c Class, audio time.Duration) (encode time.Duration, steps int) {
	last := len(m.encode) - 1
	if !c.partial() {
		return m.encode[last] + m.fixed, 4 + int(3*audio.Seconds())
	}
	return m.encode[min(int((audio+600*time.Millisecond)/(5120*time.Millisecond)), last)] + m.fixed, 6
}

func (m machine) cost(c Class, audio time.Duration) time.Duration {
	encode, steps := m.of(c, audio)
	return encode + time.Duration(steps)*m.step
}

// job is a decode that a simulated session wants.
type job struct {
	latest func() time.Duration // length of a partial's audio, when it starts
	end    func(error)
	cost   time.Duration
	over   bool // somebody was told
}

type event struct {
	at time.Time
	n  int
	do func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (m *sim) after(d time.Duration, do func()) {
	m.ordered++
	heap.Push(&m.events, event{m.now.Add(d), m.ordered, do})
}

// run lets time pass.
func (m *sim) run(d time.Duration) {
	until := m.now.Add(d)
	for len(m.events) > 0 && !m.events[0].at.After(until) {
		e := heap.Pop(&m.events).(event)
		m.now = e.at
		e.do()
	}
	m.now = until
}

// ask is Pool.Partial or Pool.Final: end is called once, with how it ended.
func (m *sim) ask(a Ask, length time.Duration, latest func() time.Duration, end func(error)) *ticket {
	t := &ticket{Ask: a, length: length}
	class := a.Class
	j := &job{latest: latest, end: func(err error) {
		if m.ended[class] == nil {
			m.ended[class] = map[string]int{}
		}
		m.ended[class][simEnd(err)]++
		end(err)
	}}
	m.jobs[t] = j
	if err := m.s.ask(m.now, t); err != nil {
		delete(m.jobs, t)
		j.end(err)
	}
	m.pump()
	return t
}

func simEnd(err error) string {
	switch {
	case err == nil:
		return endDone
	case errors.Is(err, ErrSuperseded):
		return endSuperseded
	case errors.Is(err, ErrPreempted):
		return endPreempted
	case errors.Is(err, ErrBusy):
		return endRefused
	}
	return endCancelled
}

var errLeft = errors.New("the caller left")

// leave is the caller's context coming to its end.
func (m *sim) leave(t *ticket) {
	j := m.jobs[t]
	if j == nil {
		return
	}
	if m.s.withdraw(t) {
		delete(m.jobs, t)
		j.end(errLeft)
	} else {
		m.stop(t, j, errLeft)
	}
	m.pump()
}

func (m *sim) pump() {
	for !m.reserve || !m.reserved() {
		t := m.s.start(m.now)
		if t == nil {
			break
		}
		m.begin(t)
	}
	for t := m.s.told(); t != nil; t = m.s.told() {
		j := m.jobs[t]
		if j == nil {
			m.t.Fatalf("%v of %s was put out and is not there", t.Class, t.Session)
		}
		if t.began.IsZero() {
			delete(m.jobs, t)
			j.end(t.out)
			continue
		}
		m.stop(t, j, t.out)
	}
	if len(m.s.running) > m.s.slots || len(m.s.waiting) > m.s.limit+m.s.slots {
		m.t.Fatalf("%d run, %d wait", len(m.s.running), len(m.s.waiting))
	}
}

// reserved is a policy that was tried and found not to pay: whether the next one
// is a partial and has to leave the last slot free.
func (m *sim) reserved() bool {
	if t := m.s.next(); t == nil || !t.Class.partial() || m.s.free() != 1 || m.s.slots == 1 {
		return false
	}
	return slices.ContainsFunc(m.s.running, func(t *ticket) bool { return t.Class == ClassSpeculative })
}

func (m *sim) begin(t *ticket) {
	j := m.jobs[t]
	if j == nil || j.cost != 0 {
		m.t.Fatalf("%v of %s began twice or after its end", t.Class, t.Session)
	}
	if j.latest != nil {
		t.length = j.latest()
	}
	j.cost = m.m.cost(t.Class, t.length)
	m.after(j.cost, func() { m.finish(t, j, nil) })
}

// stop calls off what runs: the slot is free after the encoder, or the step.
func (m *sim) stop(t *ticket, j *job, why error) {
	if j.over {
		return
	}
	j.over = true
	encode, _ := m.m.of(t.Class, t.length)
	ran := m.now.Sub(t.began)
	left := encode - ran
	if left < 0 {
		left = (m.m.step - (ran-encode)%m.m.step) % m.m.step
	}
	if ran+left >= j.cost { // it comes to its end before it looks
		j.over = false
		return
	}
	m.after(left, func() { m.finish(t, j, why) })
}

func (m *sim) finish(t *ticket, j *job, err error) {
	if m.jobs[t] != j || j.over && err == nil {
		return
	}
	delete(m.jobs, t)
	took := m.now.Sub(t.began)
	m.busy += took
	if err != nil {
		m.wasted += took
	}
	m.s.finish(m.now, t, err == nil)
	j.end(err)
	m.pump()
}

// poisson calls f at random moments, so many a second on average. They are the
// same ones whatever else happens.
func (m *sim) poisson(rate float64, f func()) {
	r := rand.New(rand.NewPCG(1, 1))
	var again func()
	again = func() {
		m.after(time.Duration(r.ExpFloat64()/rate*float64(time.Second)), func() {
			f()
			again()
		})
	}
	again()
}

func (m *sim) exp(mean time.Duration) time.Duration {
	return time.Duration(m.r.ExpFloat64() * float64(mean))
}

// sample is measured values.
type sample []time.Duration

func (s *sample) add(d time.Duration) { *s = append(*s, d) }

// p is a percentile, 0 of nothing.
func (s sample) p(percent float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(percent/100*float64(len(s))))-1)]
}

// short is a duration for people.
type short time.Duration

func (d short) String() string { return fmt.Sprintf("%.3gs", time.Duration(d).Seconds()) }

func (s sample) String() string {
	return fmt.Sprintf("p50 %v p95 %v p99 %v max %v (%d)", short(s.p(50)), short(s.p(95)), short(s.p(99)), short(s.p(100)), len(s))
}
