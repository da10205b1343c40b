// Package local runs one session inside the process: a file goes in as fast as
// it can be understood, the core's events come out. It is what the transcribe
// command uses, so that files are heard by the very code that hears clients.
package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"parley/codec"
	"parley/stream"
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
func Transcribe(ctx context.Context, hub *stream.Hub, cfg Config) (stream.Stats, error) {
	if cfg.Input.Encoding == "" {
		cfg.Input.Encoding = codec.Auto
	}
	cfg.Ahead = max(cfg.Ahead, 1)
	l := &link{cfg: cfg, boxes: map[uint64]any{}, changed: make(chan struct{}, 1), closed: make(chan struct{})}
	err := hub.Serve(ctx, l, l)
	return l.outcome(err)
}

// chunk is how much of the file one command carries, in bytes.
const chunk = 32 << 10

// beat is how often a waiting feeder shows that it is still there.
const beat = time.Second

// link is both ends of the session's connection: its Peer and its Dialect.
// Messages carry the number of a box in which the value itself lies.
type link struct {
	cfg Config

	// Owned by Read.
	began, ended bool
	pings        float64

	mu      sync.Mutex
	boxes   map[uint64]any
	last    uint64
	ponged  float64 // T of the newest Pong
	waiting int     // utterances without their final
	stats   stream.Stats
	failed  error
	changed chan struct{}

	once   sync.Once
	closed chan struct{}
}

// Read makes the next message: Start, then pieces of the file, then End.
func (l *link) Read(ctx context.Context) (stream.Message, error) {
	if !l.began {
		l.began = true
		l.cfg.Patch.Input = &l.cfg.Input
		return l.pack(stream.Binary, []stream.Command{stream.Start{Patch: l.cfg.Patch}}), nil
	}
	if l.ended {
		select {
		case <-ctx.Done():
		case <-l.closed:
		}
		return stream.Message{}, io.EOF
	}
	ready, err := l.wait(ctx)
	if err != nil {
		return stream.Message{}, err
	}
	if !ready {
		return l.pack(stream.Binary, []stream.Command{stream.Ping{}}), nil
	}
	return l.feed(), nil
}

// feed is the next piece of the file, with a ping to learn when it was taken in.
func (l *link) feed() stream.Message {
	buf := make([]byte, chunk)
	n, err := io.ReadFull(l.cfg.Audio, buf)
	var cmds []stream.Command
	if n > 0 {
		l.pings++
		cmds = append(cmds, stream.Audio{Stream: 1, Payload: buf[:n]}, stream.Ping{T: l.pings})
	}
	if err != nil {
		l.ended = true
		cmds = append(cmds, stream.End{})
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			l.fail(fmt.Errorf("reading: %w", err))
		}
	}
	return l.pack(stream.Binary, cmds)
}

// wait returns true once everything fed was taken in and few enough utterances
// are waiting, and false after a while, so that the session hears from us.
func (l *link) wait(ctx context.Context) (bool, error) {
	timeout := time.NewTimer(beat)
	defer timeout.Stop()
	for {
		l.mu.Lock()
		ready := l.ponged >= l.pings && l.waiting <= l.cfg.Ahead
		l.mu.Unlock()
		if ready {
			return true, nil
		}
		select {
		case <-l.changed:
		case <-timeout.C:
			return false, nil
		case <-l.closed:
			return false, io.EOF
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// Write takes one event out of its box.
func (l *link) Write(_ context.Context, m stream.Message) error {
	ev, ok := l.unpack(m).(stream.Event)
	if !ok {
		return errors.New("local: a message without an event")
	}
	l.note(ev)
	if l.cfg.OnEvent != nil {
		l.cfg.OnEvent(ev)
	}
	return nil
}

func (l *link) note(ev stream.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch ev := ev.(type) {
	case stream.Pong:
		l.ponged = max(l.ponged, ev.T)
	case stream.SpeechStopped:
		l.waiting++
	case stream.Final, stream.Failed:
		l.waiting--
	case stream.ErrorEvent:
		if ev.Err.Fatal && l.failed == nil {
			l.failed = ev.Err
		}
	case stream.Ended:
		l.stats = ev.Stats
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Close ends the connection.
func (l *link) Close(stream.Code, string) error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Decode returns the commands of a message made by Read.
func (l *link) Decode(m stream.Message) ([]stream.Command, error) {
	cmds, ok := l.unpack(m).([]stream.Command)
	if !ok {
		return nil, errors.New("local: a message without commands")
	}
	return cmds, nil
}

// Encode makes the message that Write opens.
func (l *link) Encode(ev stream.Event) ([]stream.Message, error) {
	return []stream.Message{l.pack(stream.Text, ev)}, nil
}

func (l *link) pack(kind stream.Kind, v any) stream.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.boxes[l.last] = v
	return stream.Message{Kind: kind, Payload: binary.BigEndian.AppendUint64(nil, l.last)}
}

func (l *link) unpack(m stream.Message) any {
	if len(m.Payload) != 8 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := binary.BigEndian.Uint64(m.Payload)
	v := l.boxes[n]
	delete(l.boxes, n)
	return v
}

func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = err
	}
}

func (l *link) outcome(err error) (stream.Stats, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		err = l.failed
	}
	if err == nil && l.stats.Dropped > 0 {
		err = fmt.Errorf("%v of audio was dropped", l.stats.Dropped)
	}
	return l.stats, err
}
