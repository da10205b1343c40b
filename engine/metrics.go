package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How decodes end, as metrics say it: each that was asked for ends in one way.
const (
	endDone       = "done"
	endFailed     = "failed"
	endCancelled  = "cancelled"  // by the caller
	endRefused    = "refused"    // ErrBusy
	endSuperseded = "superseded" // by a newer one of the session, before it began
	endPreempted  = "preempted"  // by a final
)

// poolMetrics is a pool's collectors; nil counts nothing.
type poolMetrics struct {
	reg     prometheus.Registerer
	wait    *prometheus.HistogramVec
	rtf     *prometheus.HistogramVec
	decodes *prometheus.CounterVec
	turned  prometheus.Counter
	state   *poolState
}

func newPoolMetrics(reg prometheus.Registerer, stats func() Stats) (*poolMetrics, error) {
	if reg == nil {
		return nil, nil
	}
	kind := []string{"kind"}
	m := &poolMetrics{
		reg: reg,
		wait: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "parley_engine_queue_wait_seconds",
			Help: "Time a decode waited for a slot.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 11)}, kind),
		rtf: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "parley_engine_real_time_factor",
			Help: "Time of a decode divided by the length of its audio.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 11)}, kind),
		decodes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_engine_decodes_total",
			Help: "Decodes asked for, by how they ended."}, []string{"kind", "end"}),
		turned: prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_engine_sessions_refused_total",
			Help: "Sessions not admitted because of the load predicted."}),
		state: newPoolState(stats),
	}
	for i, c := range m.all() {
		if err := reg.Register(c); err != nil {
			for _, c := range m.all()[:i] {
				reg.Unregister(c)
			}
			return nil, err
		}
	}
	return m, nil
}

func (m *poolMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.wait, m.rtf, m.decodes, m.turned, m.state}
}

func (m *poolMetrics) waited(c Class, d time.Duration) {
	if m != nil {
		m.wait.WithLabelValues(c.String()).Observe(d.Seconds())
	}
}

func (m *poolMetrics) decoded(c Class, took, audio time.Duration) {
	if m != nil && audio > 0 {
		m.rtf.WithLabelValues(c.String()).Observe(took.Seconds() / audio.Seconds())
	}
}

func (m *poolMetrics) ended(c Class, how string) {
	if m != nil {
		m.decodes.WithLabelValues(c.String(), how).Inc()
	}
}

func (m *poolMetrics) turnedAway() {
	if m != nil {
		m.turned.Inc()
	}
}

func (m *poolMetrics) unregister() {
	if m != nil {
		for _, c := range m.all() {
			m.reg.Unregister(c)
		}
	}
}

// poolState collects what a pool does right now, all of it at one moment.
type poolState struct {
	stats                       func() Stats
	slots, running, queued, age *prometheus.Desc
	load, pace, talk            *prometheus.Desc
}

func newPoolState(stats func() Stats) *poolState {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("parley_engine_"+name, help, labels, nil)
	}
	return &poolState{
		stats:   stats,
		slots:   desc("slots", "Slots of the pool."),
		running: desc("running", "Decodes that run now."),
		queued:  desc("queued", "Decodes that wait.", "kind"),
		age:     desc("queue_age_seconds", "How long the oldest decode has waited.", "kind"),
		load:    desc("load", "Work asked for, as a share of what the slots can do; over 1 some is refused."),
		pace:    desc("pace_seconds", "New audio a session gathers between two partials."),
		talk:    desc("talkers", "Sessions that talk, from the speech in finals of the last minute."),
	}
}

// Describe implements prometheus.Collector.
func (s *poolState) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, to) }

// Collect implements prometheus.Collector.
func (s *poolState) Collect(to chan<- prometheus.Metric) {
	now := s.stats()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(s.slots, float64(now.Slots))
	gauge(s.running, float64(now.Running))
	gauge(s.load, now.Load)
	gauge(s.pace, now.Pace.Seconds())
	gauge(s.talk, now.Talkers)
	for c := range Classes {
		gauge(s.queued, float64(now.Waiting[c]), c.String())
		gauge(s.age, now.Oldest[c].Seconds(), c.String())
	}
}
