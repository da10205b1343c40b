// Package local runs one session inside the process: a file goes in as fast as
// it can be understood, the core's events come out. It is what the transcribe
// command uses, so that files are heard by the very code that hears clients.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"parley/codec"
	"parley/stream"
	"parley/stream/direct"
	"parley/stream/session"
)

// Limits are those of a session that nobody waits for: as long as the file.
func Limits() stream.Limits {
	l := stream.DefaultLimits()
	l.Idle, l.MaxSession, l.MaxBacklog = 24*time.Hour, 7*24*time.Hour, 24*time.Hour
	return l
}

// Config is one file to be heard.
type Config struct {
	Audio   io.Reader
	Input   codec.Format // zero: codec.Auto
	Patch   stream.Patch // beside the input format
	Ahead   int          // utterances that may wait for their final; at least 1
	OnEvent func(stream.Event)
}

// Transcribe feeds the audio into a session of hub and returns when all of it is
// final. Feeding waits for recognition, so nothing is dropped. The error is the
// first fatal one of the session, of reading, or the cause of ctx.
func Transcribe(ctx context.Context, hub *session.Hub, cfg Config) (stream.Stats, error) {
	if cfg.Input.Encoding == "" {
		cfg.Input.Encoding = codec.Auto
	}
	cfg.Patch.Input = &cfg.Input
	cfg.Ahead = max(cfg.Ahead, 1)
	f := &feeder{cfg: cfg, client: direct.New(64), changed: make(chan struct{}, 1), over: make(chan struct{})}
	var side sync.WaitGroup
	var fed error
	side.Go(func() { fed = f.feed(ctx) })
	side.Go(func() { f.listen(context.WithoutCancel(ctx)) })
	err := hub.Serve(ctx, f.client, f.client)
	side.Wait()
	return f.outcome(err, fed)
}

// chunk is how much of the file one command carries, in bytes.
const chunk = 32 << 10

// beat is how often a waiting feeder shows that it is still there.
const beat = time.Second

// feeder is the client's side of the session.
type feeder struct {
	cfg     Config
	client  *direct.Client
	changed chan struct{}
	over    chan struct{} // the last event was received

	mu      sync.Mutex
	pinged  float64 // T of the newest Ping
	ponged  float64 // T of the newest Pong
	waiting int     // utterances without their final
	stats   stream.Stats
	failed  error
}

// feed sends Start, the file piece by piece, and End. Errors of sending are not
// its own: the session says why it is over.
func (f *feeder) feed(ctx context.Context) error {
	if f.client.Send(ctx, stream.Start{Patch: f.cfg.Patch}) != nil {
		return nil
	}
	for {
		buf := make([]byte, chunk)
		n, err := io.ReadFull(f.cfg.Audio, buf)
		if n > 0 && f.piece(ctx, buf[:n]) != nil {
			return nil
		}
		if err == nil {
			continue
		}
		if f.client.Send(ctx, stream.End{}) != nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		return fmt.Errorf("reading: %w", err)
	}
}

// piece sends some of the file and waits until it was taken in and few enough
// utterances are without their final. The pings tell when, and that it waits.
func (f *feeder) piece(ctx context.Context, audio []byte) error {
	if err := f.client.Send(ctx, stream.Audio{Stream: 1, Payload: audio}); err != nil {
		return err
	}
	for {
		f.mu.Lock()
		f.pinged++
		ping := stream.Ping{T: f.pinged}
		f.mu.Unlock()
		if err := f.client.Send(ctx, ping); err != nil {
			return err
		}
		if f.ready(ctx) {
			return nil
		}
	}
}

// ready waits a beat for everything to be taken in.
func (f *feeder) ready(ctx context.Context) bool {
	timeout := time.NewTimer(beat)
	defer timeout.Stop()
	for {
		f.mu.Lock()
		ready := f.ponged >= f.pinged && f.waiting <= f.cfg.Ahead
		f.mu.Unlock()
		if ready {
			return true
		}
		select {
		case <-f.changed:
		case <-timeout.C:
			return false
		case <-f.over:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// listen receives until the last event.
func (f *feeder) listen(ctx context.Context) {
	defer close(f.over)
	for {
		ev, err := f.client.Receive(ctx)
		if err != nil {
			return
		}
		f.note(ev)
		if f.cfg.OnEvent != nil {
			f.cfg.OnEvent(ev)
		}
	}
}

func (f *feeder) note(ev stream.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch ev := ev.(type) {
	case stream.Pong:
		f.ponged = max(f.ponged, ev.T)
	case stream.SpeechStopped:
		f.waiting++
	case stream.Final, stream.Failed:
		f.waiting--
	case stream.ErrorEvent:
		if ev.Err.Fatal && f.failed == nil {
			f.failed = ev.Err
		}
	case stream.Ended:
		f.stats = ev.Stats
	}
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *feeder) outcome(served, fed error) (stream.Stats, error) {
	switch {
	case f.failed != nil:
		return f.stats, f.failed
	case fed != nil:
		return f.stats, fed
	case served == nil && f.stats.Dropped > 0:
		return f.stats, fmt.Errorf("%v of audio was dropped", f.stats.Dropped)
	}
	return f.stats, served
}
