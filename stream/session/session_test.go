package session_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/direct"
	"parley/stream/session"
	"parley/stream/streamtest"
	"parley/vad"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a hub with fakes and one client in a bubble of fake time.
type fixture struct {
	*testing.T
	ctx    context.Context
	hub    *session.Hub
	client *direct.Client
	served chan error
	seq    uint32
	pts    time.Duration
}

// scripted hears "turn on the kitchen light" in every utterance.
func scripted() *enginetest.Slot {
	return &enginetest.Slot{
		Script:  [][]engine.Word{enginetest.Say("turn on the kitchen light", 300*time.Millisecond, 250*time.Millisecond)},
		Latency: 40 * time.Millisecond, Language: "en",
	}
}

func bubble(t *testing.T, slot *enginetest.Slot, synth *enginetest.Synthesizer, change func(*session.Config), run func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		services, pool, err := streamtest.Services(slot, synth)
		if err != nil {
			t.Fatal(err)
		}
		cfg := session.Config{Services: services, Limits: stream.DefaultLimits(), MaxSessions: 4}
		if change != nil {
			change(&cfg)
		}
		hub, err := session.NewHub(cfg)
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{T: t, ctx: t.Context(), hub: hub}
		f.connect()
		run(f)
		f.client.HangUp()
		<-f.served
		if n := hub.Sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (f *fixture) connect() {
	f.client = direct.New(4096)
	f.served = make(chan error, 1)
	client := f.client
	go func() { f.served <- f.hub.Serve(f.ctx, client, client) }()
}

func (f *fixture) send(cmd stream.Command) {
	f.Helper()
	if err := f.client.Send(f.ctx, cmd); err != nil {
		f.Fatalf("send %T: %v", cmd, err)
	}
}

func pcm() *codec.Format { return &codec.Format{Encoding: codec.PCM16, Rate: 16000, Channels: 1} }

func (f *fixture) start(p stream.Patch) {
	f.Helper()
	p.Input, p.Output = pcm(), pcm()
	f.send(stream.Start{Patch: p})
	if ev, ok := f.next().(stream.Started); !ok {
		f.Fatalf("got %#v, want Started", ev)
	}
}

// play sends audio in real time, 20 ms at a time.
func (f *fixture) play(audio ...[]byte) {
	f.Helper()
	for _, a := range audio {
		for len(a) > 0 {
			n := min(640, len(a))
			f.send(stream.Audio{Seq: f.seq, HasSeq: true, PTS: f.pts, Payload: a[:n]})
			a = a[n:]
			f.seq++
			f.pts += 20 * time.Millisecond
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// next returns the next event that is not an Ack.
func (f *fixture) next() stream.Event {
	f.Helper()
	for {
		ctx, cancel := context.WithTimeout(f.ctx, 2*time.Minute)
		ev, err := f.client.Receive(ctx)
		cancel()
		if err != nil {
			f.Fatalf("no event: %v", err)
		}
		if _, ack := ev.(stream.Ack); !ack {
			return ev
		}
	}
}

// await skips to the next event of a type.
func await[T stream.Event](f *fixture) T {
	f.Helper()
	for {
		if ev, ok := f.next().(T); ok {
			return ev
		}
	}
}

// rest returns all events up to the end.
func (f *fixture) rest() (events []stream.Event) {
	f.Helper()
	for {
		ev, err := f.client.Receive(f.ctx)
		if errors.Is(err, io.EOF) {
			return events
		}
		if err != nil {
			f.Fatal(err)
		}
		events = append(events, ev)
	}
}

func TestSpeechBecomesPartialsAndAFinal(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Hush(500*time.Millisecond), streamtest.Tone(2*time.Second), streamtest.Hush(time.Second))
		began := await[stream.SpeechStarted](f)
		if began.At < 480*time.Millisecond || began.At > 520*time.Millisecond {
			f.Errorf("speech began at %v, want 500 ms", began.At)
		}
		var partials int
		stable := ""
		for {
			switch ev := f.next().(type) {
			case stream.Partial:
				partials++
				if !strings.HasPrefix(ev.Stable, stable) {
					f.Errorf("stable %q became %q", stable, ev.Stable)
				}
				stable = ev.Stable
				continue
			case stream.SpeechStopped:
				if ev.At < 2480*time.Millisecond || ev.At > 2550*time.Millisecond {
					f.Errorf("speech stopped at %v, want 2.5 s", ev.At)
				}
				continue
			case stream.Final:
				if ev.Text != "turn on the kitchen light" || !strings.HasPrefix(ev.Text, stable) || stable == "" {
					f.Errorf("final %q after stable %q", ev.Text, stable)
				}
				if ev.Reason != "vad" || ev.Language != "en" {
					f.Errorf("final %+v", ev)
				}
			default:
				f.Errorf("unexpected %#v", ev)
			}
			break
		}
		if partials < 3 {
			f.Errorf("%d partials in 2 s of speech", partials)
		}
	})
}

func TestMediaTimeCountsEverySampleOnce(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Hush(time.Second))
		f.seq += 10 // 200 ms are lost
		f.pts += 200 * time.Millisecond
		f.play(streamtest.Hush(time.Second))
		f.send(stream.Audio{Seq: f.seq - 1, HasSeq: true, PTS: f.pts - 20*time.Millisecond, Payload: streamtest.Hush(20 * time.Millisecond)}) // twice
		f.send(stream.EndInput{})
		f.send(stream.Audio{Stream: 1, Payload: streamtest.Hush(100 * time.Millisecond)})
		f.send(stream.End{})
		ev := f.rest()
		stats := ev[len(ev)-1].(stream.Ended).Stats
		want := stream.Stats{Audio: 2300 * time.Millisecond, Concealed: 200 * time.Millisecond}
		if diff := cmp.Diff(want, stats); diff != "" {
			f.Error(diff)
		}
	})
}

