package ws

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"parley/stream"
)

// lasting makes serve report when it ended, from its start.
func lasting(serve func(context.Context, stream.Peer) error) (Config, chan time.Duration, end) {
	took := make(chan time.Duration, 1)
	serve, ended := ending(serve)
	return serving(func(ctx context.Context, p stream.Peer) error {
		begin := time.Now()
		err := serve(ctx, p)
		took <- time.Since(begin)
		return err
	}), took, ended
}

// answer reads frames from conn until it fails, answering pings where asked.
func answer(conn io.ReadWriter, pong bool) {
	for {
		op, payload, err := readFrame(conn)
		if err != nil {
			return
		}
		if pong && op == opPing {
			if _, err := conn.Write(frame(fin|opPong, payload)); err != nil {
				return
			}
		}
	}
}

func TestDeadPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, took, ended := lasting(echo)
		conn := pipe(t, cfg)
		go answer(conn, false)
		if err := <-ended; !errors.Is(err, ErrDead) {
			t.Errorf("ended with %v, want ErrDead", err)
		}
		if got := <-took; got != time.Minute {
			t.Errorf("a dead peer was kept for %v, want 1m: two pings of 20 s, the first after 20 s", got)
		}
	})
}

func TestLivePeer(t *testing.T) {
	for name, tc := range map[string]struct{ pong, talk bool }{
		"answers pings":          {pong: true},
		"talks, answers nothing": {talk: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, took, ended := lasting(echo)
				conn := pipe(t, cfg)
				go answer(conn, tc.pong)
				for range 60 {
					time.Sleep(10 * time.Second)
					if !tc.talk {
						continue
					}
					if _, err := conn.Write(frame(fin|opBinary, []byte{1})); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				_ = conn.Close()
				if err := <-ended; !errors.Is(err, ErrLost) {
					t.Errorf("ended with %v, want ErrLost", err)
				}
				if got := <-took; got != 10*time.Minute {
					t.Errorf("ended after %v, want 10m", got)
				}
			})
		})
	}
}

// TestBusyServer: a session that reads nothing for long is not its peer's death.
func TestBusyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _, ended := lasting(func(ctx context.Context, p stream.Peer) error {
			time.Sleep(10 * time.Minute)
			for range 2 {
				if _, err := p.Read(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		conn := pipe(t, cfg)
		go answer(conn, false) // a pong could not be written
		for range 2 {
			if _, err := conn.Write(frame(fin|opBinary, []byte{1})); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestNeverReads: a write to a client that does not read fails after 5 s, and
// closing it takes no longer.
func TestNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, took, ended := lasting(func(ctx context.Context, p stream.Peer) error {
			err := p.Write(ctx, stream.Message{Kind: stream.Binary, Payload: make([]byte, 8192)})
			if err == nil {
				t.Error("a write nobody reads succeeded")
			}
			_ = p.Close(stream.BacklogOverflow, "")
			return err
		})
		pipe(t, cfg)
		<-ended
		if got := <-took; got != 5*time.Second {
			t.Errorf("took %v, want 5s", got)
		}
	})
}

// TestCloseUnanswered: the close handshake is given 5 s, wherever the client stopped.
func TestCloseUnanswered(t *testing.T) {
	whole := frame(fin|opBinary, make([]byte, 2000))
	for name, tc := range map[string]struct {
		sent   []byte
		reads  bool
		before func(context.Context, stream.Peer)
	}{
		"silent":            {reads: true},
		"inside a header":   {sent: whole[:3], reads: true},
		"inside a payload":  {sent: whole[:900], reads: true},
		"between fragments": {sent: frame(opText, []byte("abc")), reads: true},
		"reads nothing":     {},
		"reads nothing, a write waits": {before: func(ctx context.Context, p stream.Peer) {
			go func() {
				_ = p.Write(context.WithoutCancel(ctx), stream.Message{Kind: stream.Binary, Payload: make([]byte, 8192)})
			}()
			synctest.Wait()
		}},
		"inside a message too large": {sent: whole[:1500], reads: true, before: func(ctx context.Context, p stream.Peer) {
			if _, err := p.Read(ctx); err == nil {
				t.Error("the message was not refused")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, took, ended := lasting(func(ctx context.Context, p stream.Peer) error {
					if tc.before != nil {
						tc.before(ctx, p)
					}
					_ = p.Close(stream.Done, "")
					return nil
				})
				cfg.MaxMessage = 1000
				conn := pipe(t, cfg)
				if tc.reads {
					go answer(conn, false)
				}
				go func() { _, _ = conn.Write(tc.sent) }()
				<-ended
				if got := <-took; got != 5*time.Second {
					t.Errorf("close took %v, want 5s", got)
				}
			})
		})
	}
}

// TestDeadlinesOfTheServer: what net/http had set does not end the session.
func TestDeadlinesOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := pipe(t, serving(echo)) // with a deadline of 1 s before the handover
		time.Sleep(15 * time.Second)
		if _, err := conn.Write(frame(fin|opText, []byte("late"))); err != nil {
			t.Fatal(err)
		}
		if _, b, err := readFrame(conn); err != nil || string(b) != "late" {
			t.Errorf("got %q, %v", b, err)
		}
	})
}
