//go:build cgo

package whisper

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/codectest"
	"parley/engine"
)

// The benchmarks report ratios, each measured in one run in which the two sides
// take turns. PARLEY_BENCH_MODEL is the file they run on, such as one written by
// "parley models random"; the bundled model where it is not set.

func benchModel(b *testing.B) *Model {
	b.Helper()
	path := cmp.Or(os.Getenv("PARLEY_BENCH_MODEL"), bundled)
	m, err := Load(Config{Path: path, Backends: os.Getenv("PARLEY_GGML_BACKENDS"), Short: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Close(); err != nil {
			b.Error(err)
		}
	})
	return m
}

func benchState(b *testing.B, m *Model) *state {
	b.Helper()
	s, err := m.weights.newState()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.free)
	return s
}

// clock adds up the processor time of one side.
type clock struct{ took []time.Duration }

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // has no other error than a bad pointer
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c *clock) time(f func()) {
	start := cpu()
	f()
	c.took = append(c.took, cpu()-start)
}

// median is what one run takes.
func (c *clock) median() time.Duration {
	slices.Sort(c.took)
	return c.took[len(c.took)/2]
}

func (c *clock) report(b *testing.B, name string) {
	b.ReportMetric(float64(c.median().Nanoseconds())/1e6, name+"-ms")
}

func ratio(b *testing.B, of, to *clock) {
	b.ReportMetric(float64(of.median())/float64(max(to.median(), 1)), "ratio")
	b.ReportMetric(0, "ns/op") // is both sides and says nothing
}

