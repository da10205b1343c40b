package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"parley/cmd/internal/material"
)

// Config says what is run.
type Config struct {
	Dial    Dialer
	Plans   []Plan
	Clips   []material.Clip
	Silence []byte // the packet between clips
	Network Network
	Seed    uint64
	// Patience is how long after the end of its audio a session waits for what it
	// is owed.
	Patience time.Duration
}

// Record is what one session saw.
type Record struct {
	Plan    Plan
	Origin  time.Time // when its media time was 0
	Events  []Event   // with text, in the order they came
	Sent    int       // frames
	Lost    int       // frames the network lost
	Late    Lateness  // of the generator: frames sent after their time
	Blocked Lateness  // of the server: time that sending a frame took
	Err     error     // why it did not end in order; may be ErrRefused
}

// Run lets all sessions talk and returns when the last has ended. The error is
// the cause of ctx.
func Run(ctx context.Context, c Config) ([]*Record, error) {
	records := make([]*Record, len(c.Plans))
	begin := time.Now()
	var all sync.WaitGroup
	for i, plan := range c.Plans {
		records[i] = &Record{Plan: plan}
		t := &talker{Config: c, record: records[i], path: newPath(c.Network, c.Seed, i)}
		all.Go(func() {
			if sleep(ctx, begin.Add(plan.Begin)) == nil {
				t.record.Err = t.talk(ctx)
			}
		})
	}
	all.Wait()
	return records, context.Cause(ctx)
}

// talker is one session while it runs.
type talker struct {
	Config
	record *Record
	path   *path
}

func (t *talker) talk(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conn, err := t.Dial.Dial(ctx, t.record.Plan)
	if err != nil {
		return err
	}
	t.record.Origin = time.Now()
	var listening sync.WaitGroup
	var heard error
	listening.Go(func() {
		heard = t.listen(ctx, conn)
		cancel(errors.New("the server ended the session")) // nobody listens: stop talking
	})
	sent := t.send(ctx, conn)
	patience := t.Patience
	if sent != nil {
		patience = min(patience, time.Second) // for what the server has to say about it
	}
	timer := time.AfterFunc(patience, func() { cancel(fmt.Errorf("no end %v after the last audio", patience)) })
	listening.Wait()
	timer.Stop()
	closed := conn.Close()
	switch {
	case heard != nil:
		return heard // what the server said tells more than that sending failed
	case sent != nil:
		return sent
	}
	return closed
}

// send sends every frame when it is due: when its last sample was spoken, or
// later where the network holds it up.
func (t *talker) send(ctx context.Context, conn Conn) error {
	rec, free := t.record, t.record.Origin
	next := 0 // place
	for k := range rec.Plan.Frames {
		f := Frame{Seq: uint32(k), At: time.Duration(k) * material.Frame, Packet: t.Silence}
		if next < len(rec.Plan.Places) {
			p := rec.Plan.Places[next]
			clip := &t.Clips[p.Clip]
			if i := k - p.Frame; i >= 0 {
				f.Packet, f.PCM = clip.Packets[i], clip.PCM[i*material.FrameSamples:(i+1)*material.FrameSamples]
				if i == clip.Frames()-1 {
					next++
				}
			}
		}
		at, lost := t.path.next(f.At + material.Frame)
		if lost {
			rec.Lost++
			continue
		}
		due := rec.Origin.Add(at)
		if err := sleep(ctx, due); err != nil {
			return err
		}
		now := time.Now()
		if free.After(due) {
			due = free // the server kept us, not we it
		}
		rec.Late.add(now.Sub(due))
		if err := conn.Send(ctx, f); err != nil {
			return err
		}
		free = time.Now()
		rec.Blocked.add(free.Sub(now))
		rec.Sent++
	}
	return conn.Finish(ctx)
}

// listen keeps what comes until the end.
func (t *talker) listen(ctx context.Context, conn Conn) error {
	for {
		ev, err := conn.Receive(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		if ev.Kind != Other {
			ev.At = time.Now()
			t.record.Events = append(t.record.Events, ev)
		}
	}
}

// sleep returns at a time, or with the cause of ctx.
func sleep(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
