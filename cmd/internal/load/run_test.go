package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/cmd/internal/material"
)

// peer is a server in the bubble: it says after each utterance what it heard of
// it, and what it was given when.
type peer struct {
	delay   time.Duration // of a final
	block   time.Duration // of each Send
	silent  bool          // never ends
	breakAt uint32        // the frame at which it hangs up; 0: never
	refuse  bool

	mu    sync.Mutex
	conns []*peerConn
}

func (p *peer) Dial(_ context.Context, plan Plan) (Conn, error) {
	if p.refuse {
		return nil, fmt.Errorf("%w: full", ErrRefused)
	}
	c := &peerConn{peer: p, plan: plan, origin: time.Now(), events: make(chan Event, 1000), hungUp: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	return c, nil
}

type peerConn struct {
	*peer
	plan   Plan
	origin time.Time
	events chan Event
	hungUp chan struct{}
	once   sync.Once

	frames []Frame
	sent   []time.Duration // after origin
	closed int
}

func (c *peerConn) Send(ctx context.Context, f Frame) error {
	if c.breakAt > 0 && f.Seq >= c.breakAt {
		c.once.Do(func() { close(c.hungUp) })
		return io.ErrClosedPipe
	}
	c.frames, c.sent = append(c.frames, f), append(c.sent, time.Since(c.origin))
	return sleep(ctx, time.Now().Add(c.block))
}

func (c *peerConn) Finish(ctx context.Context) error {
	for i, u := range c.plan.Utterances {
		c.events <- Event{Kind: Final, Utterance: fmt.Sprint(i), Stable: u.Text, Start: u.Start, End: u.End}
	}
	c.events <- Event{Kind: Other}
	if c.silent {
		return nil
	}
	if err := sleep(ctx, time.Now().Add(c.delay)); err != nil {
		return err
	}
	close(c.events)
	return nil
}

func (c *peerConn) Receive(ctx context.Context) (Event, error) {
	select {
	case ev, ok := <-c.events:
		if !ok {
			return Event{}, io.EOF
		}
		return ev, nil
	case <-c.hungUp:
		return Event{}, io.ErrUnexpectedEOF
	case <-ctx.Done():
		return Event{}, errors.New("the connection is gone")
	}
}

func (c *peerConn) Close() error {
	c.closed++
	return nil
}

func config(p *peer, sessions int) Config {
	material := clips(900, 1400)
	return Config{
		Dial: p, Clips: material, Silence: []byte{255}, Seed: 3, Patience: 30 * time.Second,
		Plans: Schedule{Sessions: sessions, Duration: 20 * time.Second, Talk: 0.4, Seed: 3}.Plans(material),
	}
}

func TestSessionsTalkInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: 300 * time.Millisecond}
		cfg := config(p, 3)
		begun := time.Now()
		records, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(p.conns, func(a, b *peerConn) int { return a.origin.Compare(b.origin) })
		for i, r := range records {
			c := p.conns[i]
			if r.Err != nil || c.closed != 1 || r.Sent != r.Plan.Frames || r.Lost != 0 || len(r.Events) != len(r.Plan.Utterances) {
				t.Errorf("%v, closed %d times, %d of %d sent, %d lost, %d events", r.Err, c.closed, r.Sent, r.Plan.Frames, r.Lost, len(r.Events))
			}
			if c.origin.Sub(begun) != r.Plan.Begin || !r.Origin.Equal(c.origin) {
				t.Errorf("session %d began at %v, want %v", i, c.origin.Sub(begun), r.Plan.Begin)
			}
			if r.Late.Most() != 0 || r.Blocked.Most() != 0 {
				t.Errorf("late %v, blocked %v in a bubble", r.Late.Most(), r.Blocked.Most())
			}
			for k, f := range c.frames {
				if int(f.Seq) != k || f.At != time.Duration(k)*frame || c.sent[k] != f.At+frame {
					t.Fatalf("frame %d of %v was sent at %v", f.Seq, f.At, c.sent[k])
				}
			}
			spoken(t, c.frames, r.Plan, cfg)
		}
	})
}

