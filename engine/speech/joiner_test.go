package speech

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

const testRate = 16000

// tones are silence and tone by turns, in ms, the tone with its full amplitude
// from its first sample to its last.
func tones(ms ...int) []float32 {
	var out []float32
	for i, n := range ms {
		for k := range n * testRate / 1000 {
			v := 0.5 * math.Cos(2*math.Pi*200*float64(k)/testRate)
			out = append(out, float32(v*float64(i%2)))
		}
	}
	return out
}

type stream struct {
	pcm   []float32
	marks []engine.Mark
	t     *testing.T
}

func (s *stream) emit(c engine.Chunk) error {
	start := at(len(s.pcm))
	s.pcm = append(s.pcm, c.PCM...)
	for _, m := range c.Marks {
		if m.At < start || m.At >= at(len(s.pcm)) {
			s.t.Errorf("mark %+v sent with audio %v to %v", m, start, at(len(s.pcm)))
		}
	}
	s.marks = append(s.marks, c.Marks...)
	return nil
}

func at(samples int) time.Duration { return time.Duration(samples) * time.Second / testRate }

type testPhrase struct {
	pause time.Duration
	pcm   []float32
	marks []engine.Mark
}

// joinAll passes phrases through a joiner in chunks of a size.
func joinAll(t *testing.T, phrases []testPhrase, size int) *stream {
	t.Helper()
	s := &stream{t: t}
	var j joiner
	for _, p := range phrases {
		j.begin(p.pause)
		marks := p.marks
		n := 0
		for pcm := range slices.Chunk(slices.Clone(p.pcm), size) {
			c := engine.Chunk{PCM: slices.Clone(pcm), Rate: testRate}
			for n += len(pcm); len(marks) > 0 && marks[0].At < at(n); marks = marks[1:] {
				c.Marks = append(c.Marks, marks[0])
			}
			if err := j.push(c, s.emit); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.end(s.emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.close(s.emit); err != nil {
		t.Fatal(err)
	}
	return s
}

const ms = time.Millisecond

var joinTests = []struct {
	name    string
	phrases []testPhrase
	want    time.Duration
	marks   []time.Duration
}{
	{"nothing", nil, 0, nil},
	{"silence", []testPhrase{{0, tones(500), []engine.Mark{{To: 1}}}}, 0, nil},
	{"one phrase", []testPhrase{{300 * ms, tones(300, 500, 400), []engine.Mark{{To: 1}, {From: 1, To: 2, At: 400 * ms}}}}, 550 * ms, []time.Duration{0, 125 * ms}},
	{"a sentence after another", []testPhrase{
		{0, tones(300, 500, 400), []engine.Mark{{To: 1, At: 300 * ms}}},
		{300 * ms, tones(100, 500, 100), []engine.Mark{{To: 1, At: 100 * ms}}},
	}, (25 + 500 + 300 + 500 + 25) * ms, []time.Duration{25 * ms, 825 * ms}},
	{"no pause", []testPhrase{{0, tones(0, 500), nil}, {0, tones(0, 500), []engine.Mark{{To: 1}}}}, 992 * ms, []time.Duration{492 * ms}},
	{"a pause after sound cut short", []testPhrase{{0, tones(0, 500), nil}, {150 * ms, tones(0, 500), []engine.Mark{{To: 1}}}}, 1150 * ms, []time.Duration{650 * ms}},
	{"silence within stays", []testPhrase{{0, tones(0, 100, 450, 100), []engine.Mark{{To: 1, At: 550 * ms}}}}, 650 * ms, []time.Duration{550 * ms}},
	{"silent phrase between", []testPhrase{{0, tones(0, 100), nil}, {300 * ms, tones(100), nil}, {150 * ms, tones(0, 100), nil}}, 500 * ms, nil},
	{"short phrases", []testPhrase{{0, tones(0, 3), nil}, {0, tones(0, 2), nil}, {150 * ms, tones(0, 4), nil}}, 157 * ms, nil},
}

func TestJoin(t *testing.T) {
	for _, tt := range joinTests {
		t.Run(tt.name, func(t *testing.T) {
			whole := joinAll(t, tt.phrases, 1<<20)
			if d := (at(len(whole.pcm)) - tt.want).Abs(); d > ms {
				t.Errorf("%v of audio, want %v", at(len(whole.pcm)), tt.want)
			}
			var marks []time.Duration
			for _, m := range whole.marks {
				marks = append(marks, m.At.Round(ms))
			}
			if diff := cmp.Diff(tt.marks, marks); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
			for _, size := range []int{1, 7, 160, 4001} {
				if got := joinAll(t, tt.phrases, size); !slices.Equal(got.pcm, whole.pcm) || !slices.Equal(got.marks, whole.marks) {
					t.Errorf("chunks of %d samples give %d samples with %v, not %d with %v", size, len(got.pcm), got.marks, len(whole.pcm), whole.marks)
				}
			}
		})
	}
}

func TestJoinsDoNotClick(t *testing.T) {
	// The tone itself steps by 0.04 and begins and ends at its full amplitude.
	var phrases []testPhrase
	for i, pause := range []time.Duration{0, 0, 20 * ms, 150 * ms, 0, 300 * ms} {
		phrases = append(phrases, testPhrase{pause: pause, pcm: tones(i%2*60, 200+i)})
	}
	pcm := joinAll(t, phrases, 320).pcm
	before := float32(0)
	for i, v := range pcm {
		if step := math.Abs(float64(v - before)); step > 0.09 {
			// Silence before a tone that begins at once is the voice's own click.
			if i > 0 && before != 0 {
				t.Errorf("a step of %.3f at %v", step, at(i))
			}
		}
		if math.Abs(float64(v)) > 0.75 {
			t.Errorf("amplitude %v at %v", v, at(i))
		}
		before = v
	}
	if last := math.Abs(float64(before)); last > 0.02 {
		t.Errorf("ends at %v", last)
	}
}

func TestLookAheadIsBounded(t *testing.T) {
	var j joiner
	s := &stream{t: t}
	j.begin(0)
	taken := 0
	push := func(pcm []float32) {
		taken += len(pcm)
		if err := j.push(engine.Chunk{PCM: pcm, Rate: testRate}, s.emit); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		push(tones(0, 100))
	}
	if held := at(taken - len(s.pcm)); held > 9*ms {
		t.Errorf("%v of sound held back", held)
	}
	for range 100 {
		push(tones(100))
	}
	if held := at(taken - len(s.pcm)); held > 501*ms {
		t.Errorf("%v of silence held back", held)
	}
}
