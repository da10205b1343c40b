package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"parley/stream"
)

func TestEcho(t *testing.T) {
	c := serving(echo)
	c.MaxMessage = 100_000
	conn := dial(t, listen(t, c), nil)
	for _, m := range []struct {
		kind websocket.MessageType
		body []byte
	}{
		{websocket.MessageText, []byte(`{"type":"ping"}`)},
		{websocket.MessageText, []byte("für – 語")},
		{websocket.MessageText, nil},
		{websocket.MessageBinary, nil},
		{websocket.MessageBinary, []byte{0, 0xff}},
		{websocket.MessageBinary, bytes.Repeat([]byte{7}, 100_000)},
	} {
		if err := conn.Write(t.Context(), m.kind, m.body); err != nil {
			t.Fatal(err)
		}
		kind, got, err := conn.Read(t.Context())
		if err != nil || kind != m.kind || !bytes.Equal(got, m.body) {
			t.Errorf("sent %v of %d bytes, got %v of %d (%v)", m.kind, len(m.body), kind, len(got), err)
		}
	}
}

func TestFragments(t *testing.T) {
	conn := dial(t, listen(t, serving(echo)), nil)
	w, err := conn.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	const text = "spl\u00eft in the middle of a rune"
	for i := range len(text) {
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != text {
		t.Errorf("got %q (%v), want %q", got, err, text)
	}
}

// TestTooLarge: the error can be said before the connection closes, however
// much of the message is still to come.
func TestTooLarge(t *testing.T) {
	for name, size := range map[string]int{"by one": 1001, "by far": 1_000_000} {
		t.Run(name, func(t *testing.T) {
			cfg := serving(echo)
			cfg.MaxMessage = 1000
			conn := dial(t, listen(t, cfg), nil)
			var writing sync.WaitGroup
			defer writing.Wait()
			writing.Go(func() { _ = conn.Write(t.Context(), websocket.MessageBinary, make([]byte, size)) })
			_, b, err := conn.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var e stream.Error
			if err := json.Unmarshal(b, &e); err != nil || e.Code != stream.FrameTooLarge || !e.Fatal {
				t.Errorf("event %s (%v), want a fatal frame_too_large", b, err)
			}
			if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != 4413 {
				t.Errorf("ended with %v, want close code 4413", err)
			}
		})
	}
}

func TestCloseByClient(t *testing.T) {
	for _, tc := range []struct {
		code    websocket.StatusCode
		orderly bool
	}{
		{websocket.StatusNormalClosure, true},
		{websocket.StatusGoingAway, true},
		{websocket.StatusNoStatusRcvd, true},
		{4000, false},
		{websocket.StatusInternalError, false},
	} {
		serve, ended := ending(echo)
		conn := dial(t, listen(t, serving(serve)), nil)
		if err := conn.Close(tc.code, "bye"); err != nil && tc.code != websocket.StatusNoStatusRcvd {
			t.Error(err)
		}
		if err := <-ended; errors.Is(err, io.EOF) != tc.orderly {
			t.Errorf("close %d ended the session with %v; orderly must be %v", tc.code, err, tc.orderly)
		}
	}
}

func TestConnectionBreaks(t *testing.T) {
	serve, ended := ending(echo)
	conn := dial(t, listen(t, serving(serve)), nil)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
	if err := <-ended; !errors.Is(err, ErrLost) || errors.Is(err, io.EOF) {
		t.Errorf("the session ended with %v, want ErrLost and not io.EOF", err)
	}
}

// TestReadGivesUp: the end of a reader's context costs no connection.
func TestReadGivesUp(t *testing.T) {
	conn := dial(t, listen(t, serving(func(ctx context.Context, p stream.Peer) error {
		gone, cancel := context.WithCancelCause(ctx)
		cancel(errors.New("enough"))
		if _, err := p.Read(gone); err == nil || err.Error() != "enough" {
			t.Errorf("read returned %v, want the cause", err)
		}
		if err := p.Write(gone, stream.Message{Kind: stream.Text}); err == nil || err.Error() != "enough" {
			t.Errorf("write returned %v, want the cause", err)
		}
		return echo(ctx, p)
	})), nil)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := conn.Read(t.Context()); err != nil || string(b) != "still here" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestCloseTwice(t *testing.T) {
	conn := dial(t, listen(t, serving(func(ctx context.Context, p stream.Peer) error {
		var all sync.WaitGroup
		defer all.Wait()
		for _, code := range []stream.Code{stream.IdleTimeout, stream.IdleTimeout, stream.IdleTimeout} {
			all.Go(func() {
				if err := p.Close(code, strings.Repeat("ü", 80)); err != nil {
					t.Error(err)
				}
				if _, err := p.Read(ctx); err == nil {
					t.Error("read after close")
				}
				if err := p.Write(ctx, stream.Message{Kind: stream.Text}); err == nil {
					t.Error("wrote after close")
				}
			})
		}
		return nil
	})), nil)
	_, _, err := conn.Read(t.Context())
	e, ok := errors.AsType[websocket.CloseError](err)
	if !ok || e.Code != 4408 || e.Reason != strings.Repeat("ü", 61) {
		t.Errorf("closed with %v, want 4408 and a reason cut between runes", err)
	}
}
