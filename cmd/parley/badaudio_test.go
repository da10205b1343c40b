package main_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/cmd/internal/wer"
	"parley/codec"
	"parley/stream/native"
)

// pcmIn is a session that hears 16-bit samples and tells finals only.
func pcmIn(more map[string]any) map[string]any {
	fields := input("pcm_s16le", "rate", codec.SpeechRate, "channels", 1)
	fields["asr"] = quiet["asr"]
	for k, v := range more {
		fields[k] = v
	}
	return fields
}

// microphone16 sends samples, one input stream after the other.
type microphone16 struct {
	*client
	seq  uint32
	sent int // samples
}

func (m *microphone16) sound(pcm []float32) {
	m.t.Helper()
	var b []byte
	for _, x := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(max(-1, min(x, 1))*32767)))
	}
	m.frame(native.Frame{Stream: m.stream, Seq: m.seq, PTS: uint64(codec.Duration(m.sent, codec.SpeechRate).Microseconds()), Payload: b})
	m.seq++
	m.sent += len(pcm)
}

// over ends the stream and returns what was heard of it.
func (m *microphone16) over() string {
	m.t.Helper()
	m.send(map[string]any{"type": "input.end", "stream": m.stream})
	m.stream, m.seq, m.sent = m.stream+1, 0, 0
	return m.heard()
}

// spoken is a text as flite says it.
func spoken(t *testing.T, text string) []float32 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spoken.wav")
	parley(t, nil, "say", text, "-o", path).must(t)
	return decodeFile(t, path)
}

// TestUtterancesOf40ms commits every 40 ms of speech, and every 160 ms: too short
// to be anything, and each answered once.
func TestUtterancesOf40ms(t *testing.T) {
	t.Parallel()
	c := microphone16{client: session(t, commonServer(t), pcmIn(map[string]any{"vad": map[string]any{"mode": "manual"}}))}
	pcm := spoken(t, "one two three four five")
	for _, piece := range []int{codec.SpeechRate / 25, codec.SpeechRate * 4 / 25} {
		for part := pcm; len(part) >= piece; part = part[piece:] {
			c.sound(part[:piece])
			c.send(map[string]any{"type": "input.commit"})
		}
	}
	c.send(map[string]any{"type": "session.end"})
	all, status := c.drain()
	open, began := map[string]bool{}, 0
	for _, ev := range all {
		switch ev.Type {
		case "vad.start":
			began++
			open[ev.Utt] = true
		case "transcript.final":
			if !open[ev.Utt] {
				t.Errorf("a final of %s, which is not open", ev.Utt)
			}
			delete(open, ev.Utt)
			if long := time.Duration(ev.EndUS-ev.StartUS) * time.Microsecond; long > 200*time.Millisecond {
				t.Errorf("%s lasts %v", ev.Utt, long)
			}
		case "error", "transcript.failed":
			t.Errorf("%s: %s %s", ev.Type, ev.Code, ev.Message)
		}
	}
	if status != 1000 || len(open) > 0 || began == 0 {
		t.Errorf("closed with %d, %d of %d utterances without an end", status, len(open), began)
	}
}

// TestBadLevelsAreUnderstood: what a bad microphone does to speech. The bounds are
// word error rates; 0 to 5 % were measured, and 38 % of a signal whose upper three
// quarters are cut off, which no filter brings back.
func TestBadLevelsAreUnderstood(t *testing.T) {
	t.Parallel()
	conditions := map[string]func(x, peak float32) float32{
		"as it is":            func(x, _ float32) float32 { return x },
		"clipped at half":     func(x, peak float32) float32 { return 2 * x / peak },
		"with an offset":      func(x, peak float32) float32 { return x/2 + 0.4 },
		"offset and clipping": func(x, peak float32) float32 { return x/peak + 0.2 },
		"very quiet":          func(x, peak float32) float32 { return x / peak / 50 },
	}
	c := microphone16{client: session(t, commonServer(t), pcmIn(nil))}
	random := rand.New(rand.NewPCG(1, 2))
	total := map[string]wer.Count{}
	for range 6 {
		said := sentence(random)
		pcm := spoken(t, said)
		var peak float32
		for _, x := range pcm {
			peak = max(peak, x, -x)
		}
		pcm = slices.Concat(make([]float32, codec.SpeechRate/2), pcm, make([]float32, codec.SpeechRate))
		for name, change := range conditions {
			changed := make([]float32, len(pcm))
			for i, x := range pcm {
				changed[i] = change(x, peak)
			}
			for piece := range slices.Chunk(changed, codec.SpeechRate/10) {
				c.sound(piece)
			}
			heard := c.over()
			count := wer.Compare(said, heard)
			if total[name] = total[name].Add(count); count.Rate() > 0 {
				t.Logf("%s: said %q, heard %q", name, said, heard)
			}
		}
	}
	for name, count := range total {
		t.Logf("%s: word error rate %.1f %% of %d words", name, 100*count.Rate(), count.Words)
		if count.Rate() > 0.15 {
			t.Errorf("%s: word error rate %.1f %%", name, 100*count.Rate())
		}
	}
}