func TestALieAboutTheRateIsNamed(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		for i := range 200 { // three times as many samples as the time stamps say
			f.send(stream.Audio{Seq: uint32(i), HasSeq: true, PTS: time.Duration(i) * 20 * time.Millisecond,
				Payload: streamtest.Hush(60 * time.Millisecond)})
		}
		if e := await[stream.ErrorEvent](f).Err; e.Param != "input.rate" || e.Fatal {
			f.Errorf("%+v", e)
		}
	})
}

func TestCommitInManualMode(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		mode := vad.Manual
		f.start(stream.Patch{VADMode: &mode})
		f.play(streamtest.Tone(time.Second), streamtest.Hush(2*time.Second))
		f.send(stream.Commit{})
		final := await[stream.Final](f)
		if final.Reason != "commit" || final.End < 2900*time.Millisecond {
			f.Errorf("%+v", final)
		}
		f.send(stream.Commit{})
		if w := await[stream.Warning](f); w.Code != "nothing_to_commit" {
			f.Errorf("%+v", w)
		}
	})
}

func TestClearForgets(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Tone(time.Second))
		f.send(stream.Clear{Request: stream.Request{Ref: "c1"}})
		if c := await[stream.Cleared](f); c.Utterance != 1 || c.Ref != "c1" {
			f.Errorf("%+v", c)
		}
		f.send(stream.End{})
		for _, ev := range f.rest() {
			if _, ok := ev.(stream.Final); ok {
				f.Error("a final of what was forgotten")
			}
		}
	})
}

func TestAStalledClientGetsItsFinal(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Tone(2 * time.Second))
		if final := await[stream.Final](f); final.Text != "turn on the kitchen light" {
			f.Errorf("%+v", final)
		}
	})
}

// slow is a detector that takes a second of silence to believe in it.
type slow struct {
	session.Detector
	doubt int
}

func (d *slow) Probability(frame []float32) (float32, error) {
	p, err := d.Detector.Probability(frame)
	if d.doubt--; p > 0.5 {
		d.doubt = codec.SpeechRate / vad.FrameSize
	}
	if d.doubt > 0 {
		p = 1
	}
	return p, err
}

func TestAStalledClientGetsItsFinalFromASlowDetector(t *testing.T) {
	doubtful := func(c *session.Config) {
		detector := c.Services.NewDetector
		c.Services.NewDetector = func() (session.Detector, error) {
			d, err := detector()
			return &slow{Detector: d}, err
		}
	}
	bubble(t, scripted(), &enginetest.Synthesizer{}, doubtful, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Tone(2 * time.Second))
		await[stream.Final](f)
	})
}

func TestAStallInManualModeIsNoAudio(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		manual := vad.Manual
		f.start(stream.Patch{VADMode: &manual})
		f.play(streamtest.Tone(time.Second))
		time.Sleep(10 * time.Second)
		f.send(stream.Commit{})
		if final := await[stream.Final](f); final.End > time.Second {
			f.Errorf("%v of audio became %v", time.Second, final.End)
		}
	})
}

func TestAFailingRecogniserFailsTheUtteranceOnly(t *testing.T) {
	slot := scripted()
	slot.Fail = func(call int) error {
		if call < 4 {
			return errors.New("no luck")
		}
		return nil
	}
	bubble(t, slot, &enginetest.Synthesizer{}, nil, func(f *fixture) {
		none := stream.PartialsOff
		f.start(stream.Patch{Partials: &none})
		for range 5 {
			f.play(streamtest.Tone(time.Second), streamtest.Hush(800*time.Millisecond))
			for {
				ev := f.next()
				if e, ok := ev.(stream.Failed); ok && e.Err.Code == stream.EngineFailed {
					break
				}
				if _, ok := ev.(stream.Final); ok {
					return
				}
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		f.Error("no final after the recogniser recovered")
	})
}
