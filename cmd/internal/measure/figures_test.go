package measure

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/cmd/internal/load"
	"parley/cmd/internal/wer"
)

var origin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// at is an event that came so many ms after the session's media time began.
func at(ms int, ev load.Event) load.Event {
	ev.At = origin.Add(time.Duration(ms) * time.Millisecond)
	return ev
}

func span(start, end int) (time.Duration, time.Duration) {
	return time.Duration(start) * time.Millisecond, time.Duration(end) * time.Millisecond
}

// words ends in ms, stable of them promised.
func heard(kind load.Kind, start, end, stable int, words ...any) load.Event {
	ev := load.Event{Kind: kind, Utterance: "u", StableWords: stable}
	ev.Start, ev.End = span(start, end)
	for i := 0; i < len(words); i += 2 {
		text, until := words[i].(string), words[i+1].(int)
		ev.Words = append(ev.Words, load.Word{Text: text, End: time.Duration(until) * time.Millisecond})
		part := &ev.Tail
		if i/2 < stable {
			part = &ev.Stable
		}
		if *part != "" {
			*part += " "
		}
		*part += text
	}
	return ev
}

// utterance is 1 s to 3 s, "turn on the lights".
func session(events ...load.Event) *load.Record {
	start, end := span(1000, 3000)
	return &load.Record{
		Plan:   load.Plan{Frames: 250, Utterances: []load.Utterance{{Start: start, End: end, Text: "turn on the lights"}}},
		Origin: origin,
		Events: events,
	}
}

func ms(list ...int) (durations []time.Duration) {
	for _, n := range list {
		durations = append(durations, time.Duration(n)*time.Millisecond)
	}
	return durations
}

