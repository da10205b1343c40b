package mail_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/stream"
	"parley/stream/session/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBoxKeepsTheOrder(t *testing.T) {
	b := mail.NewBox[int]()
	var side sync.WaitGroup
	side.Go(func() {
		for i := range 1000 {
			b.Put(i)
		}
	})
	for want := range 1000 {
		if got, err := b.Wait(t.Context()); got != want || err != nil {
			t.Fatalf("%d, %v; want %d", got, err, want)
		}
	}
	side.Wait()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("over")
	cancel(cause)
	if _, err := b.Wait(ctx); !errors.Is(err, cause) {
		t.Errorf("an empty box gave %v", err)
	}
}

func TestCellHoldsTheNewest(t *testing.T) {
	var c mail.Cell[string]
	c.Put("a")
	c.Put("b")
	if c.Taken() != "" || c.Take() != "b" {
		t.Error("not the newest")
	}
	c.Put("c")
	if c.Taken() != "b" {
		t.Errorf("taken %q", c.Taken())
	}
}

// peer writes slowly.
type peer struct {
	stream.Peer
	delay time.Duration
	got   []string
}

func (p *peer) Write(ctx context.Context, m stream.Message) error {
	select {
	case <-time.After(p.delay):
		p.got = append(p.got, string(m.Payload))
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func text(s string) stream.Message { return stream.Message{Kind: stream.Text, Payload: []byte(s)} }

func TestOutboxWritesWhatIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := mail.NewOutbox(20)
		p := &peer{delay: time.Second}
		done := make(chan error, 1)
		go func() { done <- o.Run(t.Context(), p) }()
		for _, err := range []error{o.Put("", text("one")), o.Put("sp", text("two")), o.Put("", text("three"))} {
			if err != nil {
				t.Error(err)
			}
		}
		o.Recall("sp")
		o.Close()
		if err := <-done; err != nil || len(p.got) != 2 || p.got[0] != "one" || p.got[1] != "three" {
			t.Errorf("%v, wrote %q", err, p.got)
		}
	})
}

func TestOutboxRefusesWhatIsTooMuch(t *testing.T) {
	o := mail.NewOutbox(10)
	if err := o.Put("", text("more than ten bytes")); err != nil {
		t.Errorf("a message larger than an empty box: %v", err)
	}
	if err := o.Put("", text("x")); !errors.Is(err, mail.ErrSlowReader) {
		t.Errorf("a full box: %v", err)
	}
	o.Discard()
	if err := o.Put("", text("x")); err != nil {
		t.Errorf("an emptied box: %v", err)
	}
}

func TestOutboxGivesUpOnAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := mail.NewOutbox(10)
		if err := o.Put("", text("x")); err != nil {
			t.Error(err)
		}
		begun := time.Now()
		if err := o.Run(t.Context(), &peer{delay: time.Hour}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != mail.WriteTimeout {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
