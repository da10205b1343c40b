package measure

import (
	"strings"
	"time"
	"unicode/utf8"

	"parley/cmd/internal/load"
)

// told is what a server told of one utterance it found.
type told struct {
	partials []load.Event
	final    *load.Event
	failed   bool
	last     load.Event // with a span
}

// group sorts a session's events by the server's utterances, in the order in
// which they were first told of.
func group(events []load.Event) (list []*told) {
	known := map[string]*told{}
	for _, ev := range events {
		if ev.Kind == load.Ended {
			continue
		}
		t := known[ev.Utterance]
		if t == nil {
			t = &told{}
			known[ev.Utterance] = t
			list = append(list, t)
		}
		switch ev.Kind {
		case load.Partial:
			t.partials = append(t.partials, ev)
			t.last = ev
		case load.Final:
			t.final, t.last = &ev, ev
		case load.Failed:
			t.failed = true
		}
	}
	return list
}

// texts are all that was told of the words, the final included.
func (t *told) texts() []load.Event {
	list := t.partials[:len(t.partials):len(t.partials)]
	if t.final != nil {
		list = append(list, *t.final)
	}
	return list
}

// stability of the texts; a final that owns up to a revision retracts nothing.
func (t *told) stability() (s stability) {
	texts := t.texts()
	for i := 1; i < len(texts); i++ {
		before, after := texts[i-1], texts[i]
		s.follow(before.Text(), after.Text())
		if !after.Revised {
			s.keep(before.Stable, after.Stable)
		}
	}
	return s
}

// commits are the times from the end of each word in the audio until its text
// was promised. Where the protocol tells no words, their ends are estimated: the
// characters of the final spread evenly over the speech.
func (t *told) commits(origin time.Time, speech load.Utterance) (list []time.Duration, estimated bool) {
	done := 0
	for _, ev := range t.texts() {
		if ev.Words == nil && ev.Stable != "" {
			return t.estimate(origin, speech), true
		}
		for ; done < min(ev.StableWords, len(ev.Words)); done++ {
			list = append(list, ev.At.Sub(origin.Add(ev.Words[done].End)))
		}
	}
	return list, false
}

func (t *told) estimate(origin time.Time, speech load.Utterance) (list []time.Duration) {
	if t.final == nil || t.final.Stable == "" {
		return nil
	}
	start, end := max(t.final.Start, speech.Start), min(t.final.End, speech.End)
	all := utf8.RuneCountInString(t.final.Stable)
	done := 0
	for _, ev := range t.texts() {
		for words := strings.Fields(ev.Stable); done < len(words); done++ {
			said := utf8.RuneCountInString(strings.Join(words[:done+1], " "))
			at := start + time.Duration(min(1, float64(said)/float64(all))*float64(end-start))
			list = append(list, ev.At.Sub(origin.Add(at)))
		}
	}
	return list
}

// home is the planned utterance that most of what was told lies in, else the
// nearest one.
func (t *told) home(planned []load.Utterance) int {
	best, most := 0, time.Duration(-1<<62)
	for i, u := range planned {
		overlap := min(u.End, t.last.End) - max(u.Start, t.last.Start) // negative: how far apart
		if overlap > most {
			best, most = i, overlap
		}
	}
	return best
}
