package session_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream"
	"parley/stream/direct"
	"parley/stream/session"
	"parley/stream/streamtest"
)

func TestHubRefusesWhatIsTooMuch(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, func(c *session.Config) { c.MaxSessions = 1 }, func(f *fixture) {
		f.start(stream.Patch{})
		second := direct.New(8)
		err := f.hub.Serve(f.ctx, second, second)
		if e, ok := errors.AsType[*stream.Error](err); !ok || e.Code != stream.Overloaded {
			f.Errorf("the second session: %v", err)
		}
		ev, _ := second.Receive(f.ctx)
		if e, ok := ev.(stream.ErrorEvent); !ok || e.Err.Code != stream.Overloaded || !e.Err.Fatal {
			f.Errorf("told %#v", ev)
		}
		if code, _, ok := second.Closed(); !ok || code != stream.Overloaded {
			f.Errorf("closed with %q", code)
		}
	})
}

func TestDrainDeliversTheFinalFirst(t *testing.T) {
	slot := scripted()
	slot.Latency = 3 * time.Second
	bubble(t, slot, &enginetest.Synthesizer{}, nil, func(f *fixture) {
		none := stream.PartialsOff
		f.start(stream.Patch{Partials: &none})
		f.play(streamtest.Tone(time.Second), streamtest.Hush(time.Second))
		drained := make(chan error, 1)
		go func() { drained <- f.hub.Drain(f.ctx) }()
		await[stream.Final](f)
		if e := await[stream.Ended](f); e.Reason != stream.Draining {
			f.Errorf("ended as %s", e.Reason)
		}
		if err := <-drained; err != nil {
			f.Error(err)
		}
		late := direct.New(8)
		if err := f.hub.Serve(f.ctx, late, late); err == nil {
			f.Error("a session was admitted while draining")
		}
	})
}

func TestDrainGivesUpWithItsContext(t *testing.T) {
	slot := scripted()
	slot.Latency = time.Hour
	bubble(t, slot, &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Tone(time.Second), streamtest.Hush(time.Second))
		ctx, cancel := context.WithTimeout(f.ctx, 5*time.Second)
		defer cancel()
		if err := f.hub.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			f.Errorf("drained: %v", err)
		}
	})
}

func TestAClientThatNeverReadsIsClosed(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, func(c *session.Config) { c.Limits.MaxOutbox = 64 << 10 }, func(f *fixture) {
		deaf := direct.New(0)
		served := make(chan error, 1)
		began := time.Now()
		go func() { served <- f.hub.Serve(f.ctx, deaf, deaf) }()
		if err := deaf.Send(f.ctx, stream.Start{Patch: stream.Patch{Input: pcm(), Output: pcm()}}); err != nil {
			f.Fatal(err)
		}
		err := <-served
		if err == nil || time.Since(began) > 10*time.Second {
			f.Errorf("ended after %v: %v", time.Since(began), err)
		}
	})
}

func TestAClientThatVanishesCostsNothing(t *testing.T) {
	slot := scripted()
	slot.Latency = time.Hour
	bubble(t, slot, &enginetest.Synthesizer{}, nil, func(f *fixture) {
		f.start(stream.Patch{})
		f.play(streamtest.Tone(3 * time.Second))
		f.client.HangUp()
		if err := <-f.served; err != nil {
			f.Errorf("served: %v", err)
		}
		f.served <- nil // for the fixture
		synctest.Wait()
	})
}

func TestAServerThatStopsClosesItsSessions(t *testing.T) {
	bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
		ctx, cancel := context.WithCancelCause(f.ctx)
		c := direct.New(64)
		served := make(chan error, 1)
		go func() { served <- f.hub.Serve(ctx, c, c) }()
		synctest.Wait()
		stop := errors.New("stop")
		cancel(stop)
		if err := <-served; !errors.Is(err, stop) {
			f.Errorf("served: %v", err)
		}
		if ev, err := c.Receive(f.ctx); err != nil || ev.(stream.ErrorEvent).Err.Code != stream.Draining {
			f.Errorf("%v, %v", ev, err)
		}
		if ev, err := c.Receive(f.ctx); err != nil || ev.(stream.Ended).Reason != stream.Draining {
			f.Errorf("%v, %v", ev, err)
		}
		if _, err := c.Receive(f.ctx); !errors.Is(err, io.EOF) {
			f.Errorf("receive: %v", err)
		}
	})
}

