// Package report writes down the figures of load tests: as a table for people,
// as CSV and JSON for programs, and as a plot.
package report

import (
	"math"
	"time"

	"parley/cmd/internal/measure"
	"parley/cmd/internal/wer"
)

// Row is one run.
type Row struct {
	Server  string // which one, where several are compared
	Round   int    // from 1
	Figures measure.Figures
}

// Column is one figure of a run.
type Column struct {
	Name  string                        // in CSV and JSON; docs/capacity.md says what it means
	Value func(measure.Figures) float64 // NaN where it is not known
}

// Columns are all figures in the order of the CSV file, after server and round.
func Columns() (list []Column) {
	list = append(list, load...)
	list = append(list, spread("first", func(l measure.Latency) measure.Spread { return l.First })...)
	list = append(list, spread("commit", func(l measure.Latency) measure.Spread { return l.Commit })...)
	list = append(list, spread("final", func(l measure.Latency) measure.Spread { return l.Final })...)
	list = append(list, spread("age", func(l measure.Latency) measure.Spread { return l.Age })...)
	list = append(list, partials...)
	list = append(list, cost...)
	list = append(list, text...)
	list = append(list, losses...)
	return append(list, generator...)
}

var load = []Column{
	{"sessions", func(f measure.Figures) float64 { return float64(f.Sessions) }},
	{"refused", func(f measure.Figures) float64 { return float64(f.Refused) }},
	{"broken", func(f measure.Figures) float64 { return float64(f.Broken) }},
	{"wall_s", func(f measure.Figures) float64 { return f.Generator.Wall.Seconds() }},
	{"audio_s", func(f measure.Figures) float64 { return f.Audio.Seconds() }},
	{"speech_s", func(f measure.Figures) float64 { return f.Speech.Seconds() }},
	{"utterances", func(f measure.Figures) float64 { return float64(f.Spoken) }},
}

// spread is a latency at its percentiles, in milliseconds.
func spread(name string, of func(measure.Latency) measure.Spread) []Column {
	column := func(suffix string, at func(measure.Spread) time.Duration) Column {
		return Column{name + suffix, func(f measure.Figures) float64 {
			s := of(f.Latency)
			if s.N == 0 {
				return math.NaN()
			}
			return milliseconds(at(s))
		}}
	}
	return []Column{
		column("_p50_ms", func(s measure.Spread) time.Duration { return s.P50 }),
		column("_p95_ms", func(s measure.Spread) time.Duration { return s.P95 }),
		column("_p99_ms", func(s measure.Spread) time.Duration { return s.P99 }),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

var partials = []Column{
	{"commit_estimated", func(f measure.Figures) float64 {
		if f.Latency.Estimated {
			return 1
		}
		return 0
	}},
	{"partials", func(f measure.Figures) float64 { return float64(f.Partials) }},
	{"partials_per_speech_s", func(f measure.Figures) float64 { return by(float64(f.Partials), f.Speech.Seconds()) }},
	{"partials_decoded", counted(func(s measure.Server) int { return s.Decoded })},
	{"partials_coalesced", counted(func(s measure.Server) int { return s.Coalesced })},
	{"partials_refused", counted(func(s measure.Server) int { return s.Refused })},
	{"partials_preempted", counted(func(s measure.Server) int { return s.Preempted })},
	{"finals_decoded", counted(func(s measure.Server) int { return s.FinalDecode })},
	{"finals_ahead", func(f measure.Figures) float64 {
		return by(float64(f.Server.SpeculatedHit), float64(f.Server.Speculated))
	}},
}

func counted(of func(measure.Server) int) func(measure.Figures) float64 {
	return func(f measure.Figures) float64 {
		if !f.Server.Counted {
			return math.NaN()
		}
		return float64(of(f.Server))
	}
}

var cost = []Column{
	{"cpu_s", known(func(f measure.Figures) float64 { return f.Server.CPU.Seconds() })},
	{"cpu_per_audio_s", known(func(f measure.Figures) float64 { return by(f.Server.CPU.Seconds(), f.Audio.Seconds()) })},
	{"cpu_per_speech_s", known(func(f measure.Figures) float64 { return by(f.Server.CPU.Seconds(), f.Speech.Seconds()) })},
	{"cpu_cores", known(func(f measure.Figures) float64 { return by(f.Server.CPU.Seconds(), f.Generator.Wall.Seconds()) })},
	{"rss_mb", known(func(f measure.Figures) float64 { return float64(f.Server.RSS) / 1e6 })},
}

func known(of func(measure.Figures) float64) func(measure.Figures) float64 {
	return func(f measure.Figures) float64 {
		if !f.Server.Known {
			return math.NaN()
		}
		return of(f)
	}
}

// by divides; nothing by nothing is not known.
func by(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

var text = []Column{
	{"wer_final", func(f measure.Figures) float64 { return rate(f.Text.Final) }},
	{"wer_partial", func(f measure.Figures) float64 { return rate(f.Text.Partial) }},
	{"words", func(f measure.Figures) float64 { return float64(f.Text.Words) }},
	{"upwr", func(f measure.Figures) float64 { return by(float64(f.Text.Changed), float64(f.Text.Words)) }},
	{"erasure", func(f measure.Figures) float64 { return by(float64(f.Text.Erased), float64(f.Text.Words)) }},
	{"retracted", func(f measure.Figures) float64 { return float64(f.Losses.Retracted) }},
	{"revised", func(f measure.Figures) float64 { return float64(f.Text.Revised) }},
}

func rate(c wer.Count) float64 {
	if c.Words == 0 {
		return math.NaN()
	}
	return c.Rate()
}

var losses = []Column{
	{"unheard", func(f measure.Figures) float64 { return float64(f.Losses.Unheard) }},
	{"failed", func(f measure.Figures) float64 { return float64(f.Losses.Failed) }},
	{"late", func(f measure.Figures) float64 { return float64(f.Losses.Late) }},
	{"dropped_s", func(f measure.Figures) float64 { return f.Losses.Dropped.Seconds() }},
}

var generator = []Column{
	{"frames_lost", func(f measure.Figures) float64 { return float64(f.Generator.Lost) }},
	{"generator_late_p99_ms", func(f measure.Figures) float64 { return milliseconds(f.Generator.Late) }},
	{"generator_late_max_ms", func(f measure.Figures) float64 { return milliseconds(f.Generator.LateMost) }},
	{"blocked_p99_ms", func(f measure.Figures) float64 { return milliseconds(f.Generator.Blocked) }},
	{"generator_cpu_s", func(f measure.Figures) float64 { return f.Generator.CPU.Seconds() }},
}
