package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/session"
	"parley/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHub(t *testing.T, slot engine.Slot) *session.Hub {
	t.Helper()
	services, pool, err := streamtest.Services(slot, &enginetest.Synthesizer{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	hub, err := session.NewHub(session.Config{Services: services, Limits: Limits(), MaxSessions: 1})
	if err != nil {
		t.Fatal(err)
	}
	return hub
}

// speech is the format of bursts.
var speech = codec.Format{Encoding: codec.PCM16, Rate: codec.SpeechRate, Channels: 1}

// bursts is n times a second of sound and a second of silence.
func bursts(n int) []byte {
	return bytes.Repeat(append(streamtest.Tone(time.Second), streamtest.Hush(time.Second)...), n)
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
			Input: speech,
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
		{"reading", io.MultiReader(bytes.NewReader(bursts(1)), iotest.ErrReader(broken)), stream.Patch{}, speech, "disk on fire"},
		{"model", strings.NewReader(""), stream.Patch{Model: new("other")}, speech, "unknown_model"},
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
		if _, err := Transcribe(ctx, newHub(t, slot), Config{Audio: bytes.NewReader(bursts(20)), Input: speech}); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	})
}
