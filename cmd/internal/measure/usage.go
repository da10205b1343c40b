package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/cmd/internal/cputime"
)

// Usage is what a server has used so far.
type Usage struct {
	CPU     time.Duration
	RSS     int64   // bytes, now
	Metrics Metrics // nil where it has none
}

// Meter asks a server what it has used.
type Meter interface {
	Read(context.Context) (Usage, error)
}

// ErrNoMetrics: the server does not say what it uses.
var ErrNoMetrics = errors.New("the server tells no metrics")

// MetricsMeter reads Prometheus' metrics over HTTP.
type MetricsMeter struct {
	URL    string // http://HOST/metrics
	APIKey string
}

// Read implements Meter.
func (m MetricsMeter) Read(ctx context.Context) (Usage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL, nil)
	if err != nil {
		return Usage{}, err
	}
	if m.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+m.APIKey)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Usage{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Usage{}, fmt.Errorf("%w: %s: HTTP %s", ErrNoMetrics, m.URL, resp.Status)
	}
	metrics, err := ParseMetrics(resp.Body)
	if err != nil {
		return Usage{}, fmt.Errorf("%s: %w", m.URL, err)
	}
	if !metrics.Has("process_cpu_seconds_total") {
		return Usage{}, fmt.Errorf("%w: %s has no process_cpu_seconds_total", ErrNoMetrics, m.URL)
	}
	return Usage{
		CPU:     time.Duration(metrics.Sum("process_cpu_seconds_total") * float64(time.Second)),
		RSS:     int64(metrics.Sum("process_resident_memory_bytes")),
		Metrics: metrics,
	}, nil
}

// ProcessMeter reads what Linux says of a process of this machine, see
// proc_pid_stat(5).
type ProcessMeter struct{ PID int }

// tick is the unit of times in /proc: USER_HZ, 100 on every platform of Go's.
const tick = 10 * time.Millisecond

// Read implements Meter.
func (m ProcessMeter) Read(context.Context) (Usage, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.PID))
	if err != nil {
		return Usage{}, err
	}
	return parseStat(string(text))
}

func parseStat(text string) (Usage, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from the state on, field 3
	if len(fields) < 22 {
		return Usage{}, errors.New("/proc: a stat file that is too short")
	}
	var values [3]int64
	for i, field := range []int{14, 15, 24} { // utime, stime, rss in pages
		v, err := strconv.ParseInt(fields[field-3], 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("/proc: stat: %w", err)
		}
		values[i] = v
	}
	return Usage{CPU: time.Duration(values[0]+values[1]) * tick, RSS: values[2] * int64(os.Getpagesize())}, nil
}

// Watch reads a meter before, during and after a run.
type Watch struct {
	meter  Meter
	before Usage
	most   int64
	stop   context.CancelFunc
	work   sync.WaitGroup
	own    time.Duration
	begun  time.Time
}

// StartWatch takes the first reading. Stop must be called.
func StartWatch(ctx context.Context, m Meter) (*Watch, error) {
	w := &Watch{meter: m, own: cputime.Used(), begun: time.Now()}
	if m != nil {
		var err error
		if w.before, err = m.Read(ctx); err != nil {
			return nil, err
		}
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.work.Go(func() { w.sample(ctx) })
	return w, nil
}

// sample looks every second how much memory is in use.
func (w *Watch) sample(ctx context.Context) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for w.meter != nil {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		if u, err := w.meter.Read(ctx); err == nil {
			w.most = max(w.most, u.RSS)
		}
	}
}

// Stop takes the last reading and fills in what was used since the first.
func (w *Watch) Stop(ctx context.Context, f *Figures) error {
	w.stop()
	w.work.Wait()
	f.Generator.Wall, f.Generator.CPU = time.Since(w.begun), cputime.Used()-w.own
	if w.meter == nil {
		return nil
	}
	after, err := w.meter.Read(ctx)
	if err != nil {
		return err
	}
	f.Server = Server{Known: true, CPU: after.CPU - w.before.CPU, RSS: max(w.most, w.before.RSS, after.RSS)}
	f.Server.count(w.before.Metrics, after.Metrics)
	return nil
}

// The counters that say what became of decodes, by kind and end, and of finals
// begun in a pause, by outcome.
const (
	decodes     = "parley_engine_decodes_total"
	speculative = "parley_session_speculative_total"
)

func (s *Server) count(before, after Metrics) {
	since := func(want ...string) int { return int(after.Sum(decodes, want...) - before.Sum(decodes, want...)) }
	const partials = "kind=first_partial|partial"
	s.Counted = after.Has(decodes)
	s.Refused = since(partials, "end=refused")
	s.Coalesced = since(partials, "end=superseded")
	s.Preempted = since(partials, "end=preempted")
	s.Decoded = since(partials, "end=done")
	s.FinalDecode = since("kind=final|speculative", "end=done")
	ahead := func(want string) int { return int(after.Sum(speculative, want) - before.Sum(speculative, want)) }
	s.SpeculatedHit = ahead("outcome=hit")
	s.Speculated = ahead("outcome=hit|late|refused|failed")
}