// spoken checks that every frame is that of its clip, or silence.
func spoken(t *testing.T, frames []Frame, p Plan, c Config) {
	t.Helper()
	want := make([][]byte, len(frames))
	for _, place := range p.Places {
		for i, packet := range c.Clips[place.Clip].Packets {
			want[place.Frame+i] = packet
		}
	}
	for k, f := range frames {
		switch {
		case want[k] == nil && (f.PCM != nil || f.Packet[0] != 255):
			t.Fatalf("frame %d is not silent", k)
		case want[k] != nil && (!slices.Equal(f.Packet, want[k]) || len(f.PCM) != material.FrameSamples || f.PCM[0] != 1):
			t.Fatalf("frame %d is %v, want %v", k, f.Packet, want[k])
		}
	}
}

func TestLostFramesLeaveGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		cfg := config(p, 1)
		cfg.Network = Network{Loss: 0.1, Jitter: 300 * time.Millisecond}
		records, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		r, c := records[0], p.conns[0]
		if r.Lost == 0 || r.Sent+r.Lost != r.Plan.Frames {
			t.Errorf("%d sent and %d lost of %d", r.Sent, r.Lost, r.Plan.Frames)
		}
		late := 0
		for k, f := range c.frames {
			if k > 0 && f.Seq <= c.frames[k-1].Seq {
				t.Fatal("the order is lost")
			}
			if c.sent[k] > f.At+frame {
				late++
			}
		}
		if late == 0 || r.Late.Most() != 0 {
			t.Errorf("%d frames stalled; the generator was %v late", late, r.Late.Most())
		}
	})
}

// A server that takes frames slowly delays the sender: that is the server's
// fault and shows as such.
func TestWhoeverIsLateIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records, err := Run(t.Context(), config(&peer{block: 25 * time.Millisecond}, 1))
		if err != nil {
			t.Fatal(err)
		}
		r := records[0]
		if r.Err != nil || r.Late.Most() != 0 || r.Blocked.Quantile(0.5) != 26*time.Millisecond {
			t.Errorf("%v, late %v, blocked %v", r.Err, r.Late.Most(), r.Blocked.Quantile(0.5))
		}
	})
}

func TestSessionsThatDoNotEndWell(t *testing.T) {
	for _, c := range []struct {
		name string
		peer *peer
		want error
		says string
		took time.Duration // at most
	}{
		{"hangs up", &peer{breakAt: 50}, io.ErrUnexpectedEOF, "", 5 * time.Second},
		{"refuses", &peer{refuse: true}, ErrRefused, "full", time.Second},
		{"never ends", &peer{silent: true}, nil, "no end 30s after", time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			records, err := Run(t.Context(), config(c.peer, 1))
			if err != nil {
				t.Fatal(err)
			}
			got := records[0].Err
			if got == nil || (c.want != nil && !errors.Is(got, c.want)) || !strings.Contains(fmt.Sprint(got), c.says) {
				t.Errorf("%s: %v", c.name, got)
			}
			if took := time.Since(begun); took > c.took {
				t.Errorf("%s: after %v", c.name, took)
			}
		})
	}
}

func TestRunsCanBeCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(why) })
		begun := time.Now()
		_, err := Run(ctx, config(&peer{}, 4))
		if !errors.Is(err, why) || time.Since(begun) > 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestLateness(t *testing.T) {
	var a, b Lateness
	for i := range 99 {
		a.add(time.Duration(i%3) * time.Millisecond)
	}
	b.add(1500 * time.Millisecond)
	b.add(-time.Second)
	a.Merge(&b)
	// 34 of 0, 33 of 1, 33 of 2 ms: each counts as the next millisecond
	if a.Quantile(0.33) != time.Millisecond || a.Quantile(0.5) != 2*time.Millisecond || a.Quantile(0.99) != 3*time.Millisecond ||
		a.Quantile(1) != 1001*time.Millisecond || a.Most() != 1500*time.Millisecond {
		t.Error(a.Quantile(0.33), a.Quantile(0.5), a.Quantile(0.99), a.Quantile(1), a.Most())
	}
	if (&Lateness{}).Quantile(0.5) != 0 {
		t.Error("nothing is late")
	}
}
