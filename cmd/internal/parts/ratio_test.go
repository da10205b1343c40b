package parts

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/cmd/internal/cputime"
	"parley/cmd/internal/native"
	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/formats"
	"parley/codec/opus"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/engine/whisper"
	"parley/stream"
	"parley/stream/direct"
	"parley/stream/session"
	"parley/stream/streamtest"
	"parley/vad"
)

// The ratios of docs/recognition.md that take a whole session, from computing
// time, which other programs disturb less than the clock.

// listener is a session in this process that hears.
type listener struct {
	b      *testing.B
	client *direct.Client
	served chan error
	seq    uint32
}

// listen opens a session with a real detector and a recogniser, nil for none.
func listen(b *testing.B, h *Hearing, r session.Recognizer, patch stream.Patch) *listener {
	b.Helper()
	services, pool, err := streamtest.Services(&enginetest.Slot{}, &enginetest.Synthesizer{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pool.Close(); err != nil {
			b.Error(err)
		}
	})
	services.NewDecoder, services.NewDetector = formats.NewDecoder, h.NewDetector
	if r != nil {
		services.Recognizer = r
	}
	limits := stream.DefaultLimits()
	limits.MaxSession = 24 * time.Hour
	hub, err := session.NewHub(session.Config{Services: services, Limits: limits, MaxSessions: 1})
	if err != nil {
		b.Fatal(err)
	}
	l := &listener{b: b, client: direct.New(1 << 12), served: make(chan error, 1)}
	ctx := b.Context()
	go func() { l.served <- hub.Serve(ctx, l.client, l.client) }()
	l.send(stream.Start{Patch: patch})
	return l
}

func (l *listener) send(cmd stream.Command) {
	l.b.Helper()
	if err := l.client.Send(l.b.Context(), cmd); err != nil {
		l.b.Fatal(err)
	}
}

// hear sends 20 ms.
func (l *listener) hear(payload []byte) {
	l.b.Helper()
	l.send(stream.Audio{Seq: l.seq, HasSeq: true, PTS: time.Duration(l.seq) * 20 * time.Millisecond, Payload: payload})
	l.seq++
}

// until receives events up to one that is wanted.
func (l *listener) until(wanted func(stream.Event) bool) {
	l.b.Helper()
	for {
		ev, err := l.client.Receive(l.b.Context())
		if err != nil {
			l.b.Fatal(err)
		}
		if wanted(ev) {
			return
		}
	}
}

func (l *listener) pong(t float64) {
	l.b.Helper()
	l.send(stream.Ping{T: t})
	l.until(func(ev stream.Event) bool {
		p, ok := ev.(stream.Pong)
		return ok && p.T == t
	})
}

func (l *listener) close() {
	l.client.HangUp()
	<-l.served
}

// hearing opens what PARLEY_BENCH_MODEL names, else the bundled model.
func hearing(b *testing.B) *Hearing {
	b.Helper()
	h, err := OpenHearing(HearingConfig{Paths: native.Find(), Model: benchModel(b), Short: short(b), Slots: 1, Threads: 1, Queue: 4, GPU: whisper.Off})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := h.Close(); err != nil {
			b.Error(err)
		}
	})
	return h
}

func benchModel(b *testing.B) string {
	b.Helper()
	path, err := filepath.Abs(cmp.Or(os.Getenv("PARLEY_BENCH_MODEL"), bundledModel))
	if err != nil {
		b.Fatal(err)
	}
	return path
}

const bundledModel = "../../../engine/whisper/tinymodel/commands.en-q5_0.bin"

func short(b *testing.B) bool {
	return filepath.Base(benchModel(b)) == filepath.Base(bundledModel)
}

// BenchmarkFrontEnd is C11: what a session that hears no speech takes of Opus by
// what libopus and Silero alone take of the same.
func BenchmarkFrontEnd(b *testing.B) {
	h := hearing(b)
	packets := second(b)
	decoder, err := opus.NewDecoder(codec.SpeechRate)
	if err != nil {
		b.Fatal(err)
	}
	detector, err := h.NewDetector()
	if err != nil {
		b.Fatal(err)
	}
	defer detector.Close()
	format := codec.Format{Encoding: codec.Opus, Rate: 48000, Channels: 1}
	l := listen(b, h, nil, stream.Patch{Input: &format})
	var kernels, whole time.Duration
	var pcm []float32
	for i := 0; b.Loop(); i++ { // one audio second
		begun := cputime.Used()
		for _, p := range packets {
			if pcm, err = decoder.Decode(pcm, p); err != nil {
				b.Fatal(err)
			}
		}
		for ; len(pcm) >= vad.FrameSize; pcm = pcm[vad.FrameSize:] {
			if _, err := detector.Probability(pcm[:vad.FrameSize]); err != nil {
				b.Fatal(err)
			}
		}
		half := cputime.Used()
		for _, p := range packets {
			l.hear(p)
		}
		l.pong(float64(i))
		kernels, whole = kernels+half-begun, whole+cputime.Used()-half
	}
	b.ReportMetric(whole.Seconds()/kernels.Seconds(), "ratio")
	b.ReportMetric(1e3*whole.Seconds()/float64(b.N), "cpu-ms/audio-s")
	b.ReportMetric(0, "ns/op") // is both sides and says nothing
	l.close()
}

