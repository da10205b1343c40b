package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// line is one line of the table.
type line struct {
	title   string
	columns []string
	format  func(float64) string
	ratio   bool // a ratio of it says something
}

var lines = []line{
	{"speech to first text, s", percentiles("first"), seconds, true},
	{"word to stable text, s", percentiles("commit"), seconds, true},
	{"end of speech to final, s", percentiles("final"), seconds, true},
	{"age of partials, s", percentiles("age"), seconds, true},
	{"partials a speech second", []string{"partials_per_speech_s"}, decimals(2), true},
	{"  decoded", []string{"partials_decoded"}, decimals(0), true},
	{"  coalesced, refused, preempted", []string{"partials_coalesced", "partials_refused", "partials_preempted"}, decimals(0), false},
	{"finals ready when silence was over, %", []string{"finals_ahead"}, percent, true},
	{"CPU seconds an audio second", []string{"cpu_per_audio_s"}, decimals(3), true},
	{"CPU seconds a speech second", []string{"cpu_per_speech_s"}, decimals(3), true},
	{"cores used", []string{"cpu_cores"}, decimals(2), true},
	{"memory, MB", []string{"rss_mb"}, decimals(0), true},
	{"word error rate of finals, %", []string{"wer_final"}, percent, true},
	{"  of last partials, %", []string{"wer_partial"}, percent, true},
	{"unstable partial words, UPWR", []string{"upwr"}, decimals(2), true},
	{"normalised erasure", []string{"erasure"}, decimals(2), true},
	{"utterances", []string{"utterances"}, decimals(0), false},
	{"  without final, failed", []string{"unheard", "failed"}, decimals(0), false},
	{"  late finals", []string{"late"}, decimals(0), false},
	{"stable words retracted", []string{"retracted"}, decimals(0), false},
	{"finals revised", []string{"revised"}, decimals(0), false},
	{"audio dropped by the server, s", []string{"dropped_s"}, decimals(2), false},
	{"sessions refused, broken", []string{"refused", "broken"}, decimals(0), false},
	{"sent late, p99 and most, ms", []string{"generator_late_p99_ms", "generator_late_max_ms"}, decimals(0), false},
}

func percentiles(name string) []string {
	return []string{name + "_p50_ms", name + "_p95_ms", name + "_p99_ms"}
}

func seconds(v float64) string { return fmt.Sprintf("%.2f", v/1000) }
func percent(v float64) string { return fmt.Sprintf("%.1f", 100*v) }
func decimals(n int) func(float64) string {
	return func(v float64) string { return fmt.Sprintf("%.*f", n, v) }
}

// Table writes the points for people: a column each, latencies as p50 / p95 /
// p99. Two servers stand beside each other with their ratio, a block for each
// number of sessions.
func Table(w io.Writer, points []Point) error {
	ratios := Ratios(points)
	if ratios == nil {
		return block(w, points, nil)
	}
	for i, r := range ratios {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		var pair []Point
		for _, p := range points {
			if p.Sessions == r.Sessions {
				pair = append(pair, p)
			}
		}
		if err := block(w, pair, r.Values); err != nil {
			return err
		}
	}
	return nil
}

func block(w io.Writer, points []Point, ratio Values) error {
	header := []string{"waiting times as p50 / p95 / p99"}
	for _, p := range points {
		title := fmt.Sprintf("%d sessions", p.Sessions)
		if p.Sessions == 1 {
			title = "1 session"
		}
		if p.Server != "" {
			title = p.Server + ", " + title
		}
		header = append(header, title)
	}
	if ratio != nil {
		header = append(header, "second / first")
	}
	table := [][]string{header}
	for _, l := range lines {
		cells := []string{l.title}
		for _, p := range points {
			cells = append(cells, l.cell(p.Values, l.format))
		}
		if ratio != nil && l.ratio {
			cells = append(cells, l.cell(ratio, decimals(2)))
		}
		table = append(table, cells)
	}
	return align(w, table)
}

func (l line) cell(v Values, format func(float64) string) string {
	var parts []string
	for _, c := range l.columns {
		text := "-"
		if x := v[c]; !math.IsNaN(x) && !math.IsInf(x, 0) {
			text = format(x)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " / ")
}

// align writes cells under each other: the first column to the left, others to
// the right.
func align(w io.Writer, table [][]string) error {
	widths := map[int]int{}
	for _, cells := range table {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, cells := range table {
		var b strings.Builder
		for i, c := range cells {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i == 0 {
				b.WriteString(c + space)
			} else {
				b.WriteString("  " + space + c)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
