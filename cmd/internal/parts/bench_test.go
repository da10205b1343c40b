package parts

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/cmd/internal/native"
	"parley/codec"
	"parley/codec/formats"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/engine/flite"
	"parley/stream"
	"parley/stream/direct"
	"parley/stream/session"
	"parley/stream/streamtest"
	"parley/vad/onnx"
	"parley/vad/silero"
)

// second is one second of noise as 50 Opus packets of 20 ms: nothing to decode,
// all the work of a listening session.
func second(b *testing.B) (packets [][]byte) {
	b.Helper()
	enc, err := formats.NewEncoder(codec.Format{Encoding: codec.Opus, Rate: 48000, Channels: 1}, codec.SpeechRate)
	if err != nil {
		b.Fatal(err)
	}
	pcm := make([]float32, codec.SpeechRate+400)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range pcm {
		pcm[i] = float32(r.NormFloat64() * 0.003)
	}
	if err := enc.Encode(pcm, func(p codec.Packet) error {
		packets = append(packets, p.Payload)
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return packets[:50]
}

// BenchmarkListenSecond is what one second of Opus costs a session that hears no
// speech: dialect-free core, libopus, Silero. One operation is one audio second.
func BenchmarkListenSecond(b *testing.B) {
	if err := onnx.Initialize(native.Find().ONNXRuntime); err != nil {
		b.Fatal(err)
	}
	model, err := silero.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer model.Close()
	services, pool, err := streamtest.Services(&enginetest.Slot{}, &enginetest.Synthesizer{})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	services.NewDecoder = formats.NewDecoder
	services.NewDetector = func() (session.Detector, error) { return model.NewDetector() }
	limits := stream.DefaultLimits()
	limits.MaxSession = 24 * time.Hour
	hub, err := session.NewHub(session.Config{Services: services, Limits: limits, MaxSessions: 1})
	if err != nil {
		b.Fatal(err)
	}
	packets := second(b)
	client := direct.New(1 << 10)
	served := make(chan error, 1)
	ctx := b.Context()
	go func() { served <- hub.Serve(ctx, client, client) }()
	send := func(cmd stream.Command) {
		if err := client.Send(ctx, cmd); err != nil {
			b.Fatal(err)
		}
	}
	opus := codec.Format{Encoding: codec.Opus, Rate: 48000, Channels: 1}
	send(stream.Start{Patch: stream.Patch{Input: &opus}})
	b.ReportAllocs()
	b.ResetTimer()
	var seq uint32
	for i := 0; b.Loop(); i++ {
		for _, p := range packets {
			send(stream.Audio{Seq: seq, HasSeq: true, PTS: time.Duration(seq) * 20 * time.Millisecond, Payload: p})
			seq++
		}
		send(stream.Ping{T: float64(i)})
		for {
			ev, err := client.Receive(ctx)
			if err != nil {
				b.Fatal(err)
			}
			if p, ok := ev.(stream.Pong); ok && p.T == float64(i) {
				break
			}
		}
	}
	b.StopTimer()
	client.HangUp()
	<-served
}

// BenchmarkRecognise is a partial and a final decode of 3 s of speech by the
// bundled model on one thread. RTF is computing time by audio time.
func BenchmarkRecognise(b *testing.B) {
	paths := native.Find()
	bundled, err := filepath.Abs("../../../engine/whisper/tinymodel/commands.en-q5_0.bin")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(bundled); err != nil {
		b.Fatal(err)
	}
	h, err := OpenHearing(HearingConfig{Paths: paths, Model: bundled, Short: true, Slots: 1, Threads: 1, Queue: 4})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	window := engine.Window{Audio: spoken(b, "set a timer for ten minutes please"), Language: "en"}
	audio := codec.Duration(len(window.Audio), codec.SpeechRate)
	rtf := func(b *testing.B) {
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/audio.Seconds(), "RTF")
	}
	bare := func() (engine.Window, engine.Prefix) { return window, nil }
	b.Run("partial", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Recognizer.Partial(b.Context(), engine.Ask{}, bare); err != nil {
				b.Fatal(err)
			}
		}
		rtf(b)
	})
	b.Run("partial after a prefix", func(b *testing.B) {
		first, err := h.Recognizer.Partial(b.Context(), engine.Ask{}, bare)
		if err != nil || len(first.Words) < 4 {
			b.Fatal(first.Words, err)
		}
		prefix := engine.Prefix(first.Words[:len(first.Words)-2])
		for b.Loop() {
			if _, err := h.Recognizer.Partial(b.Context(), engine.Ask{}, func() (engine.Window, engine.Prefix) { return window, prefix }); err != nil {
				b.Fatal(err)
			}
		}
		rtf(b)
	})
	b.Run("final", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Recognizer.Final(b.Context(), engine.Ask{}, window, nil); err != nil {
				b.Fatal(err)
			}
		}
		rtf(b)
	})
}

// spoken is a sentence at 16 kHz, by a voice that speaks at that rate.
func spoken(b *testing.B, text string) (pcm []float32) {
	b.Helper()
	voice, err := flite.Open(flite.Config{})
	if err != nil {
		b.Fatal(err)
	}
	err = voice.Speak(context.Background(), engine.Phrase{Text: text, Voice: flite.Default, Speed: 1}, func(c engine.Chunk) error {
		pcm = append(pcm, c.PCM...)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return pcm
}
