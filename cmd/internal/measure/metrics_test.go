package measure

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// exposed is what Prometheus' own library makes of two counters.
func exposed(t *testing.T) string {
	t.Helper()
	reg := prometheus.NewRegistry()
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_engine_decodes_total", Help: "Of \\ things."}, []string{"kind", "end"})
	plain := prometheus.NewGauge(prometheus.GaugeOpts{Name: "process_cpu_seconds_total"})
	reg.MustRegister(vec, plain)
	vec.WithLabelValues("partial", "done").Add(3)
	vec.WithLabelValues("first_partial", "done").Add(2)
	vec.WithLabelValues("a \"quoted\"\\\n}label", "superseded").Add(7)
	plain.Set(1.25)
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

func TestParseMetrics(t *testing.T) {
	m, err := ParseMetrics(strings.NewReader(exposed(t) + "with_time{} 5 1700000000000\nnot_a_number NaN\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want []string
		sum  float64
	}{
		{"parley_engine_decodes_total", nil, 12},
		{"parley_engine_decodes_total", []string{"kind=partial|first_partial", "end=done"}, 5},
		{"parley_engine_decodes_total", []string{"kind=a \"quoted\"\\\n}label"}, 7},
		{"parley_engine_decodes_total", []string{"slot=1"}, 0},
		{"process_cpu_seconds_total", nil, 1.25},
		{"with_time", nil, 5},
		{"nothing", nil, 0},
	} {
		if got := m.Sum(c.name, c.want...); got != c.sum {
			t.Errorf("%s %v: %v, want %v", c.name, c.want, got, c.sum)
		}
	}
	for _, bad := range []string{"name", "name ", "name x", "{a=\"b\"} 1", "name{a} 1", "name{a=\"b} 1", "name{a=\"b\"", "name{a=\"b\"}"} {
		if _, err := ParseMetrics(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseMetrics(f *testing.F) {
	for _, seed := range []string{"# HELP a b\na 1\n", "a{b=\"c\",d=\"\\n\\\"\"} 2e-3 17\n", "a{", "a{b=\"", "\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMetrics(strings.NewReader(text))
		if err != nil {
			return
		}
		samples := 0
		for name, list := range m {
			samples += len(list)
			if name == "" {
				t.Error("a metric without name")
			}
		}
		if lines := strings.Count(text, "\n") + 1; samples > lines {
			t.Errorf("%d samples of %d lines", samples, lines)
		}
	})
}

func TestServersAreMetered(t *testing.T) {
	cpu := "10.5"
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"))
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("process_cpu_seconds_total " + cpu + "\nprocess_resident_memory_bytes 2e+08\n" +
			`parley_engine_decodes_total{kind="partial",end="superseded"} ` + cpu[:2] + "\n" +
			`parley_session_speculative_total{outcome="hit"} ` + cpu[:2] + "\n" +
			`parley_session_speculative_total{outcome="late"} 1` + cpu[:2] + "\n" +
			`parley_session_speculative_total{outcome="cancelled"} 2` + cpu[:2] + "\n"))
	}))
	defer server.Close()
	w, err := StartWatch(t.Context(), MetricsMeter{URL: server.URL + "/metrics", APIKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	cpu = "12.75"
	var f Figures
	if err := w.Stop(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	want := Server{Known: true, CPU: 2250 * time.Millisecond, RSS: 200_000_000, Counted: true, Coalesced: 2, Speculated: 4, SpeculatedHit: 2}
	if diff := cmp.Diff(want, f.Server); diff != "" || f.Generator.Wall <= 0 {
		t.Error(diff, f.Generator)
	}
	if asked[0] != "Bearer key" {
		t.Errorf("asked with %q", asked[0])
	}
	if _, err := (MetricsMeter{URL: server.URL + "/else"}).Read(t.Context()); !errors.Is(err, ErrNoMetrics) {
		t.Errorf("no metrics: %v", err)
	}
}

func TestProcessesAreMetered(t *testing.T) {
	got, err := parseStat("27842 (a (strange) name) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 3 0 100 5000 10 184 0")
	if err != nil || got.CPU != 1750*time.Millisecond || got.RSS <= 0 || got.RSS%10 != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "1 (x) S", "1 (x) S 1 2 3 4 5 6 7 8 9 10 a 25 0 0 20 0 3 0 100 5000 10 184"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := (ProcessMeter{PID: -1}).Read(context.Background()); err == nil {
		t.Error("a process that cannot be")
	}
}
