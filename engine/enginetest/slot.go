// Package enginetest has deterministic stand-ins for recognition and synthesis:
// scripted text, latency and failures, no model and no native library. All waits
// are timers on a context, so they run inside a testing/synctest bubble.
package enginetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley/codec"
	"parley/engine"
)

var _ engine.Slot = (*Slot)(nil)

// Slot is a scripted engine.Slot. The zero value hears nothing, at once.
// Set the fields before the first call.
type Slot struct {
	// Script is what each utterance says, in order; every successful Final moves
	// on to the next one and the last one repeats. Times count from the window.
	Script [][]engine.Word
	// Hear, where set, replaces Script: all words that are in the window.
	Hear func(engine.Window) []engine.Word
	// Language is reported where the window asks for none.
	Language string
	// Latency is what one call takes, PerSecond what each second of audio adds.
	Latency, PerSecond time.Duration
	// Fail, where set, is asked before each call (counted from 0).
	Fail func(call int) error

	mu     sync.Mutex
	calls  []Call
	turn   int
	busy   bool
	closed bool
}

// Call is one call a Slot has seen. Its window has no audio any more, so that a
// Slot does not keep what a session has let go: Length says how much it was.
type Call struct {
	Final  bool
	Window engine.Window
	Prefix engine.Prefix
	Length time.Duration
}

// Partial hears the words that have begun within the window; one that has not
// ended yet is cut in the middle, as a real decoder would guess it.
func (s *Slot) Partial(ctx context.Context, w engine.Window, p engine.Prefix) (engine.Hypothesis, error) {
	words, err := s.run(ctx, Call{Window: w, Prefix: p})
	return engine.Hypothesis{Words: words, Language: s.language(w)}, err
}

// Final hears the same words as Partial and moves to the next utterance.
func (s *Slot) Final(ctx context.Context, w engine.Window, p engine.Prefix) (engine.Transcript, error) {
	words, err := s.run(ctx, Call{Final: true, Window: w, Prefix: p})
	if err != nil {
		return engine.Transcript{}, err
	}
	return engine.Transcript{Words: words, Language: s.language(w), Confidence: engine.Confidence(words)}, nil
}

// Close is idempotent; it fails while a call is running.
func (s *Slot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return fmt.Errorf("enginetest: slot closed during a call")
	}
	s.closed = true
	return nil
}

// Calls is what the slot has been asked so far.
func (s *Slot) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Closed says whether Close was called.
func (s *Slot) Closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Slot) language(w engine.Window) string {
	if w.Language != "" {
		return w.Language
	}
	return s.Language
}

func (s *Slot) run(ctx context.Context, c Call) ([]engine.Word, error) {
	n, err := s.begin(c)
	if err != nil {
		return nil, err
	}
	defer s.end()
	if s.Fail != nil {
		if err := s.Fail(n); err != nil {
			return nil, err
		}
	}
	length := codec.Duration(len(c.Window.Audio), codec.SpeechRate)
	if err := Sleep(ctx, s.Latency+time.Duration(float64(s.PerSecond)*length.Seconds())); err != nil {
		return nil, err
	}
	return begun(c.Prefix, cut(s.script(c), length)), nil
}

// begun are the words of a prefix and those that come after it.
func begun(p engine.Prefix, words []engine.Word) []engine.Word {
	if len(p) == 0 {
		return words
	}
	end := p[len(p)-1].End
	rest := slices.IndexFunc(words, func(w engine.Word) bool { return (w.Start+w.End)/2 >= end })
	if rest < 0 {
		return slices.Clone(p)
	}
	return slices.Concat(p, words[rest:])
}

func (s *Slot) begin(c Call) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return 0, fmt.Errorf("enginetest: two calls at once on one slot")
	}
	if s.closed {
		return 0, fmt.Errorf("enginetest: %w: slot is closed", engine.ErrUnavailable)
	}
	s.busy = true
	c.Length = codec.Duration(len(c.Window.Audio), codec.SpeechRate)
	c.Window.Audio, c.Window.Memo = nil, nil
	s.calls = append(s.calls, c)
	return len(s.calls) - 1, nil
}

func (s *Slot) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
}

func (s *Slot) script(c Call) []engine.Word {
	if s.Hear != nil {
		return s.Hear(c.Window)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.Script) == 0 {
		return nil
	}
	words := s.Script[min(s.turn, len(s.Script)-1)]
	if c.Final {
		s.turn++
	}
	return words
}

func cut(script []engine.Word, length time.Duration) []engine.Word {
	var heard []engine.Word
	for _, w := range script {
		if w.Start >= length {
			break
		}
		if w.End > length {
			n := utf8.RuneCountInString(w.Text)
			w.Text, w.End = string([]rune(w.Text)[:(n+1)/2]), length
		}
		heard = append(heard, w)
	}
	return heard
}

// Say spreads the words of a text evenly: each takes per, beginning at start.
func Say(text string, start, per time.Duration) []engine.Word {
	var words []engine.Word
	for i, t := range strings.Fields(text) {
		from := start + time.Duration(i)*per
		words = append(words, engine.Word{Text: t, Start: from, End: from + per, P: 0.9})
	}
	return words
}

// Sleep waits, or returns the cause of ctx as soon as it is done.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