// asked is a decode that a session had.
type asked struct {
	window engine.Window
	prefix engine.Prefix
	final  bool
}

// recorder is a Recognizer that remembers what was decoded.
type recorder struct {
	session.Recognizer
	mu   sync.Mutex
	list []asked
	lost int // begun and called off
}

func (r *recorder) Partial(ctx context.Context, a engine.Ask, latest func() (engine.Window, engine.Prefix)) (engine.Hypothesis, error) {
	var k asked
	h, err := r.Recognizer.Partial(ctx, a, func() (engine.Window, engine.Prefix) {
		k.window, k.prefix = latest()
		return k.window, k.prefix
	})
	r.add(k, err)
	return h, err
}

func (r *recorder) Final(ctx context.Context, a engine.Ask, w engine.Window, p engine.Prefix) (engine.Transcript, error) {
	t, err := r.Recognizer.Final(ctx, a, w, p)
	r.add(asked{w, p, true}, err)
	return t, err
}

func (r *recorder) add(k asked, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.list = append(r.list, k)
	case k.window.Audio != nil:
		r.lost++
	}
}

// BenchmarkServed is C1: 11 s of speech heard live in a session, without what
// only listening to it takes, by the same decodes asked of a bare slot. One
// operation is about half a minute.
func BenchmarkServed(b *testing.B) {
	h := hearing(b)
	pcm := codectest.WAV(b)
	pcm = append(pcm[len(pcm)-11*2*codec.SpeechRate:], make([]byte, 2*2*codec.SpeechRate)...)
	var bare, listening, whole time.Duration
	decodes, lost := 0, 0
	for b.Loop() {
		r := &recorder{Recognizer: h.Recognizer}
		whole += live(b, h, r, pcm)
		listening += live(b, h, nil, pcm)
		bare += replay(b, r.list)
		decodes, lost = decodes+len(r.list), lost+r.lost
	}
	b.ReportMetric((whole-listening).Seconds()/bare.Seconds(), "ratio")
	b.ReportMetric(float64(decodes)/float64(b.N), "decodes/op")
	b.ReportMetric(float64(lost)/float64(b.N), "called-off/op")
	b.ReportMetric(1e3*bare.Seconds()/float64(decodes), "cpu-ms/decode")
	b.ReportMetric(0, "ns/op")
}

// live has a session hear as fast as people speak and returns the computing time.
func live(b *testing.B, h *Hearing, r session.Recognizer, pcm []byte) time.Duration {
	b.Helper()
	format := codec.Format{Encoding: codec.PCM16, Rate: codec.SpeechRate, Channels: 1}
	language := "en"
	l := listen(b, h, r, stream.Patch{Input: &format, Language: &language})
	begun := cputime.Used()
	const piece = 2 * codec.SpeechRate / 50
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ; len(pcm) >= piece; pcm = pcm[piece:] {
		<-tick.C
		l.hear(pcm[:piece])
	}
	l.send(stream.End{})
	l.until(func(ev stream.Event) bool {
		_, ok := ev.(stream.Ended)
		return ok
	})
	l.close()
	return cputime.Used() - begun
}

// replay asks a slot of its own for the same decodes and returns the computing time.
func replay(b *testing.B, list []asked) time.Duration {
	b.Helper()
	model, err := whisper.Load(whisper.Config{Path: benchModel(b), Backends: native.Find().Backends, GPU: whisper.Off, Threads: 1, Short: short(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer model.Close()
	slot, err := model.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer slot.Close()
	memos := map[*engine.Memo]*engine.Memo{nil: nil}
	begun := cputime.Used()
	for _, k := range list {
		if memos[k.window.Memo] == nil && k.window.Memo != nil {
			memos[k.window.Memo] = &engine.Memo{}
		}
		k.window.Memo = memos[k.window.Memo]
		if k.final {
			_, err = slot.Final(b.Context(), k.window, k.prefix)
		} else {
			_, err = slot.Partial(b.Context(), k.window, k.prefix)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return cputime.Used() - begun
}
