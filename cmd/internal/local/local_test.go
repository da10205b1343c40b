package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ear is a detector for tests: what is loud is speech.
type ear struct{}

func (ear) Probability(frame []float32) (float32, error) {
	for _, s := range frame {
		if s > 0.1 {
			return 0.99, nil
		}
	}
	return 0.01, nil
}
func (ear) Reset()       {}
func (ear) Close() error { return nil }

// raw reads 16-bit PCM at the rate of speech.
type raw struct{ u *codec.Unpacker }

func (r raw) Decode(dst []float32, payload []byte) ([]float32, error) {
	return r.u.Unpack(dst, payload), nil
}

func (raw) Conceal(dst []float32, n int, _ []byte) ([]float32, error) {
	return append(dst, make([]float32, n)...), nil
}

func (raw) Flush(dst []float32) ([]float32, error) { return dst, nil }

type voices struct{ enginetest.Synthesizer }

func (v *voices) Find(string, string) (engine.Voice, error) { return v.Voices()[0], nil }

func newHub(t *testing.T, slot engine.Slot) *session.Hub {
	t.Helper()
	pool, err := engine.NewPool(engine.PoolConfig{Queue: 100}, slot)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	hub, err := session.NewHub(session.Config{
		Services: session.Services{
			Recognizer:  pool,
			Voices:      &voices{},
			NewDetector: func() (session.Detector, error) { return ear{}, nil },
			NewDecoder: func(codec.Format, int) (codec.Decoder, error) {
				u, err := codec.NewUnpacker(codec.LayoutS16, 1)
				return raw{u}, err
			},
			NewEncoder: func(codec.Format, int) (codec.Encoder, error) { return nil, errors.ErrUnsupported },
			Model:      session.Model{Name: "scripted"},
		},
		Limits: Limits(), MaxSessions: 1, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return hub
}

// bursts is n times a second of sound and a second of silence, as 16-bit PCM.
func bursts(n int) []byte {
	var b bytes.Buffer
	for i := range n * 2 * codec.SpeechRate {
		v := int16(0)
		if i/codec.SpeechRate%2 == 0 {
			v = int16(20000 * math.Sin(float64(i)/5))
		}
		b.Write([]byte{byte(v), byte(uint16(v) >> 8)})
	}
	return b.Bytes()
}

func TestNothingIsLostHoweverSlowRecognitionIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 30
		slot := &enginetest.Slot{Latency: 10 * time.Second} // ten times slower than speech
		for i := range n {
			slot.Script = append(slot.Script, enginetest.Say(fmt.Sprint("word", i), 0, 10*time.Millisecond))
		}
		var got []string
		waiting, most := 0, 0
		stats, err := Transcribe(t.Context(), newHub(t, slot), Config{
			Audio: bytes.NewReader(bursts(n)),
			Ahead: 2,
			OnEvent: func(ev stream.Event) {
				switch ev := ev.(type) {
				case stream.SpeechStopped:
					waiting++
					most = max(most, waiting)
				case stream.Final:
					waiting--
					got = append(got, ev.Text)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n || got[0] != "word0" || got[n-1] != fmt.Sprint("word", n-1) {
			t.Errorf("%d finals: %v", len(got), got)
		}
		if stats.Audio != 2*n*time.Second || stats.Dropped != 0 || stats.Utterances != n {
			t.Errorf("%+v", stats)
		}
		if most > 5 {
			t.Errorf("%d utterances waited: the file ran ahead of recognition", most)
		}
	})
}

func TestErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, c := range []struct {
		name  string
		audio io.Reader
		patch stream.Patch
		input codec.Format
		want  string
	}{
		{"reading", io.MultiReader(bytes.NewReader(bursts(1)), iotest.ErrReader(broken)), stream.Patch{}, codec.Format{}, "disk on fire"},
		{"model", strings.NewReader(""), stream.Patch{Model: new("other")}, codec.Format{}, "unknown_model"},
		{"format", strings.NewReader("x"), stream.Patch{}, codec.Format{Encoding: codec.PCM16, Rate: 1, Channels: 1}, "unsupported_codec"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Transcribe(t.Context(), newHub(t, &enginetest.Slot{}), Config{Audio: c.audio, Patch: c.patch, Input: c.input})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not tell %q", err, c.want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		slot := &enginetest.Slot{Latency: time.Hour}
		if _, err := Transcribe(ctx, newHub(t, slot), Config{Audio: bytes.NewReader(bursts(20))}); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	})
}
