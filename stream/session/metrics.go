package session

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/stream"
)

// metrics are shared by all sessions of a hub. Labels are bounded: no ids.
type metrics struct {
	sessions     prometheus.Gauge
	total        prometheus.Counter
	refused      *prometheus.CounterVec
	audio        prometheus.Counter
	dropped      prometheus.Counter
	concealed    prometheus.Counter
	utterances   *prometheus.CounterVec
	firstPartial prometheus.Histogram
	final        prometheus.Histogram
	firstAudio   prometheus.Histogram
	speculative  *prometheus.CounterVec
	errors       *prometheus.CounterVec
}

var latencies = []float64{.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10}

// newMetrics registers the metrics; with a nil registerer they only count.
func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		register(r, c)
		return c
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		register(r, c)
		return c
	}
	histogram := func(name, help string) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencies})
		register(r, h)
		return h
	}
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "parley_sessions", Help: "Sessions that live."})
	register(r, gauge)
	return &metrics{
		sessions:     gauge,
		total:        counter("parley_sessions_total", "Sessions admitted."),
		refused:      vec("parley_sessions_refused_total", "Sessions refused, by error code.", "code"),
		audio:        counter("parley_input_audio_seconds_total", "Input audio taken in."),
		dropped:      counter("parley_input_dropped_seconds_total", "Input audio dropped because finals were late."),
		concealed:    counter("parley_input_concealed_seconds_total", "Input audio made up for what was lost."),
		utterances:   vec("parley_utterances_total", "Utterances ended, by outcome.", "outcome"),
		firstPartial: histogram("parley_first_partial_seconds", "From the start of speech to its first partial."),
		final:        histogram("parley_final_seconds", "From the end of speech to its final, hangover included."),
		firstAudio:   histogram("parley_first_audio_seconds", "From a speak command to the first audio of it."),
		speculative: vec("parley_session_speculative_total",
			"Final decodes begun in a pause: known when the utterance ended (hit) or not yet (late), of no use because speech went on (cancelled), refused by a busy recogniser, failed.", "outcome"),
		errors: vec("parley_errors_total", "Errors told to clients, by code.", "code"),
	}
}

func register(r prometheus.Registerer, c prometheus.Collector) {
	if r != nil {
		r.MustRegister(c)
	}
}

func (m *metrics) opened() {
	m.sessions.Inc()
	m.total.Inc()
}

func (m *metrics) closed() { m.sessions.Dec() }

func (m *metrics) refuse(code stream.Code) { m.refused.WithLabelValues(string(code)).Inc() }

// meter follows one session for the metrics: the events say when things happened
// by the media clock, the meter knows when that was by the wall clock.
type meter struct {
	m     *metrics
	began map[int]time.Duration    // utterance → when its speech began
	ended map[int]time.Duration    // utterance → when its speech ended
	asked map[string]time.Duration // speech → when its first text came
	last  progress
}

func newMeter(m *metrics) *meter {
	return &meter{m: m, began: map[int]time.Duration{}, ended: map[int]time.Duration{}, asked: map[string]time.Duration{}}
}

// see takes a fact before the state does.
func (t *meter) see(now time.Duration, in input) {
	switch in := in.(type) {
	case onset:
		t.began[in.utt] = now - (in.seen - in.at)
	case ended:
		t.ended[in.utt] = now - (in.seen - in.at)
	case progress:
		t.m.audio.Add((in.to - t.last.to).Seconds())
		t.m.concealed.Add((in.concealed - t.last.concealed).Seconds())
		t.m.dropped.Add((in.dropped - t.last.dropped).Seconds())
		t.last = in
	case asked:
		if c, ok := in.cmd.(stream.Speak); ok {
			if _, known := t.asked[c.Speech]; !known && len(t.asked) < maxReplies {
				t.asked[c.Speech] = now
			}
		}
	}
}

// told takes an event on its way to the peer.
func (t *meter) told(now time.Duration, ev stream.Event) {
	switch ev := ev.(type) {
	case stream.Partial:
		if ev.Rev == 1 {
			t.m.firstPartial.Observe((now - t.began[ev.Utterance]).Seconds())
		}
	case stream.Final:
		t.m.final.Observe((now - t.ended[ev.Utterance]).Seconds())
		t.close(ev.Utterance, "final")
	case stream.Failed:
		t.close(ev.Utterance, "failed")
	case stream.Cleared:
		t.close(ev.Utterance, "cleared")
	case stream.SpeakAudio:
		if at, first := t.asked[ev.Speech]; first && ev.PTS == 0 {
			t.m.firstAudio.Observe((now - at).Seconds())
		}
	case stream.SpeakDone:
		delete(t.asked, ev.Speech)
	case stream.ErrorEvent:
		t.m.errors.WithLabelValues(string(ev.Err.Code)).Inc()
	}
}

func (t *meter) close(utterance int, outcome string) {
	delete(t.began, utterance)
	delete(t.ended, utterance)
	if utterance > 0 {
		t.m.utterances.WithLabelValues(outcome).Inc()
	}
}