func TestCommandsOutOfOrder(t *testing.T) {
	for name, cmd := range map[string]stream.Command{
		"audio":  stream.Audio{Payload: []byte{1}},
		"speak":  stream.Speak{Request: stream.Request{Ref: "r"}, Speech: "a", Text: "x"},
		"update": stream.Update{Request: stream.Request{Ref: "r"}},
		"commit": stream.Commit{Request: stream.Request{Ref: "r"}},
		"end":    stream.End{Request: stream.Request{Ref: "r"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
				f.send(cmd)
				e := await[stream.ErrorEvent](f).Err
				if e.Code != stream.BadRequest || !e.Fatal || name != "audio" && e.Ref != "r" {
					f.Errorf("%+v", e)
				}
				await[stream.Ended](f)
			})
		})
	}
}

func TestConfigurationIsCheckedByName(t *testing.T) {
	speed, voice, task, language, model := 9.0, "nobody", "sing", "tlh", "other"
	threshold := float32(7)
	for param, p := range map[string]stream.Patch{
		"tts.speed":     {Speed: &speed},
		"tts.voice":     {Voice: &voice},
		"asr.task":      {Task: (*engine.Task)(&task)},
		"asr.language":  {Language: &language},
		"asr.model":     {Model: &model},
		"vad.threshold": {Threshold: &threshold},
	} {
		t.Run(param, func(t *testing.T) {
			bubble(t, scripted(), &enginetest.Synthesizer{}, nil, func(f *fixture) {
				f.start(stream.Patch{})
				f.send(stream.Update{Request: stream.Request{Ref: "u"}, Patch: p})
				if e := await[stream.ErrorEvent](f).Err; e.Param != param || e.Fatal || e.Ref != "u" {
					f.Errorf("update: %+v", e)
				}
				f.send(stream.Update{Request: stream.Request{Ref: "v"}})
				if u := await[stream.Updated](f); u.Config.Voice != "test/sine" {
					f.Errorf("configuration after a refused update: %+v", u.Config)
				}
				fresh := direct.New(8)
				go fresh.Send(f.ctx, stream.Start{Patch: p})
				err := f.hub.Serve(f.ctx, fresh, fresh)
				if e, ok := errors.AsType[*stream.Error](err); !ok || e.Param != param || !e.Fatal {
					f.Errorf("start: %v", err)
				}
			})
		})
	}
}

// crowded takes no more than one session.
type crowded struct {
	session.Recognizer
	asked []int
}

func (c *crowded) Admit(sessions int) error {
	c.asked = append(c.asked, sessions)
	if sessions > 0 {
		return &engine.Overload{RetryAfter: 7 * time.Second, Why: "too much speech"}
	}
	return nil
}

func TestAnOverloadedRecogniserRefusesSessions(t *testing.T) {
	var c *crowded
	detectors := 0
	bubble(t, scripted(), &enginetest.Synthesizer{}, func(cfg *session.Config) {
		c = &crowded{Recognizer: cfg.Services.Recognizer}
		cfg.Services.Recognizer = c
		open := cfg.Services.NewDetector
		cfg.Services.NewDetector = func() (session.Detector, error) {
			detectors++
			return open()
		}
	}, func(f *fixture) {
		f.start(stream.Patch{})
		second := direct.New(8)
		err := f.hub.Serve(f.ctx, second, second)
		var e *stream.Error
		if !errors.As(err, &e) || e.Code != stream.Overloaded || e.RetryAfter != 7*time.Second || !e.Fatal || !errors.Is(err, engine.ErrBusy) {
			f.Errorf("the second session: %+v", err)
		}
		ev, _ := second.Receive(f.ctx)
		if told, ok := ev.(stream.ErrorEvent); !ok || told.Err.RetryAfter != 7*time.Second || !strings.Contains(told.Err.Message, "too much speech") {
			f.Errorf("told %#v", ev)
		}
		if f.hub.Sessions() != 1 || detectors != 1 {
			f.Errorf("%d sessions, %d detectors", f.hub.Sessions(), detectors)
		}
	})
	if len(c.asked) != 2 || c.asked[1] != 1 {
		t.Errorf("asked about %v sessions", c.asked)
	}
}
