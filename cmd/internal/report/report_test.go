package report

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/cmd/internal/measure"
	"parley/cmd/internal/wer"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// figures of a made-up run.
func figures(sessions int, slow float64) measure.Figures {
	d := func(ms float64) time.Duration { return time.Duration(ms * slow * float64(time.Millisecond)) }
	spread := func(ms float64) measure.Spread {
		return measure.Spread{N: 10, P50: d(ms), P95: d(2 * ms), P99: d(3 * ms), Greatest: d(4 * ms)}
	}
	return measure.Figures{
		Sessions: sessions, Audio: time.Duration(sessions) * 30 * time.Second, Speech: time.Duration(sessions) * 12 * time.Second,
		Spoken: 6 * sessions, Partials: 18 * sessions,
		Latency:   measure.Latency{First: spread(600), Commit: spread(1200), Final: spread(550), Age: spread(150)},
		Text:      measure.Text{Final: wer.Count{Words: 100, Substituted: 3}, Words: 100, Changed: 20, Erased: 25},
		Losses:    measure.Losses{Late: 1},
		Server:    measure.Server{Known: true, CPU: d(4000 * float64(sessions)), RSS: 170e6, Counted: true, Decoded: 20, Coalesced: 3, Preempted: 1},
		Generator: measure.Generator{Late: 3 * time.Millisecond, LateMost: 9 * time.Millisecond, Wall: 32 * time.Second},
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

func TestTables(t *testing.T) {
	unknown := figures(64, 5)
	unknown.Server = measure.Server{}
	unknown.Text.Final = wer.Count{}
	unknown.Latency.Commit = measure.Spread{}
	for name, rows := range map[string][]Row{
		"sweep.txt": {{Figures: figures(1, 1)}, {Figures: figures(16, 1.5)}, {Figures: unknown}},
		"compare.txt": {
			{"default", 1, figures(4, 1)}, {"naive", 1, figures(4, 2)}, {"default", 2, figures(4, 1.2)}, {"naive", 2, figures(4, 3)},
			{"default", 1, figures(8, 1)}, {"naive", 1, figures(8, 4)},
		},
	} {
		var b strings.Builder
		if err := Table(&b, Points(rows)); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

func TestMediansAndRatios(t *testing.T) {
	points := Points([]Row{
		{"a", 1, figures(4, 1)}, {"b", 1, figures(4, 2)},
		{"a", 2, figures(4, 1.5)}, {"b", 2, figures(4, 2)},
		{"a", 3, figures(4, 9)}, {"b", 3, figures(4, 6)},
	})
	if len(points) != 2 || points[0].Server != "a" || points[0].Values["first_p50_ms"] != 900 || points[1].Values["first_p50_ms"] != 1200 {
		t.Fatalf("%+v", points)
	}
	ratios := Ratios(points)
	if len(ratios) != 1 || ratios[0].Sessions != 4 || math.Abs(ratios[0].Values["first_p50_ms"]-4.0/3) > 1e-9 || ratios[0].Values["words"] != 1 {
		t.Errorf("%+v", ratios)
	}
	if Ratios(points[:1]) != nil {
		t.Error("one server is compared with itself")
	}
}

func TestCSVIsReadAgain(t *testing.T) {
	unknown := figures(2, 1)
	unknown.Server.Known = false
	rows := []Row{{"--slots 1, \"quoted\"", 1, figures(1, 1)}, {"b", 1, unknown}}
	var b strings.Builder
	if err := CSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		if _, twice := at[name]; twice {
			t.Errorf("two columns are called %s", name)
		}
		at[name] = i
	}
	if lines[1][0] != rows[0].Server || lines[1][at["first_p99_ms"]] != "1800" || lines[2][at["cpu_s"]] != "" || lines[1][at["wer_final"]] != "0.03" {
		t.Errorf("%v", lines[1:])
	}
	for i, text := range lines[1][2:] {
		if _, err := strconv.ParseFloat(text, 64); text != "" && err != nil {
			t.Errorf("%s: %v", lines[0][i+2], err)
		}
	}
}

func TestJSONHasNoNaN(t *testing.T) {
	b, err := json.Marshal(Values{"a": 1.5, "b": math.NaN(), "c": math.Inf(1)})
	if err != nil || string(b) != `{"a":1.5,"b":null,"c":null}` {
		t.Errorf("%s, %v", b, err)
	}
}

// drawn reads a drawing and counts its elements.
func drawn(t *testing.T, svg string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			count[e.Name.Local]++
		}
	}
}

func TestPlots(t *testing.T) {
	nothing := figures(3, 1)
	nothing.Latency, nothing.Server = measure.Latency{}, measure.Server{}
	for _, c := range []struct {
		name    string
		rows    []Row
		circles int // a figure each
	}{
		{"none", nil, 0},
		{"one", []Row{{Figures: figures(1, 1)}}, 7},
		{"a sweep", []Row{{Figures: figures(1, 0.001)}, {Figures: figures(4, 1)}, {Figures: figures(16, 1000)}}, 21},
		{"two servers", []Row{{"a <b> & \"c\"", 1, figures(1, 1)}, {"--policy naive and much more than fits", 1, figures(1, 2)}}, 14},
		{"nothing known", []Row{{Figures: nothing}, {Figures: figures(4, 1)}}, 7},
	} {
		var b strings.Builder
		if err := Plot(&b, "commands.en", "24 clips <&>", Points(c.rows)); err != nil {
			t.Fatal(err)
		}
		if count := drawn(t, b.String()); count["svg"] != 1 || count["circle"] != c.circles {
			t.Errorf("%s: %v", c.name, count)
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("%s: %s", c.name, b.String())
		}
	}
}

func TestAxesHoldWhatTheyShow(t *testing.T) {
	for _, v := range [][]float64{{0.1, 0.1}, {1, 1}, {0.02, 70}, {3, 3.1}, {1e-6, 1e4}, {5, 5}, {0.99, 1.01}} {
		point := func(v float64) Point { return Point{Values: Values{"x": v}} }
		points, curves := []Point{point(v[0]), point(v[1])}, []curve{{column: "x", scale: 1}}
		for name, a := range map[string]axis{"log": logAxis(points, curves), "linear": linearAxis(points, curves)} {
			if len(a.ticks) < 2 || (name == "linear" && len(a.ticks) > 8) {
				t.Errorf("%s %v: ticks %v", name, v, a.ticks)
			}
			for _, x := range v {
				if at := a.at(x); !(at >= 0 && at <= 1+1e-9) {
					t.Errorf("%s %v: %g is at %g of %v", name, v, x, at, a.ticks)
				}
			}
		}
	}
}

// Every column is explained where users look for it.
func TestColumnsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "capacity.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Columns() {
		name := c.Name
		for _, p := range []string{"_p50_ms", "_p95_ms", "_p99_ms"} {
			if base, ok := strings.CutSuffix(name, p); ok && base != "blocked" && base != "generator_late" {
				name = base + "_p50_ms"
			}
		}
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/capacity.md does not explain `%s`", name)
		}
	}
}
