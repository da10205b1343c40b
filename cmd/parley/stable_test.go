package main_test

import (
	"fmt"
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

// tallied is what the captions of some utterances came to.
type tallied struct {
	said, heard              []string
	partials, changed, words int
}

// caption plays sentences in real time and follows what is shown of them.
func caption(t *testing.T, s *server, said []string, packets []packet) tallied {
	c := session(t, s, opusIn(nil))
	var wg sync.WaitGroup
	wg.Go(func() {
		c.play(packets, true)
		c.send(map[string]any{"type": "session.end"})
	})
	all, _ := c.drain()
	wg.Wait()
	out := tallied{said: said}
	seen := map[string]*captions{}
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
			out.heard = append(out.heard, ev.Text)
			out.partials, out.changed, out.words = out.partials+u.partials, out.changed+u.changed, out.words+len(strings.Fields(ev.Text))
		}
	}
	return out
}

// TestLiveCaptionsStayTrue lets three people talk at once: one alone says too few
// words for a share of them to mean much.
func TestLiveCaptionsStayTrue(t *testing.T) {
	t.Parallel()
	s := commonServer(t)
	speaker := session(t, s, opusIn(nil))
	random := rand.New(rand.NewPCG(5, 6))
	pause := encode(t, make([]float32, 12*codec.SpeechRate/10))
	people := make([]tallied, 3)
	packets := make([][]packet, len(people))
	for i := range people {
		for j := range 8 {
			text := sentence(random)
			people[i].said = append(people[i].said, text)
			packets[i] = append(append(packets[i], speaker.speak(text, []string{"flite/slt", "flite/rms", "flite/awb"}[j%3])...), pause...)
		}
	}
	speaker.hangUp()
	t.Run("people", func(t *testing.T) {
		for i := range people {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				people[i] = caption(t, s, people[i].said, packets[i])
			})
		}
	})
	var all tallied
	var missed wer.Count
	for _, p := range people {
		all.partials, all.changed, all.words = all.partials+p.partials, all.changed+p.changed, all.words+p.words
		all.heard = append(all.heard, p.heard...)
		missed = missed.Add(wer.Compare(strings.Join(p.said, " "), strings.Join(p.heard, " ")))
	}
	upwr := float64(all.changed) / float64(max(1, all.words))
	t.Logf("%d utterances, %d partials, %d words; UPWR of tentative text %.2f, word error rate %.1f %%",
		len(all.heard), all.partials, all.words, upwr, 100*missed.Rate())
	if all.words < 60 || all.partials < len(all.heard) {
		t.Errorf("%d words, %d partials: the test proves nothing", all.words, all.partials)
	}
	if upwr > maxUPWR {
		t.Errorf("UPWR %.2f, want at most %.2f", upwr, maxUPWR)
	}
}