func TestFiguresByHand(t *testing.T) {
	r := session(
		at(1700, heard(load.Partial, 700, 1500, 0)), // nothing to read yet
		at(2100, heard(load.Partial, 700, 2000, 0, "turn", 1400, "of", 1800)),
		at(2600, heard(load.Partial, 700, 2500, 1, "turn", 1400, "on", 1850, "a", 2300)),
		at(3700, heard(load.Final, 700, 3500, 4, "turn", 1400, "on", 1850, "the", 2300, "lights", 2900)),
		at(3710, load.Event{Kind: load.Ended, Dropped: 40 * time.Millisecond}),
	)
	got := Of([]*load.Record{r}, 600*time.Millisecond)
	want := Figures{
		Sessions: 1, Audio: 5 * time.Second, Speech: 2 * time.Second, Spoken: 1, Partials: 3,
		Latency: Latency{
			First:  SpreadOf(ms(1100)),                  // 2100 - 1000
			Commit: SpreadOf(ms(1200, 1850, 1400, 800)), // turn 2600-1400, the rest with the final
			Final:  SpreadOf(ms(700)),                   // 3700 - 3000
			Age:    SpreadOf(ms(200, 100, 100)),
		},
		Text: Text{
			Final:   wer.Count{Words: 4},
			Partial: wer.Count{Words: 4, Substituted: 1, Deleted: 1},
			Words:   4, Changed: 2, Erased: 2, // of, a
		},
		Losses: Losses{Late: 1, Dropped: 40 * time.Millisecond},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Text.UPWR() != 0.5 || got.Text.Erasure() != 0.5 || !got.Losses.Any() {
		t.Error(got.Text.UPWR(), got.Text.Erasure(), got.Losses.Any())
	}
}

// Without word times the characters of the final lie evenly over the speech:
// "one" ends after 3 of 13, "one two" after 7, all after 13.
func TestCommitsAreEstimatedWithoutWordTimes(t *testing.T) {
	told := func(kind load.Kind, stable, tail string, end int) load.Event {
		ev := load.Event{Kind: kind, Utterance: "u", Stable: stable, Tail: tail}
		ev.Start, ev.End = span(0, end)
		return ev
	}
	r := session(
		at(2000, told(load.Partial, "one", "two", 1900)),
		at(4000, told(load.Final, "one two three", "", 3400)),
	)
	r.Plan.Utterances[0].Start, r.Plan.Utterances[0].End = span(400, 3000) // 200 ms a character
	got := Of([]*load.Record{r}, time.Second)
	if diff := cmp.Diff(SpreadOf(ms(1000, 2200, 1000)), got.Latency.Commit); diff != "" || !got.Latency.Estimated {
		t.Error(diff, got.Latency.Estimated)
	}
}

func TestLosses(t *testing.T) {
	final := func(stable string, revised bool) load.Event {
		ev := load.Event{Kind: load.Final, Utterance: "u", Stable: stable, Revised: revised}
		ev.Start, ev.End = span(700, 3500)
		return ev
	}
	promise := at(2000, load.Event{Kind: load.Partial, Utterance: "u", Stable: "turn off", Start: 700 * time.Millisecond, End: 1900 * time.Millisecond})
	failed := at(3600, load.Event{Kind: load.Failed, Utterance: "u"})
	broken := session(promise)
	broken.Err = io.ErrUnexpectedEOF
	refused := session()
	refused.Err = fmt.Errorf("%w: later", load.ErrRefused)
	for _, c := range []struct {
		name            string
		record          *load.Record
		want            Losses
		revised         int
		refused, broken int
	}{
		{"kept", session(promise, at(3500, final("turn off the lights", false))), Losses{}, 0, 0, 0},
		{"broken promise", session(promise, at(3500, final("turn on the lights", false))), Losses{Retracted: 1}, 0, 0, 0},
		{"owned up", session(promise, at(3500, final("turn on the lights", true))), Losses{}, 1, 0, 0},
		{"no final", session(promise), Losses{Unheard: 1}, 0, 0, 0},
		{"failed", session(promise, failed), Losses{Unheard: 1, Failed: 1}, 0, 0, 0},
		{"broken", broken, Losses{Unheard: 1}, 0, 0, 1},
		{"refused", refused, Losses{}, 0, 1, 0},
	} {
		got := Of([]*load.Record{c.record}, 10*time.Second)
		if got.Losses != c.want || got.Text.Revised != c.revised || got.Refused != c.refused || got.Broken != c.broken {
			t.Errorf("%s: %+v, %d revised, %d refused, %d broken", c.name, got.Losses, got.Text.Revised, got.Refused, got.Broken)
		}
		if got.Losses.Any() != (c.want != Losses{}) {
			t.Errorf("%s: lost %v", c.name, got.Losses.Any())
		}
	}
}

// A server may find two utterances where one was planned, or noise between two.
func TestUtterancesFindTheirHome(t *testing.T) {
	planned := []load.Utterance{{Start: ms(1000)[0], End: ms(3000)[0]}, {Start: ms(6000)[0], End: ms(8000)[0]}}
	for _, c := range []struct{ start, end, want int }{
		{700, 2000, 0}, {2100, 3500, 0}, {5700, 8500, 1}, {3200, 3600, 0}, {5000, 5500, 1}, {9000, 9500, 1}, {2500, 7900, 1},
	} {
		var told told
		told.last.Start, told.last.End = span(c.start, c.end)
		if got := told.home(planned); got != c.want {
			t.Errorf("%d to %d belongs to %d, want %d", c.start, c.end, got, c.want)
		}
	}
	r := session()
	r.Plan.Utterances = []load.Utterance{{Start: ms(1000)[0], End: ms(3000)[0], Text: "one two three"}}
	for i, text := range []string{"one two", "three"} {
		ev := load.Event{Kind: load.Final, Utterance: fmt.Sprint(i), Stable: text}
		ev.Start, ev.End = span(800+1000*i, 2000+1000*i)
		r.Events = append(r.Events, at(2600+1000*i, ev))
	}
	got := Of([]*load.Record{r}, time.Second)
	if got.Text.Final != (wer.Count{Words: 3}) || got.Latency.Final != SpreadOf(ms(600)) || got.Latency.First != SpreadOf(ms(1600)) {
		t.Errorf("%+v, final %v, first %v", got.Text.Final, got.Latency.Final, got.Latency.First)
	}
}

func TestNumbersMayBeWritten(t *testing.T) {
	ev := load.Event{Kind: load.Final, Utterance: "u", Stable: "Set a timer for 25 minutes."}
	ev.Start, ev.End = span(700, 3500)
	r := session(at(3500, ev))
	r.Plan.Utterances[0].Text = "set a timer for twenty five minutes"
	if got := Of([]*load.Record{r}, time.Second).Text.Final; got != (wer.Count{Words: 7}) {
		t.Errorf("%+v", got)
	}
}

func TestTheGeneratorOwnsUp(t *testing.T) {
	for _, c := range []struct {
		late, most time.Duration
		want       bool
	}{{5 * time.Millisecond, 40 * time.Millisecond, false}, {21 * time.Millisecond, 22 * time.Millisecond, true}, {0, time.Second, true}} {
		if got := (Generator{Late: c.late, LateMost: c.most}).Behind(); got != c.want {
			t.Errorf("%v, %v: %v", c.late, c.most, got)
		}
	}
}
