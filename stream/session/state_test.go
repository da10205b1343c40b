package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
)

func samples(d time.Duration) []float32 { return make([]float32, codec.Samples(d, codec.SpeechRate)) }

// started is a live session's state with a voice.
func started(t *testing.T, patch stream.Patch) *state {
	t.Helper()
	s := newState("sess_test", stream.DefaultLimits())
	s.step(0, configured{start: true, cfg: stream.DefaultConfig().With(patch)})
	if s.phase != live {
		t.Fatal("the session did not start")
	}
	return s
}

// events are what effects tell the peer.
func events(effects []effect) []stream.Event {
	var out []stream.Event
	for _, e := range effects {
		if e, ok := e.(emit); ok {
			out = append(out, e.event)
		}
	}
	return out
}

func find[T effect](effects []effect) (found T, ok bool) {
	for _, e := range effects {
		if e, ok := e.(T); ok {
			return e, true
		}
	}
	return found, false
}

// finalOf is the epoch of the final decode that is running.
func finalOf(s *state) int {
	if len(s.pending) == 0 {
		return 0
	}
	return s.pending[0].final
}

func words(text string) []engine.Word {
	return enginetest.Say(text, 0, 200*time.Millisecond)
}

func TestTurnFromOnsetToFinal(t *testing.T) {
	s := started(t, stream.Patch{})
	got := events(s.step(0, onset{utt: 1, from: 100 * time.Millisecond, at: 400 * time.Millisecond}))
	want := []stream.Event{stream.SpeechStarted{Utterance: 1, At: 400 * time.Millisecond}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if e := s.step(0, heard{utt: 1, first: 1600, audio: samples(700 * time.Millisecond)}); len(e) > 0 {
		t.Fatalf("decoded %v of audio: %v", 700*time.Millisecond, e)
	}
	first, ok := find[guess](s.step(0, heard{utt: 1, first: 1600, audio: samples(900 * time.Millisecond)}))
	if !ok {
		t.Fatal("no partial decode after 900 ms")
	}
	if _, ok := find[guess](s.step(0, heard{utt: 1, first: 1600, audio: samples(3 * time.Second)})); ok {
		t.Fatal("two partial decodes at once")
	}
	out := s.step(0, guessed{utt: 1, epoch: first.epoch, from: first.view.from, to: first.view.to, hyp: engine.Hypothesis{Words: words("set a")}})
	want = []stream.Event{stream.Partial{Utterance: 1, Rev: 1, Tail: "set a", Start: 100 * time.Millisecond, End: 1000 * time.Millisecond}}
	if diff := cmp.Diff(want, events(out)); diff != "" {
		t.Fatal(diff)
	}
	second, ok := find[guess](out)
	if !ok {
		t.Fatal("no further partial decode although 2.4 s are new")
	}
	out = s.step(0, guessed{utt: 1, epoch: second.epoch, from: second.view.from, to: second.view.to, hyp: engine.Hypothesis{Words: words("set a timer now")}})
	p := events(out)[0].(stream.Partial)
	if p.Stable != "set a" || p.Tail != "timer now" {
		t.Fatalf("stable %q tail %q", p.Stable, p.Tail)
	}

	out = s.step(0, ended{utt: 1, first: 1600, audio: samples(3 * time.Second), from: 100 * time.Millisecond,
		to: 3100 * time.Millisecond, at: 3 * time.Second, reason: "vad", voiced: true})
	final, ok := find[decide](out)
	if !ok || len(final.view.window.Audio) != 3*codec.SpeechRate {
		t.Fatalf("no final decode of the whole utterance: %v", out)
	}
	out = s.step(0, decided{epoch: finalOf(s), utt: 1, t: engine.Transcript{Words: words("Set a timer."), Language: "en"}})
	want = []stream.Event{stream.Final{Utterance: 1, Text: "set a timer.", Language: "en", Confidence: 1,
		Start: 100 * time.Millisecond, End: 3100 * time.Millisecond, Reason: "vad"}}
	if diff := cmp.Diff(want, events(out), cmpopts.IgnoreFields(stream.Final{}, "Confidence")); diff != "" {
		t.Fatal(diff)
	}
}

func TestStaleAndUnknownFactsAreDropped(t *testing.T) {
	s := started(t, stream.Patch{})
	s.step(0, onset{utt: 1})
	g, _ := find[guess](s.step(0, heard{utt: 1, audio: samples(time.Second)}))
	s.step(0, ended{utt: 1, audio: samples(time.Second), voiced: true})
	s.step(0, onset{utt: 2})
	for _, in := range []input{
		guessed{utt: 1, epoch: g.epoch, hyp: engine.Hypothesis{Words: words("late")}},
		guessed{utt: 2, epoch: g.epoch}, heard{utt: 1, audio: samples(time.Second)}, ended{utt: 1}, decided{epoch: finalOf(s), utt: 7},
		opened{epoch: 9}, uttered{epoch: 9}, mute{epoch: 9}, ticked{},
	} {
		if got := s.step(0, in); len(got) > 0 {
			t.Errorf("%#v: %v", in, got)
		}
	}
}

func TestFinalsWaitForEachOther(t *testing.T) {
	s := started(t, stream.Patch{})
	for utt := 1; utt <= 3; utt++ {
		s.step(0, onset{utt: utt})
		_, decoding := find[decide](s.step(0, ended{utt: utt, audio: samples(time.Second), voiced: utt != 2}))
		if decoding != (utt == 1) {
			t.Fatalf("utterance %d decoding: %v", utt, decoding)
		}
	}
	out := s.step(0, decided{epoch: finalOf(s), utt: 1, err: errors.New("broken")})
	if got := events(out); len(got) != 2 || got[0].(stream.Failed).Utterance != 1 || got[1].(stream.Final).Text != "" {
		t.Fatalf("after the first: %v", got)
	}
	if d, _ := find[decide](out); d.utt != 3 {
		t.Fatalf("next decode is of %d", d.utt)
	}
}

func TestFlowFollowsTheBacklog(t *testing.T) {
	s := started(t, stream.Patch{})
	var flows []string
	deaf := false
	take := func(effects []effect) {
		for _, ev := range events(effects) {
			if f, ok := ev.(stream.Flow); ok {
				flows = append(flows, f.State)
			}
		}
		if d, ok := find[deafen](effects); ok {
			deaf = d.on
		}
	}
	for utt := 1; utt <= 4; utt++ {
		s.step(0, onset{utt: utt})
		length := 25 * time.Second
		if utt == 1 {
			length = 80 * time.Second // more than the limit, but its final is begun at once
		}
		take(s.step(0, ended{utt: utt, audio: samples(length), voiced: true}))
		if utt == 3 {
			s.step(0, onset{utt: 9})
			if _, ok := find[guess](s.step(0, heard{utt: 9, audio: samples(time.Second)})); ok {
				t.Error("partials are decoded while finals are late")
			}
			s.step(0, cleared{utt: 9})
		}
	}
	if !deaf {
		t.Error("input is still taken while 75 s wait for their finals")
	}
	for utt := 1; utt <= 4; utt++ {
		take(s.step(0, decided{epoch: finalOf(s), utt: utt}))
	}
	if diff := cmp.Diff([]string{"slow", "dropping", "slow", "ok"}, flows); diff != "" || deaf {
		t.Error(diff, deaf)
	}
}

// TestFlowFollowsTheWait: finals that wait for long are told before much audio does.
func TestFlowFollowsTheWait(t *testing.T) {
	s := started(t, stream.Patch{})
	var flows []string
	take := func(now time.Duration, in input) {
		for _, ev := range events(s.step(now, in)) {
			if f, ok := ev.(stream.Flow); ok {
				flows = append(flows, fmt.Sprint(f.State, " ", now))
			}
		}
	}
	for utt := 1; utt <= 2; utt++ {
		take(0, onset{utt: utt})
		take(time.Duration(utt)*time.Second, ended{utt: utt, audio: samples(time.Second), voiced: true})
	}
	for now := 3 * time.Second; now < 40*time.Second; now += time.Second {
		take(now, progress{to: now})
	}
	take(40*time.Second, decided{epoch: finalOf(s), utt: 1})
	for now := 41 * time.Second; now < 99*time.Second; now += time.Second {
		take(now, progress{to: now}) // the second one is being decoded
	}
	if diff := cmp.Diff([]string{"slow 18s", "ok 40s"}, flows); diff != "" {
		t.Error(diff)
	}
}

func TestBargeInCancelsAtOnceAndNothingIsResurrected(t *testing.T) {
	s := started(t, stream.Patch{})
	o, ok := find[open](s.step(0, asked{stream.Speak{Speech: "a", Text: "one two three"}}))
	if !ok {
		t.Fatal("the mouth was not opened")
	}
	s.step(0, asked{stream.Speak{Speech: "b", Text: "later"}})
	s.step(0, opened{epoch: o.epoch, format: codec.Format{Encoding: codec.Opus}})
	for i := range 20 {
		at := time.Duration(i) * 100 * time.Millisecond
		s.step(0, uttered{epoch: o.epoch, at: at, dur: 100 * time.Millisecond,
			marks: []engine.Mark{{From: i, To: i + 1, At: at}}})
	}
	s.step(0, asked{stream.Played{Speech: "a", At: 450 * time.Millisecond}})
	out := s.step(50*time.Millisecond, onset{utt: 1})
	if h, ok := find[hush](out); !ok || h.epoch != o.epoch || h.speech != "a" {
		t.Errorf("the mouth was not hushed: %v", out)
	}
	want := []stream.Event{
		stream.SpeechStarted{Utterance: 1},
		stream.SpeakDone{Speech: "a", Reason: "cancelled", Duration: 500 * time.Millisecond, SpokenChars: 5},
		stream.SpeakDone{Speech: "b", Reason: "cancelled"},
	}
	if diff := cmp.Diff(want, events(out)); diff != "" {
		t.Error(diff)
	}
	for _, in := range []input{uttered{epoch: o.epoch}, mute{epoch: o.epoch}, mute{epoch: o.epoch, err: errors.New("x")}} {
		if got := s.step(0, in); len(got) > 0 {
			t.Errorf("%#v after the cancel: %v", in, got)
		}
	}
}

func TestSpeechIsPacedByWhatWasHeard(t *testing.T) {
	s := started(t, stream.Patch{})
	o, _ := find[open](s.step(0, asked{stream.Speak{Speech: "a", Text: "text"}}))
	lead := s.cfg.Lead
	if o.until != lead {
		t.Errorf("begins with a lead of %v, want %v", o.until, lead)
	}
	s.step(time.Second, uttered{epoch: o.epoch, at: 0, dur: 4 * time.Second})
	p, _ := find[permit](s.step(3*time.Second, ticked{}))
	if want := 2*time.Second + lead; p.until != want {
		t.Errorf("without reports after 2 s: %v, want %v", p.until, want)
	}
	p, _ = find[permit](s.step(3*time.Second, asked{stream.Played{Speech: "a", At: 500 * time.Millisecond}}))
	if want := 500*time.Millisecond + lead; p.until != want {
		t.Errorf("after a report of 500 ms: %v, want %v", p.until, want)
	}
	s.step(3*time.Second, mute{epoch: o.epoch})
	if got := events(s.step(6*time.Second, ticked{})); len(got) > 0 {
		t.Errorf("done before it was heard: %v", got)
	}
	got := events(s.step(6500*time.Millisecond, ticked{}))
	want := []stream.Event{stream.SpeakDone{Speech: "a", Reason: "complete", Duration: 4 * time.Second, SpokenChars: 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpeechTakesTextInPieces(t *testing.T) {
	s := started(t, stream.Patch{})
	out := s.step(0, asked{stream.Speak{Speech: "a", Text: "one ", More: true}})
	out = append(out, s.step(0, asked{stream.Speak{Speech: "a", Text: "two", More: true}})...)
	out = append(out, s.step(0, asked{stream.Speak{Speech: "a"}})...)
	var fed []feed
	for _, e := range out {
		if f, ok := e.(feed); ok {
			fed = append(fed, f)
		}
	}
	want := []feed{{1, "one ", false}, {1, "two", false}, {1, "", true}}
	if diff := cmp.Diff(want, fed, cmp.AllowUnexported(feed{})); diff != "" {
		t.Error(diff)
	}
	for _, replace := range []bool{false, true} {
		out := s.step(0, asked{stream.Speak{Request: stream.Request{Ref: "c9"}, Speech: "a", Text: "three", Replace: replace}})
		if e, ok := events(out)[0].(stream.ErrorEvent); !ok || len(out) > 1 || e.Err.Ref != "c9" || e.Err.Code != stream.BadRequest {
			t.Errorf("text after the end: %v", out)
		}
	}
}

func TestRefusedTextReplacesNothing(t *testing.T) {
	s := started(t, stream.Patch{})
	o, _ := find[open](s.step(0, asked{stream.Speak{Speech: "a", Text: "x"}}))
	s.step(0, asked{stream.Speak{Speech: "b", Text: "y"}})
	out := s.step(0, asked{stream.Speak{Speech: "b", Text: "z", Replace: true}})
	if e, ok := events(out)[0].(stream.ErrorEvent); !ok || len(out) > 1 {
		t.Errorf("text after the end: %v, %v", e, out)
	}
	s.step(0, mute{epoch: o.epoch})
	s.step(time.Minute, ticked{})
	if !s.isLive("b") || s.replies[0].epoch == 0 {
		t.Error("the speech that waited is not being spoken")
	}
}

func TestEmptyPiecesAreNotKept(t *testing.T) {
	s := started(t, stream.Patch{})
	s.step(0, asked{stream.Speak{Speech: "a", Text: "x", More: true}})
	for _, id := range []string{"a", "b"} {
		for range 10 {
			if _, ok := find[feed](s.step(0, asked{stream.Speak{Speech: id, More: true}})); ok {
				t.Fatal("the mouth was fed with nothing")
			}
		}
	}
	if n := len(s.replies[1].pieces); n > 0 {
		t.Errorf("%d empty pieces wait", n)
	}
	s.step(0, asked{stream.End{}})
	out := s.step(0, mute{epoch: 1})
	if f, ok := find[feed](out); !ok || !f.last {
		t.Errorf("a speech that waited without text is not ended: %v", out)
	}
}

func TestFatalErrorsSettleWhatIsOwed(t *testing.T) {
	s := started(t, stream.Patch{})
	s.step(0, onset{utt: 1})
	s.step(0, ended{utt: 1, audio: samples(time.Second), voiced: true})
	s.step(0, onset{utt: 2})
	s.step(0, asked{stream.Speak{Speech: "a", Text: "x"}})
	out := s.step(0, refused{stream.Fatalf(stream.UnsupportedCodec, "input.codec", "no")})
	var kinds []string
	for _, ev := range events(out) {
		kinds = append(kinds, strings.TrimPrefix(strings.TrimPrefix(typeName(ev), "stream."), "*"))
	}
	if diff := cmp.Diff([]string{"ErrorEvent", "Failed", "Failed", "SpeakDone", "Ended"}, kinds); diff != "" {
		t.Error(diff)
	}
	if f, ok := find[finish](out); !ok || f.code != stream.UnsupportedCodec {
		t.Errorf("finish %v", f)
	}
	if got := s.step(0, onset{utt: 3}); len(got) > 0 {
		t.Errorf("events after the end: %v", got)
	}
}

func TestEndDeliversWhatWasPromised(t *testing.T) {
	for _, in := range []input{asked{stream.End{}}, drained{}, aged{}} {
		s := started(t, stream.Patch{})
		s.step(0, onset{utt: 1})
		s.step(0, ended{utt: 1, audio: samples(time.Second), voiced: true})
		o, _ := find[open](s.step(0, asked{stream.Speak{Speech: "a", Text: "x", More: true}}))
		out := s.step(0, in)
		if f, ok := find[feed](out); !ok || !f.last {
			t.Errorf("%T: the open speech was not ended: %v", in, out)
		}
		if got := s.step(0, onset{utt: 2}); len(got) > 0 {
			t.Errorf("%T: a new utterance was taken", in)
		}
		out = s.step(0, decided{epoch: finalOf(s), utt: 1})
		if _, ok := find[finish](out); ok {
			t.Errorf("%T: ended before the speech was sent", in)
		}
		out = s.step(0, mute{epoch: o.epoch})
		if f, ok := find[finish](out); !ok {
			t.Errorf("%T: did not end: %v", in, out)
		} else if in == (drained{}) && f.code != stream.Draining {
			t.Errorf("drained with code %s", f.code)
		}
	}
}

func TestNothingHoldsASessionOpenForEver(t *testing.T) {
	for name, hold := range map[string]input{
		"an utterance nobody ends":  onset{utt: 1},
		"a speech that never sends": asked{stream.Speak{Speech: "a", Text: "x"}},
	} {
		for _, in := range []input{asked{stream.End{}}, drained{}, aged{}} {
			s := started(t, stream.Patch{})
			s.step(0, hold)
			s.step(0, in)
			s.step(0, asked{stream.Ping{}})
			_, done := find[finish](s.step(0, aged{}))
			if !done {
				_, done = find[finish](s.step(0, aged{}))
			}
			if !done {
				t.Errorf("%s holds the session after %T", name, in)
			}
		}
	}
	s := started(t, stream.Patch{})
	s.step(0, onset{utt: 1})
	s.step(0, drained{})
	if _, done := find[finish](s.step(time.Minute, idled{})); !done {
		t.Error("an utterance nobody ends holds a draining session whose client is silent")
	}
}

func TestACutSessionSettlesWhatIsOwed(t *testing.T) {
	s := started(t, stream.Patch{})
	s.step(0, onset{utt: 1})
	s.step(0, asked{stream.Speak{Speech: "a", Text: "x"}})
	cause := errors.New("stop")
	out := s.step(0, cut{cause})
	var failed, done bool
	for _, ev := range events(out) {
		switch ev := ev.(type) {
		case stream.Failed:
			failed = ev.Utterance == 1
		case stream.SpeakDone:
			done = ev.Reason == "failed"
		}
	}
	if f, ok := find[finish](out); !ok || f.code != stream.Draining || !errors.Is(f.cause, cause) || !failed || !done {
		t.Errorf("%v: utterance failed %v, speech done %v", out, failed, done)
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	s := started(t, stream.Patch{})
	s.step(20*time.Second, asked{stream.Ping{}})
	if _, ok := find[finish](s.step(30*time.Second, idled{})); ok {
		t.Error("ended 10 s after a ping")
	}
	if f, ok := find[finish](s.step(50*time.Second, idled{})); !ok || f.code != stream.IdleTimeout {
		t.Error("still there 30 s after the last ping")
	}
}
