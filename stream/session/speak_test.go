package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/streamtest"
)

const sentence = "Hello there my friend. How are you today?"

// spoken collects the audio and marks of a speech up to its end.
type spoken struct {
	audio time.Duration
	marks []stream.SpeakMark
	first time.Duration // fake time of the first and the last audio
	last  time.Duration
	sent  bool
	done  stream.SpeakDone
}

func (f *fixture) listen(speech string) (s spoken) {
	f.Helper()
	began := time.Now()
	for {
		switch ev := f.next().(type) {
		case stream.SpeakAudio:
			if ev.PTS != s.audio {
				f.Errorf("audio at %v, want %v", ev.PTS, s.audio)
			}
			if s.audio == 0 {
				s.first = time.Since(began)
			}
			s.last = time.Since(began)
			s.audio += time.Duration(len(ev.Payload)/2) * time.Second / 16000
		case stream.SpeakMark:
			s.marks = append(s.marks, ev)
		case stream.SpeakSent:
			s.sent = true
		case stream.SpeakDone:
			if ev.Speech == speech {
				s.done = ev
				return s
			}
		}
	}
}

func TestTextBecomesPacedSpeechWithMarks(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 100 * time.Millisecond, Latency: 30 * time.Millisecond}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.send(stream.Speak{Speech: "a", Text: sentence})
		if ev := await[stream.SpeakStarted](f); ev.Speech != "a" || ev.Stream != 1 {
			f.Errorf("%+v", ev)
		}
		s := f.listen("a")
		if s.done.Reason != "complete" || !s.sent || s.done.SpokenChars != len(sentence) || s.done.Duration != s.audio {
			f.Errorf("done %+v, sent %v, audio %v", s.done, s.sent, s.audio)
		}
		if s.audio < 3*time.Second {
			f.Errorf("only %v of audio", s.audio)
		}
		if lead := s.audio - s.last; lead < time.Second || lead > 1600*time.Millisecond {
			f.Errorf("the last audio went out %v ahead, want about 1.5 s", lead)
		}
		var words []string
		for i, m := range s.marks {
			words = append(words, sentence[m.From:m.To])
			if i > 0 && m.At <= s.marks[i-1].At {
				f.Errorf("mark %d at %v is not after %v", i, m.At, s.marks[i-1].At)
			}
		}
		if len(words) < 8 || words[0] != "Hello" {
			f.Errorf("marks of %q", words)
		}
	})
}

func TestTextInPiecesIsSpokenBeforeTheRestIsKnown(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 20 * time.Millisecond}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.send(stream.Speak{Speech: "a", Text: "Hello there my friend. And", More: true})
		await[stream.SpeakStarted](f)
		time.Sleep(5 * time.Second)
		f.send(stream.Speak{Speech: "a", Text: " goodbye.", More: true})
		time.Sleep(time.Second)
		f.send(stream.Speak{Speech: "a"})
		if s := f.listen("a"); s.done.Reason != "complete" || s.done.SpokenChars != 35 {
			f.Errorf("%+v", s.done)
		}
	})
}

func TestBargeInStopsTheAudioAtOnce(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 100 * time.Millisecond}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.send(stream.Speak{Speech: "a", Text: sentence})
		f.send(stream.Speak{Speech: "b", Text: "never heard"})
		time.Sleep(time.Second)
		f.play(streamtest.Tone(500 * time.Millisecond))
		await[stream.SpeechStarted](f)
		if d := f.next().(stream.SpeakDone); d.Speech != "a" || d.Reason != "cancelled" || d.SpokenChars < 5 || d.SpokenChars > 20 {
			f.Errorf("%+v", d)
		}
		if d := f.next().(stream.SpeakDone); d.Speech != "b" || d.Reason != "cancelled" || d.SpokenChars != 0 {
			f.Errorf("%+v", d)
		}
		f.send(stream.End{})
		for _, ev := range f.rest() {
			if _, ok := ev.(stream.SpeakAudio); ok {
				f.Fatal("audio after the cancel")
			}
		}
	})
}

func TestWithoutInterruptSpeechGoesOn(t *testing.T) {
	none := stream.InterruptNone
	bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 50 * time.Millisecond}, nil, func(f *fixture) {
		f.start(stream.Patch{Interrupt: &none})
		f.send(stream.Speak{Speech: "a", Text: sentence})
		time.Sleep(500 * time.Millisecond)
		f.play(streamtest.Tone(500 * time.Millisecond))
		if s := f.listen("a"); s.done.Reason != "complete" {
			f.Errorf("%+v", s.done)
		}
	})
}

func TestCancelSaysWhatWasHeard(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 100 * time.Millisecond}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.send(stream.Speak{Speech: "a", Text: sentence})
		time.Sleep(time.Second)
		f.send(stream.CancelSpeak{Speech: "a", Played: 300 * time.Millisecond, HasPlayed: true})
		if s := f.listen("a"); s.done.Duration != 300*time.Millisecond || s.done.SpokenChars != 5 {
			f.Errorf("%+v", s.done)
		}
		f.send(stream.CancelSpeak{Request: stream.Request{Ref: "c"}, Speech: "a"})
		if e := await[stream.ErrorEvent](f); e.Err.Ref != "c" || e.Err.Fatal {
			f.Errorf("%+v", e.Err)
		}
	})
}

func TestAFailingVoiceFailsItsSpeechOnly(t *testing.T) {
	synth := &enginetest.Synthesizer{Fail: func(p engine.Phrase) error {
		if p.Text[0] == 'B' {
			return errors.New("hoarse")
		}
		return nil
	}}
	bubble(t, scripted(), synth, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.send(stream.Speak{Speech: "a", Text: "Bad luck with this one."})
		f.send(stream.Speak{Speech: "b", Text: "Good luck with this one."})
		if s := f.listen("a"); s.done.Reason != "failed" || s.done.Err.Code != stream.EngineFailed {
			f.Errorf("%+v", s.done)
		}
		if s := f.listen("b"); s.done.Reason != "complete" {
			f.Errorf("%+v", s.done)
		}
	})
}

func TestPacedSpeechHoldsUpNobody(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 200 * time.Millisecond}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.send(stream.Speak{Speech: "a", Text: sentence})
		f.send(stream.Played{Speech: "a"}) // and never again: the speech stands still
		synctest.Wait()
		f.send(stream.Ping{T: 1})
		await[stream.Pong](f)
		f.send(stream.CancelSpeak{})
		if s := f.listen("a"); s.done.Reason != "cancelled" {
			f.Errorf("%+v", s.done)
		}
	})
}

func TestSpeechIsOwedAfterTheEnd(t *testing.T) {
	for _, reports := range []bool{false, true} {
		bubble(t, scripted(), &enginetest.Synthesizer{PerRune: 2 * time.Second}, nil, func(f *fixture) {
			f.start(stream.Patch{})
			f.send(stream.Speak{Speech: "a", Text: sentence})
			await[stream.SpeakStarted](f)
			heard, stop := context.WithCancel(f.ctx)
			var player sync.WaitGroup
			began := time.Now()
			report := func() { _ = f.client.Send(heard, stream.Played{Speech: "a", At: time.Since(began)}) }
			if reports {
				report()
				player.Go(func() { // as loudspeakers do until the last word
					for heard.Err() == nil {
						time.Sleep(250 * time.Millisecond)
						report()
					}
				})
			}
			f.send(stream.End{})
			if s := f.listen("a"); s.done.Reason != "complete" || s.done.Duration < time.Minute {
				f.Errorf("reports %v: %+v", reports, s.done)
			}
			stop()
			player.Wait()
		})
	}
}