func (s *state) must(b *testing.B, g *guess) []token {
	b.Helper()
	out, _, err := s.guess(context.Background(), g)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkMel (C2): the spectrogram of a partial at 10 s of which 0.5 s are new
// against the library's of the same audio; to the encoder's input in both cases.
func BenchmarkMel(b *testing.B) {
	m := benchModel(b)
	s := benchState(b, m)
	pcm := codectest.Speech(b)[:10*codec.SpeechRate]
	var ours, theirs clock
	for b.Loop() {
		sp := &spectrum{filters: m.weights.filters}
		sp.scaled(pcm[:len(pcm)-codec.SpeechRate/2], 1536)
		ours.time(func() { s.setMel(sp, pcm, 1536) })
		theirs.time(func() { s.setMel(nil, pcm, 1536) })
	}
	ours.report(b, "ours")
	theirs.report(b, "library")
	ratio(b, &ours, &theirs)
}

// BenchmarkPick (C3): our sampler against the library's, per token. The library
// does not tell what its own takes: that is what its decode takes beyond ours of
// the same text with the library's spectrogram, per token, and our sampler.
func BenchmarkPick(b *testing.B) {
	m := benchModel(b)
	s := benchState(b, m)
	pcm := codectest.Speech(b)[:5*codec.SpeechRate]
	g := &guess{pcm: pcm, encoder: 256, threads: 1, most: 100}
	eot := int(m.weights.info.Whisper_token_eot())
	logits := row(b, s, &guess{pcm: pcm, encoder: 256})
	var sampler, theirs clock
	for b.Loop() {
		var own, whole clock
		sampler.time(func() {
			for range 100 {
				pick(logits, m.weights.mute, eot)
			}
		})
		made := 0
		own.time(func() { made = len(s.must(b, g)) }) // with the library's spectrogram
		whole.time(func() { s.full(b, m, pcm, 256) })
		theirs.took = append(theirs.took, (whole.took[0]-own.took[0])/time.Duration(max(1, made))+sampler.took[len(sampler.took)-1]/100)
	}
	for i := range sampler.took {
		sampler.took[i] /= 100
	}
	sampler.report(b, "ours")
	theirs.report(b, "library")
	ratio(b, &sampler, &theirs)
}

// full is the library's own decode, which has timestamps too.
func (s *state) full(b *testing.B, m *Model, pcm []float32, encoder int) int {
	b.Helper()
	p := (&Slot{model: m}).params(engine.Window{}, false, encoder, codec.Duration(len(pcm), codec.SpeechRate))
	p.SetMaxTokensPerSegment(0)
	out, _, _, err := s.decode(context.Background(), &job{pcm: pcm, params: p})
	if err != nil {
		b.Fatal(err)
	}
	return len(out)
}

// BenchmarkForced (C4): a partial of 40 forced tokens and 5 new ones against the
// library's decode of all 45; on a model that says as many, as one written by
// "parley models random" can. On others there are fewer, as is reported.
func BenchmarkForced(b *testing.B) {
	m := benchModel(b)
	for _, encoder := range []int{256, 512} {
		b.Run(map[int]string{256: "256", 512: "512"}[encoder], func(b *testing.B) {
			s := benchState(b, m)
			pcm := codectest.Speech(b)[:min(10, encoder/50)*codec.SpeechRate-codec.SpeechRate/2]
			free := &guess{pcm: pcm, encoder: encoder, threads: 1, most: 100}
			s.must(b, free)
			said := slices.Clone(free.ids)
			prefix := said[:max(0, min(40, len(said)-5))]
			forced := &guess{pcm: pcm, encoder: encoder, threads: 1, most: 5, prefix: prefix}
			var ours, theirs clock
			made := 0
			for b.Loop() {
				forced.spectrum = &spectrum{filters: m.weights.filters}
				forced.spectrum.scaled(pcm[:len(pcm)-codec.SpeechRate/2], 2*encoder)
				ours.time(func() { s.must(b, forced) })
				theirs.time(func() { made = s.full(b, m, pcm, encoder) })
			}
			ours.report(b, "forced")
			theirs.report(b, "library")
			b.ReportMetric(float64(len(prefix)), "forced-tokens")
			b.ReportMetric(float64(len(forced.ids)), "new-tokens")
			b.ReportMetric(float64(made), "library-tokens")
			ratio(b, &ours, &theirs)
		})
	}
}

// BenchmarkEncode (C5): an encoder of 256 positions against the model's own, with
// one token decoded in both cases.
func BenchmarkEncode(b *testing.B) {
	m := benchModel(b)
	short, whole := benchState(b, m), benchState(b, m)
	pcm := codectest.Speech(b)[:4*codec.SpeechRate]
	sp := &spectrum{filters: m.weights.filters}
	var ours, theirs clock
	for b.Loop() {
		ours.time(func() { short.must(b, &guess{pcm: pcm, encoder: 256, threads: 1, most: 1, spectrum: sp}) })
		theirs.time(func() { whole.must(b, &guess{pcm: pcm, threads: 1, most: 1, spectrum: sp}) })
	}
	ours.report(b, "256")
	theirs.report(b, "1500")
	ratio(b, &ours, &theirs)
}

// BenchmarkCancel (C9): how long a partial goes on after it was cancelled while it
// encodes, at worst, against one encode; in real time.
func BenchmarkCancel(b *testing.B) {
	m := benchModel(b)
	s := benchState(b, m)
	pcm := codectest.Speech(b)[:4*codec.SpeechRate]
	sp := &spectrum{filters: m.weights.filters}
	encode := func() time.Duration {
		start := time.Now()
		s.must(b, &guess{pcm: pcm, encoder: 512, threads: 1, most: 1, spectrum: sp})
		return time.Since(start)
	}
	var one, after []time.Duration
	for i := 0; b.Loop(); i++ {
		one = append(one, encode())
		ctx, cancel := context.WithCancel(context.Background())
		var asked time.Time
		timer := time.AfterFunc(one[0]*time.Duration(i%8)/8, func() {
			asked = time.Now()
			cancel()
		})
		_, _, err := s.guess(ctx, &guess{pcm: pcm, encoder: 512, threads: 1, most: 100, spectrum: sp})
		if !timer.Stop() && err != nil {
			after = append(after, time.Since(asked))
		}
		cancel()
	}
	slices.Sort(one)
	if len(after) > 0 {
		worst := slices.Max(after)
		b.ReportMetric(float64(worst.Nanoseconds())/1e6, "cancel-ms")
		b.ReportMetric(float64(worst)/float64(one[len(one)/2]), "ratio")
	}
	b.ReportMetric(float64(one[len(one)/2].Nanoseconds())/1e6, "encode-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStates (C10): what two states of one thread each do in the time that
// one needs for as much, alone and beside a thread that never rests; in real
// time.
func BenchmarkStates(b *testing.B) {
	m := benchModel(b)
	states := []*state{benchState(b, m), benchState(b, m)}
	pcm := codectest.Speech(b)[:4*codec.SpeechRate]
	run := func(n, threads int) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		for _, s := range states[:n] {
			wg.Go(func() {
				sp := &spectrum{filters: m.weights.filters}
				for range 4 / n {
					if _, _, err := s.guess(context.Background(), &guess{pcm: pcm, encoder: 512, threads: threads, most: 20, spectrum: sp}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	for _, hog := range []bool{false, true} {
		b.Run(map[bool]string{false: "alone", true: "hog"}[hog], func(b *testing.B) {
			if hog {
				defer busy()()
			}
			var one, two, threads time.Duration
			for b.Loop() {
				one += run(1, 1)
				two += run(2, 1)
				threads += run(1, 2)
			}
			b.ReportMetric(float64(one)/float64(two)/2, "ratio")        // 1: two do twice as much
			b.ReportMetric(float64(threads)/float64(one), "2threads/1") // of one state
			b.ReportMetric(0, "ns/op")
		})
	}
}

// busy keeps one processor from resting until it is stopped.
func busy() (stop func()) {
	var wg sync.WaitGroup
	var over atomic.Bool
	wg.Go(func() {
		runtime.LockOSThread()
		for !over.Load() {
		}
	})
	return func() {
		over.Store(true)
		wg.Wait()
	}
}

// BenchmarkMemory (C12): resident memory after all utterances against after the
// first hundred; run with -benchtime 10000x. An utterance is three partials that
// share a memo and a final.
func BenchmarkMemory(b *testing.B) {
	m := benchModel(b)
	s, err := m.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	pcm := codectest.Speech(b)
	first := 0.0
	n := 0
	for ; b.Loop(); n++ {
		at := n * 997 % (7 * codec.SpeechRate)
		w := engine.Window{Memo: new(engine.Memo)}
		for _, length := range []int{1, 2, 3} {
			w.Audio = pcm[at : at+length*codec.SpeechRate]
			if _, err := s.Partial(context.Background(), w, nil); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := s.Final(context.Background(), w, nil); err != nil {
			b.Fatal(err)
		}
		if n == 99 {
			first = resident(b)
		}
	}
	if first > 0 {
		b.ReportMetric(resident(b)/first, "ratio")
		b.ReportMetric(resident(b)/1e6, "MB")
	}
}

// resident is the memory of the process in bytes, without garbage.
func resident(b *testing.B) float64 {
	b.Helper()
	debug.FreeOSMemory()
	raw, err := os.ReadFile("/proc/self/statm")
	var size, pages int
	if _, err2 := fmt.Sscan(string(raw), &size, &pages); err != nil || err2 != nil {
		b.Skip("no /proc here")
	}
	return float64(pages * os.Getpagesize())
}
