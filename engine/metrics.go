package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// poolMetrics is a pool's collectors; nil counts nothing.
type poolMetrics struct {
	reg         prometheus.Registerer
	all         []prometheus.Collector
	wait        *prometheus.HistogramVec
	rtf         *prometheus.HistogramVec
	busy        *prometheus.CounterVec
	preemptions prometheus.Counter
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
		busy: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_engine_busy_total",
			Help: "Decodes refused because the queue was full."}, kind),
		preemptions: prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_engine_preemptions_total",
			Help: "Partials that gave their place to a final."}),
	}
	gauge := func(name, help string, labels prometheus.Labels, value func(Stats) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value(stats())) })
	}
	m.all = []prometheus.Collector{m.wait, m.rtf, m.busy, m.preemptions,
		gauge("parley_engine_slots", "Slots of the pool.", nil, func(s Stats) int { return s.Slots }),
		gauge("parley_engine_running", "Decodes that run now.", nil, func(s Stats) int { return s.Running }),
		gauge("parley_engine_queued", "Decodes that wait.", prometheus.Labels{"kind": "final"}, func(s Stats) int { return s.WaitFinals }),
		gauge("parley_engine_queued", "Decodes that wait.", prometheus.Labels{"kind": "partial"}, func(s Stats) int { return s.WaitPartials }),
	}
	for i, c := range m.all {
		if err := reg.Register(c); err != nil {
			m.all = m.all[:i]
			m.unregister()
			return nil, err
		}
	}
	return m, nil
}

func kindOf(final bool) string {
	if final {
		return "final"
	}
	return "partial"
}

func (m *poolMetrics) waited(final bool, d time.Duration) {
	if m != nil {
		m.wait.WithLabelValues(kindOf(final)).Observe(d.Seconds())
	}
}

func (m *poolMetrics) decoded(final bool, took, audio time.Duration) {
	if m != nil && audio > 0 {
		m.rtf.WithLabelValues(kindOf(final)).Observe(took.Seconds() / audio.Seconds())
	}
}

func (m *poolMetrics) refused(final bool) {
	if m != nil {
		m.busy.WithLabelValues(kindOf(final)).Inc()
	}
}

func (m *poolMetrics) preempted() {
	if m != nil {
		m.preemptions.Inc()
	}
}

func (m *poolMetrics) unregister() {
	if m != nil {
		for _, c := range m.all {
			m.reg.Unregister(c)
		}
	}
}
