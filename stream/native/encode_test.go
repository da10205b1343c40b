package native

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"parley/engine"
	"parley/stream"
)

// TestUtteranceIDs: one id from the first to the last event, another for the
// next utterance, none kept after its end.
func TestUtteranceIDs(t *testing.T) {
	d := newDialect()
	id := func(e stream.Event) string {
		t.Helper()
		ms, err := d.Encode(e)
		if err != nil || len(ms) != 1 {
			t.Fatalf("%d messages, %v", len(ms), err)
		}
		var m struct{ Utt string }
		if err := json.Unmarshal(ms[0].Payload, &m); err != nil {
			t.Fatal(err)
		}
		return m.Utt
	}
	seen := map[string]bool{}
	for n := 1; n <= 100; n++ {
		first := id(stream.SpeechStarted{Utterance: n})
		if seen[first] {
			t.Fatalf("utterance %d has the id %s of another", n, first)
		}
		seen[first] = true
		last := []stream.Event{stream.Final{Utterance: n}, stream.Failed{Utterance: n, Err: &stream.Error{Code: stream.Internal}}, stream.Cleared{Utterance: n}}[n%3]
		for _, e := range []stream.Event{stream.Partial{Utterance: n}, stream.SpeechStopped{Utterance: n}, last} {
			if got := id(e); got != first {
				t.Fatalf("%T of utterance %d has id %s, want %s", e, n, got, first)
			}
		}
	}
	if n := len(d.out.ids.live); n != 0 {
		t.Errorf("%d ids are kept of utterances that ended", n)
	}
}

func TestServerStreamNumbers(t *testing.T) {
	for n, want := range map[int]uint16{1: 0x8001, 0x7fff: 0xffff, 0x8001: 0x8001} {
		if got := serverStream(n); got != want {
			t.Errorf("stream %d is %#x on the wire, want %#x", n, got, want)
		}
	}
}

// TestOddNumbers: what JSON cannot say never fails an event.
func TestOddNumbers(t *testing.T) {
	nan := float32(math.NaN())
	words := []engine.Word{{Text: "a", P: nan}, {Text: "b", P: float32(math.Inf(1))}}
	for _, e := range []stream.Event{
		stream.Final{Utterance: 1, Confidence: nan, Words: words},
		stream.Partial{Utterance: 2, StableWords: words},
		stream.TurnEager{Utterance: 2, Probability: math.NaN()},
		stream.TurnEager{Utterance: 2, Probability: math.Inf(1)},
	} {
		if _, err := newDialect().Encode(e); err != nil {
			t.Errorf("%T: %v", e, err)
		}
	}
}

// TestManyEvents draws events at random: each message follows its schema, and
// seq counts them without a gap.
func TestManyEvents(t *testing.T) {
	schemas := strictSchemas(t)
	r := rand.New(rand.NewPCG(3, 4))
	d := newDialect()
	strings := []string{"", "Hello.", "\x00\u2028</script>\\\"", "語 \U0001F600", "broken \xff UTF-8"}
	str := func() string { return strings[r.IntN(len(strings))] }
	at := func() time.Duration { return time.Duration(r.Int64N(int64(24 * time.Hour))) }
	some := func() []engine.Word {
		var words []engine.Word
		for range r.IntN(4) {
			words = append(words, engine.Word{Text: str(), Start: at(), End: at(), P: r.Float32(), Joined: r.IntN(2) == 0})
		}
		return words
	}
	for seq := uint64(1); seq <= 500; seq++ {
		n := 1 + r.IntN(3)
		e := []stream.Event{
			stream.Partial{Utterance: n, Rev: n, Stable: str(), Tail: str(), StableWords: some(), TailWords: some(), Start: at(), End: at()},
			stream.Final{Utterance: n, Text: str(), Language: "en", Confidence: r.Float32(), Words: some(), Start: at(), End: at(), Reason: "commit", Revised: r.IntN(2) == 0},
			stream.TurnEager{Utterance: n, Text: str(), Probability: r.Float64()*3 - 1, At: at()},
			stream.TurnResumed{Utterance: n, At: at()},
			stream.Failed{Utterance: n, Err: &stream.Error{Code: stream.Overloaded, Message: str(), RetryAfter: at() - time.Hour}},
			stream.Ack{Stream: uint16(r.IntN(0x8000)), Seq: r.Uint32(), PTS: at(), Backlog: at()},
			stream.SpeakMark{Speech: "a", From: n, To: n + r.IntN(9), At: at()},
			stream.SpeakDone{Speech: "a", Reason: "cancelled", Duration: at(), SpokenChars: n},
			stream.Warning{Code: "gap", Message: str()},
			stream.ErrorEvent{Err: &stream.Error{Code: stream.RateLimited, Message: str(), Param: str(), Fatal: true}},
			stream.Ended{Reason: stream.TakenOver, Stats: stream.Stats{Audio: at(), Spoken: at()}},
		}[r.IntN(11)]
		ms, err := d.Encode(e)
		if err != nil || len(ms) != 1 {
			t.Fatalf("%+v: %d messages, %v", e, len(ms), err)
		}
		if got := validate(t, schemas, ms[0].Payload); got.Seq != seq {
			t.Fatalf("message %d has seq %d", seq, got.Seq)
		}
	}
}

// TestDefaultIDs: the ids a server makes are unique, from both halves at once.
func TestDefaultIDs(t *testing.T) {
	d := New(Options{Limits: stream.DefaultLimits()})
	var mu sync.Mutex
	seen := map[string]bool{}
	note := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		if id == "" || seen[id] {
			t.Errorf("id %q came twice", id)
		}
		seen[id] = true
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 100 {
			cmds, err := d.Decode(text(`{"type":"speak","text":"a"}`))
			if err != nil {
				t.Error(err)
				return
			}
			note(cmds[0].(stream.Speak).Speech[len(prefixSpeech):])
		}
	})
	wg.Go(func() {
		for n := range 100 {
			note(d.out.ids.of(n)[len(prefixUtterance):])
		}
	})
	wg.Wait()
}