// TestFourTimesTooFast: a client that heeds input.ack and flow may send faster than
// people talk and loses nothing; one that does not is told, and what it lost counted.
func TestFourTimesTooFast(t *testing.T) {
	s := startServer(t, "--slots", "1", "--max-backlog", "6s")
	said := []string{"turn off the radio in the bedroom", "one two three four five", "set a timer for ten minutes"}
	var pcm []float32
	for range 3 {
		for _, text := range said {
			pcm = slices.Concat(pcm, spoken(t, text), make([]float32, codec.SpeechRate))
		}
	}
	t.Run("with an eye on the answers", func(t *testing.T) {
		c := microphone16{client: session(t, s, pcmIn(map[string]any{"vad": map[string]any{"patience_ms": 0}}))}
		finals, ended := c.heed(pcm, 4, time.Second)
		if finals != 3*len(said) {
			t.Errorf("%d finals of %d sentences", finals, 3*len(said))
		}
		if ended.Stats.DroppedUS != 0 || ended.Stats.AudioUS < codec.Duration(len(pcm), codec.SpeechRate).Microseconds() {
			t.Errorf("%+v", ended.Stats)
		}
	})
	t.Run("without", func(t *testing.T) {
		c := microphone16{client: session(t, s, pcmIn(nil))}
		for range 3 {
			for piece := range slices.Chunk(pcm, codec.SpeechRate/10) {
				c.sound(piece)
			}
		}
		c.send(map[string]any{"type": "session.end"})
		all, status := c.drain()
		states := map[string]bool{}
		for _, ev := range all {
			if ev.Type == "flow" {
				states[ev.State] = true
			}
		}
		stats := all[len(all)-1].Stats
		if whole := 3 * codec.Duration(len(pcm), codec.SpeechRate).Microseconds(); status != 1000 || !states["slow"] || !states["dropping"] ||
			stats.DroppedUS == 0 || stats.DroppedUS >= whole || stats.AudioUS < whole {
			t.Errorf("closed with %d, flow %v, %+v", status, states, stats)
		}
	})
}

// heed sends pcm at a multiple of real time, at most ahead of what was taken in and
// only while flow is ok, and ends the session. It returns how many finals had text
// and the last event.
func (m *microphone16) heed(pcm []float32, times int, ahead time.Duration) (finals int, ended event) {
	m.t.Helper()
	var acked time.Duration
	flow := "ok"
	see := func(ev event) {
		switch {
		case ev.Type == "input.ack":
			acked = time.Duration(ev.PTSUS) * time.Microsecond
		case ev.Type == "flow":
			flow = ev.State
		case ev.Type == "transcript.final" && ev.Text != "":
			finals++
		}
	}
	const piece = codec.SpeechRate / 50
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(pcm) > 0 {
		select {
		case <-tick.C:
			for i := 0; i < times && len(pcm) > 0 && flow == "ok" && codec.Duration(m.sent, codec.SpeechRate) < acked+ahead; i++ {
				m.sound(pcm[:min(piece, len(pcm))])
				pcm = pcm[min(piece, len(pcm)):]
			}
		case ev, ok := <-m.events:
			if !ok {
				m.t.Fatalf("closed with %d", m.status)
			}
			m.lastSeq = ev.Seq
			see(ev)
		}
	}
	m.send(map[string]any{"type": "session.end"})
	for ended.Type != "session.ended" {
		var ok bool
		if ended, ok = m.next(); !ok {
			m.t.Fatalf("closed with %d", m.status)
		}
		see(ended)
	}
	return finals, ended
}

// TestModelsOfAnotherVocabulary: nothing but whisper's own is given to native code.
func TestModelsOfAnotherVocabulary(t *testing.T) {
	t.Parallel()
	bundled, err := os.ReadFile(filepath.Join(root(t), "engine", "whisper", "tinymodel", "commands.en-q5_0.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for n, says := range map[uint32]string{32000: "n_vocab is 32000", 51866: "tensor", 1 << 31: "n_vocab is -2147483648"} {
		b := slices.Clone(bundled)
		binary.LittleEndian.PutUint32(b[4:], n)
		path := filepath.Join(t.TempDir(), "other.bin")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got := parley(t, nil, "serve", "--listen", "127.0.0.1:0", "--model", path)
		if got.code == 0 || got.code > 2 || !strings.Contains(got.errout, says) || !strings.Contains(got.errout, path) {
			t.Errorf("%d tokens: exit code %d\n%s", n, got.code, got.errout)
		}
	}
}
