package streamtest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

// Events are one of each event, in the order of a plausible session.
func Events() []stream.Event {
	words := []engine.Word{{Text: "lights", Start: 300 * time.Millisecond, End: 700 * time.Millisecond, P: 0.9}}
	failure := &stream.Error{Code: stream.EngineFailed, Message: "the recogniser failed", Ref: "c1"}
	return []stream.Event{
		stream.Started{Ref: "c1", Session: "sess_1", Config: stream.DefaultConfig(), Limits: stream.DefaultLimits()},
		stream.Updated{Ref: "c2", Config: stream.DefaultConfig()},
		stream.SpeechStarted{Utterance: 1, At: 300 * time.Millisecond},
		stream.Partial{Utterance: 1, Rev: 1, Stable: "lights", Tail: "on", StableWords: words, TailWords: words, End: time.Second},
		stream.Ack{Stream: 0, Seq: 7, PTS: time.Second, Backlog: time.Second},
		stream.Flow{State: "slow"},
		stream.TurnEager{Utterance: 1, Text: "lights", Probability: 0.9, At: 700 * time.Millisecond},
		stream.TurnResumed{Utterance: 1, At: 900 * time.Millisecond},
		stream.SpeechStopped{Utterance: 1, At: time.Second},
		stream.Final{Utterance: 1, Text: "lights", Language: "en", Confidence: 0.9, Words: words, End: time.Second, Reason: "vad", Revised: true},
		stream.SpeechStarted{Utterance: 2},
		stream.Failed{Utterance: 2, Err: failure},
		stream.SpeechStarted{Utterance: 3},
		stream.Cleared{Ref: "c3", Utterance: 3},
		stream.SpeakStarted{Ref: "c5", Speech: "s", Stream: 1, Format: codec.Format{Encoding: codec.Opus, Rate: 24000, Channels: 1}},
		stream.SpeakMark{Speech: "s", From: 0, To: 5},
		stream.SpeakAudio{Speech: "s", Stream: 1, Payload: []byte{0xf8, 0xff, 0xfe}},
		stream.SpeakSent{Speech: "s", Stream: 1, PTS: 20 * time.Millisecond},
		stream.SpeakDone{Speech: "s", Reason: "complete", Duration: 20 * time.Millisecond, SpokenChars: 5},
		stream.SpeakDone{Speech: "t", Reason: "failed", Err: failure},
		stream.Pong{Ref: "c4", T: 1.5, At: time.Second},
		stream.Warning{Code: "nothing_to_commit", Message: "there was no speech"},
		stream.ErrorEvent{Err: failure},
		stream.Ended{Reason: stream.Done, Stats: stream.Stats{Audio: time.Second, Utterances: 3}},
	}
}

// Contract checks what every dialect promises: Encode has an answer for every
// event and its text is UTF-8; Decode fails only with a *stream.Error, whatever
// comes in; the two may run at the same time (run it with -race). messages are
// valid ones of the peer, in order.
func Contract(t *testing.T, fresh func() stream.Dialect, messages []stream.Message) {
	t.Run("encode", func(t *testing.T) { encodes(t, fresh()) })
	t.Run("decode", func(t *testing.T) {
		d := fresh()
		n := 0
		for _, m := range messages {
			cmds, err := d.Decode(m)
			if err != nil {
				t.Errorf("%q: %v", m.Payload, err)
			}
			n += len(cmds)
		}
		if n == 0 {
			t.Error("no message became a command")
		}
	})
	t.Run("mutations", func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			d := fresh()
			for _, m := range messages {
				decodes(t, d, mutate(r, m))
			}
		}
	})
	t.Run("both at once", func(t *testing.T) {
		d := fresh()
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, m := range messages {
				decodes(t, d, m)
			}
		})
		wg.Go(func() { encodes(t, d) })
		wg.Wait()
	})
}

func encodes(t *testing.T, d stream.Dialect) {
	for _, ev := range Events() {
		ms, err := d.Encode(ev)
		if err != nil {
			t.Errorf("%T: %v", ev, err)
		}
		for _, m := range ms {
			if m.Kind == stream.Text && !utf8.Valid(m.Payload) {
				t.Errorf("%T: text is not UTF-8: %q", ev, m.Payload)
			}
		}
	}
}

func decodes(t *testing.T, d stream.Dialect, m stream.Message) {
	if _, err := d.Decode(m); err != nil {
		if _, ok := errors.AsType[*stream.Error](err); !ok {
			t.Errorf("%q: %T is not a *stream.Error: %v", m.Payload, err, err)
		}
	}
}

// mutate damages a copy of m: cuts, flips, doubles, or changes its kind.
func mutate(r *rand.Rand, m stream.Message) stream.Message {
	m.Payload = slices.Clone(m.Payload)
	if len(m.Payload) == 0 {
		return m
	}
	switch i := r.IntN(len(m.Payload)); r.IntN(5) {
	case 0:
		m.Payload = m.Payload[:i]
	case 1:
		m.Payload[i] ^= byte(1 + r.IntN(255))
	case 2:
		m.Payload = append(m.Payload, m.Payload[i:]...)
	case 3:
		m.Kind = stream.Kind(1 + r.IntN(3))
	}
	return m
}
