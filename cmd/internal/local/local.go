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
	const never = 7 * 24 * time.Hour
	l.Idle, l.MaxSession, l.MaxBacklog, l.Stall = never, never, never, never
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
	f := &feeder{cfg: cfg, client: direct.New(64), taken: make(chan struct{}, 1)}
	var served, fed error
	var wg sync.WaitGroup
	wg.Go(func() { served = hub.Serve(ctx, f.client, f.client) })
	wg.Go(func() { fed = f.feed(ctx) })
	stats, failed := f.receive(ctx)
	wg.Wait()
	switch {
	case ctx.Err() != nil:
		return stats, context.Cause(ctx)
	case failed != nil:
		return stats, failed
	case fed != nil:
		return stats, fed
	}
	return stats, served
}

// chunk is how much of the file one command carries, in bytes.
const chunk = 32 << 10

// feeder sends a file no faster than it is recognised.
type feeder struct {
	cfg    Config
	client *direct.Client

	mu      sync.Mutex
	ponged  float64 // T of the newest Pong: that many chunks were taken in
	waiting int     // utterances without their final
	taken   chan struct{}
}

// feed sends Start, the file piece by piece, and End.
func (f *feeder) feed(ctx context.Context) error {
	cmds := []stream.Command{stream.Start{Patch: f.cfg.Patch}}
	var failed error
	for chunks := 1.0; ; chunks++ {
		buf := make([]byte, chunk)
		n, err := io.ReadFull(f.cfg.Audio, buf)
		if n > 0 {
			cmds = append(cmds, stream.Audio{Payload: buf[:n]}, stream.Ping{T: chunks})
		}
		if err != nil {
			cmds = append(cmds, stream.End{})
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				failed = fmt.Errorf("reading: %w", err)
			}
		}
		for _, cmd := range cmds {
			if f.client.Send(ctx, cmd) != nil {
				return failed // the session has ended and says why
			}
		}
		if err != nil || f.wait(ctx, chunks) != nil {
			return failed
		}
		cmds = nil
	}
}

// wait returns once everything fed was taken in and few enough utterances wait.
func (f *feeder) wait(ctx context.Context, chunks float64) error {
	for {
		f.mu.Lock()
		ready := f.ponged >= chunks && f.waiting <= f.cfg.Ahead
		f.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-f.taken:
		case <-f.client.Done():
			return io.ErrClosedPipe
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// receive passes events on until the session ends.
func (f *feeder) receive(ctx context.Context) (stats stream.Stats, failed error) {
	for {
		ev, err := f.client.Receive(context.WithoutCancel(ctx))
		if err != nil {
			return stats, failed
		}
		if e, ok := ev.(stream.ErrorEvent); ok && e.Err.Fatal && failed == nil {
			failed = e.Err
		}
		if e, ok := ev.(stream.Ended); ok {
			stats = e.Stats
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
		f.ponged = ev.T
	case stream.SpeechStopped:
		f.waiting++
	case stream.Final, stream.Failed:
		f.waiting--
	}
	select {
	case f.taken <- struct{}{}:
	default:
	}
}
