package measure

import (
	"errors"
	"strings"
	"time"

	"parley/cmd/internal/load"
	"parley/cmd/internal/material"
	"parley/cmd/internal/wer"
	"parley/engine/speech"
)

// Figures are the result of one run.
type Figures struct {
	Sessions  int // asked for
	Refused   int // of them, by the server at once
	Broken    int // of them, that did not end in order
	Errors    []string
	Audio     time.Duration // sent by the sessions that were admitted
	Speech    time.Duration // in it
	Spoken    int           // utterances in it
	Partials  int
	Latency   Latency
	Text      Text
	Losses    Losses
	Server    Server
	Generator Generator
}

// Latency is all that is waited for. Times are of the sender's clock against
// the truth of the material.
type Latency struct {
	First  Spread // from the start of speech to the first text of it, be it a final
	Commit Spread // from the end of a word to the first text that promises it
	Final  Spread // from the end of speech to its last final
	Age    Spread // from the end of the audio in a partial to its arrival
	// Estimated: Commit goes by the length of the text, as there are no word times.
	Estimated bool
}

// Text is how right and how stable it was. Counts without words: nobody knows
// what was said.
type Text struct {
	Final   wer.Count // of the finals
	Partial wer.Count // of the last partial before each final
	Words   int       // in all finals
	Changed int       // see UPWR
	Erased  int       // see Erasure
	Revised int       // finals that own up to breaking with their stable text
}

// UPWR is the unstable partial word ratio: words of partials that the next text
// changed or dropped, by words of finals.
func (t Text) UPWR() float64 { return ratio(t.Changed, t.Words) }

// Erasure is normalised erasure: words of partials that had to be erased to
// write the next text, by words of finals.
func (t Text) Erasure() float64 { return ratio(t.Erased, t.Words) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Losses are what must not happen.
type Losses struct {
	Unheard   int           // utterances without any final
	Failed    int           // utterances the server could not transcribe
	Late      int           // finals later than allowed
	Retracted int           // words of stable text that were not kept
	Dropped   time.Duration // audio the server threw away
}

// Any says whether something was lost; what is only late is not.
func (l Losses) Any() bool { return l.Unheard+l.Failed+l.Retracted > 0 || l.Dropped > 0 }

// Server is what the run cost there.
type Server struct {
	Known       bool          // the server could be asked
	CPU         time.Duration // of its process
	RSS         int64         // bytes, the most that was seen
	Counted     bool          // the counters below are known
	Refused     int           // partials refused as the queue was full
	Coalesced   int           // partials given up for newer ones before they began
	Preempted   int           // partials called off for finals
	Decoded     int           // partials decoded to the end
	FinalDecode int           // finals decoded to the end, speculative ones included
	// Speculated and SpeculatedHit are utterances whose final was begun in the
	// pause that ended them, and those of them for which it was ready then.
	Speculated, SpeculatedHit int
}

// Generator is how well the load was made.
type Generator struct {
	Lost           int           // frames the network was told to lose
	Late, LateMost time.Duration // p99 and greatest of how late frames were sent
	Blocked        time.Duration // p99 of how long the server let a frame wait
	CPU            time.Duration // of this process
	Wall           time.Duration // how long the run took
}

// Behind says whether the generator was so late that latencies are partly its own.
func (g Generator) Behind() bool {
	return g.Late > 20*time.Millisecond || g.LateMost > 250*time.Millisecond
}

// Of makes the figures of a run. late is how long after the end of speech a
// final is late.
func Of(records []*load.Record, late time.Duration) Figures {
	s := &sum{late: late}
	s.Sessions = len(records)
	var behind, blocked load.Lateness
	for _, r := range records {
		behind.Merge(&r.Late)
		blocked.Merge(&r.Blocked)
		s.Generator.Lost += r.Lost
		if errors.Is(r.Err, load.ErrRefused) {
			s.Refused++
			continue
		}
		if r.Err != nil {
			s.Broken++
			s.Errors = append(s.Errors, r.Err.Error())
		}
		s.session(r)
	}
	s.Generator.Late, s.Generator.LateMost = behind.Quantile(0.99), behind.Most()
	s.Generator.Blocked = blocked.Quantile(0.99)
	s.Latency.First, s.Latency.Commit = SpreadOf(s.first), SpreadOf(s.commit)
	s.Latency.Final, s.Latency.Age = SpreadOf(s.final), SpreadOf(s.age)
	s.Text.Changed, s.Text.Erased, s.Losses.Retracted = s.stability.changed, s.stability.erased, s.stability.retracted
	return s.Figures
}

// sum adds sessions up.
type sum struct {
	Figures
	late                      time.Duration
	first, commit, final, age []time.Duration
	stability                 stability
}

func (s *sum) session(r *load.Record) {
	s.Audio += time.Duration(r.Plan.Frames) * material.Frame
	homes := make([][]*told, len(r.Plan.Utterances))
	for _, t := range group(r.Events) {
		i := t.home(r.Plan.Utterances)
		homes[i] = append(homes[i], t)
	}
	for i, u := range r.Plan.Utterances {
		s.Spoken++
		s.Speech += u.End - u.Start
		s.utterance(r.Origin, u, homes[i])
	}
	for _, ev := range r.Events {
		s.Losses.Dropped += ev.Dropped
	}
}

// utterance adds what the server told of one: it may have found several in it.
func (s *sum) utterance(origin time.Time, u load.Utterance, list []*told) {
	var said, guessed []string
	var first, last time.Time
	partials := false
	for _, t := range list {
		for _, ev := range t.texts() {
			if ev.Text() != "" && (first.IsZero() || ev.At.Before(first)) {
				first = ev.At
			}
		}
		for _, ev := range t.partials {
			s.age = append(s.age, ev.At.Sub(origin.Add(ev.End)))
		}
		s.Partials += len(t.partials)
		if t.failed {
			s.Losses.Failed++
		}
		s.stability.add(t.stability())
		commits, estimated := t.commits(origin, u)
		s.commit, s.Latency.Estimated = append(s.commit, commits...), s.Latency.Estimated || estimated
		if n := len(t.partials); n > 0 {
			partials = true
			guessed = append(guessed, t.partials[n-1].Text())
		}
		if t.final != nil {
			said = append(said, t.final.Text())
			last = t.final.At
			if t.final.Revised {
				s.Text.Revised++
			}
		}
	}
	if !first.IsZero() {
		s.first = append(s.first, first.Sub(origin.Add(u.Start)))
	}
	s.ended(origin, u, last)
	s.words(u.Text, strings.Join(said, " "), strings.Join(guessed, " "), partials)
}

// ended takes when the last final came.
func (s *sum) ended(origin time.Time, u load.Utterance, last time.Time) {
	if last.IsZero() {
		s.Losses.Unheard++
		return
	}
	took := last.Sub(origin.Add(u.End))
	s.final = append(s.final, took)
	if took > s.late {
		s.Losses.Late++
	}
}

func (s *sum) words(truth, said, guessed string, partials bool) {
	s.Text.Words += len(wer.Normalize(said))
	if truth == "" {
		return
	}
	truth = aloud(truth)
	s.Text.Final = s.Text.Final.Add(wer.Compare(truth, aloud(said)))
	if partials {
		s.Text.Partial = s.Text.Partial.Add(wer.Compare(truth, aloud(guessed)))
	}
}

// aloud writes numbers and abbreviations as they are said, so that who writes
// "10" and who writes "ten" mean the same.
func aloud(text string) string { return speech.Normalize(text, "en-US").Text }
