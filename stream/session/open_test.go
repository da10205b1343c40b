package session

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
)

// voices makes an enginetest.Synthesizer findable.
type voices struct{ *enginetest.Synthesizer }

func (v voices) Find(string, string) (engine.Voice, error) { return v.Voices()[0], nil }

// plain says audio by its payload and everything else not at all.
type plain struct{ stream.Dialect }

func (plain) Encode(ev stream.Event) ([]stream.Message, error) {
	switch ev := ev.(type) {
	case stream.SpeakAudio:
		return []stream.Message{{Kind: stream.Binary, Payload: ev.Payload}}, nil
	case stream.SpeakSent:
		return []stream.Message{{Kind: stream.Binary, Payload: []byte("end")}}, nil
	}
	return nil, nil
}

func idle(t *testing.T) *session {
	s := newSession("sess_test", nil, plain{}, Config{
		Services: Services{Voices: voices{&enginetest.Synthesizer{}}},
		Limits:   stream.DefaultLimits(),
		Log:      zerolog.Nop(),
	}, newMetrics(nil))
	s.work, s.stop = context.WithCancelCause(t.Context())
	return s
}

func TestEverySpeechHasItsOwnMouth(t *testing.T) {
	s := idle(t)
	const speeches = 200
	s.inbox = make(chan input, 2*speeches)
	for epoch := 1; epoch <= speeches; epoch++ {
		s.do(open{epoch: epoch, voice: "test/sine", speed: 1})
	}
	s.do(feed{epoch: speeches, last: true})
	s.wg.Wait()
	close(s.inbox)
	var ended []int
	for in := range s.inbox {
		if m, ok := in.(mute); ok {
			ended = append(ended, m.epoch)
		}
	}
	slices.Sort(ended)
	if n := len(slices.Compact(slices.Clone(ended))); n != speeches {
		t.Errorf("%d mouths ran for %d speeches", n, speeches)
	}
	s.stop(errOver)
}

func TestAudioTakenBackTakesItsEndAlong(t *testing.T) {
	s := idle(t)
	defer s.stop(errOver)
	s.do(emit{stream.SpeakStarted{Speech: "a", Stream: 1, Format: codec.Format{Encoding: codec.PCM16}}})
	s.do(emit{stream.SpeakAudio{Speech: "a", Stream: 1, Payload: []byte("sound")}})
	s.do(emit{stream.SpeakSent{Speech: "a", Stream: 1, PTS: time.Second}})
	s.do(hush{speech: "a"})
	if p, ok, _ := s.outbox.Take(); ok {
		t.Errorf("%q is still to be written", p.Payload)
	}
}
