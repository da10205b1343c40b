package main_test

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"parley/cmd/internal/wer"
	"parley/codec"
)

// captions follows what a reader of live captions sees of one utterance.
type captions struct {
	utterance
	shown   string // text of the last partial
	changed int    // words of partials that the next text had otherwise, or not at all
}

func (c *captions) see(t *testing.T, ev event) {
	t.Helper()
	c.utterance.see(t, ev)
	text := ev.Text
	if ev.Type == "transcript.partial" {
		text = strings.TrimSpace(ev.Stable + " " + ev.Tail)
	}
	d := wer.Compare(c.shown, text)
	c.changed += d.Substituted + d.Deleted
	c.shown = text
}

// maxUPWR bounds the unstable partial word ratio of Shangguan et al. 2020.
const maxUPWR = 0.25

func TestLiveCaptionsStayTrue(t *testing.T) {
	t.Parallel()
	s := commonServer(t)
	speaker := session(t, s, opusIn(nil))
	random := rand.New(rand.NewPCG(5, 6))
	pause := encode(t, make([]float32, 12*codec.SpeechRate/10))
	var said []string
	var packets []packet
	for i := range 8 {
		text := sentence(random)
		said = append(said, text)
		packets = append(append(packets, speaker.speak(text, []string{"flite/slt", "flite/rms", "flite/awb"}[i%3])...), pause...)
	}
	speaker.hangUp()
	c := session(t, s, opusIn(nil))
	var wg sync.WaitGroup
	wg.Go(func() {
		c.play(packets, true)
		c.send(map[string]any{"type": "session.end"})
	})
	all, _ := c.drain()
	wg.Wait()
	seen := map[string]*captions{}
	var heard []string
	var partials, changed, words int
	for _, ev := range all {
		if ev.Type != "transcript.partial" && ev.Type != "transcript.final" {
			continue
		}
		if seen[ev.Utt] == nil {
			seen[ev.Utt] = &captions{}
		}
		u := seen[ev.Utt]
		u.see(t, ev)
		if ev.Type == "transcript.final" {
			heard = append(heard, ev.Text)
			partials, changed, words = partials+u.partials, changed+u.changed, words+len(strings.Fields(ev.Text))
		}
	}
	count := wer.Compare(strings.Join(said, " "), strings.Join(heard, " "))
	upwr := float64(changed) / float64(max(1, words))
	t.Logf("%d utterances, %d partials, %d words; UPWR of tentative text %.2f, word error rate %.1f %%", len(heard), partials, words, upwr, 100*count.Rate())
	if words < 20 || partials < len(said) {
		t.Errorf("%d words, %d partials: the test proves nothing", words, partials)
	}
	if upwr > maxUPWR {
		t.Errorf("UPWR %.2f, want at most %.2f", upwr, maxUPWR)
	}
}
