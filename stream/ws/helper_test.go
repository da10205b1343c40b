package ws

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"parley/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// words is a dialect that can say errors only.
type words struct{}

func (words) Decode(stream.Message) ([]stream.Command, error) { return nil, nil }

func (words) Encode(e stream.Event) ([]stream.Message, error) {
	failure, ok := e.(stream.ErrorEvent)
	if !ok {
		return nil, nil
	}
	b, err := json.Marshal(failure.Err)
	return []stream.Message{{Kind: stream.Text, Payload: b}}, err
}

// serving is a Config whose sessions are run by serve.
func serving(serve func(context.Context, stream.Peer) error) Config {
	return Config{
		Serve: func(ctx context.Context, p stream.Peer, _ stream.Dialect) error {
			return serve(ctx, p)
		},
		NewDialect:   func(*http.Request) stream.Dialect { return words{} },
		Subprotocols: []string{"speech.v1"},
	}
}

// echo sends back what it reads; an error that can be answered is answered.
func echo(ctx context.Context, p stream.Peer) error {
	for {
		m, err := p.Read(ctx)
		if e, ok := errors.AsType[*stream.Error](err); ok {
			ms, _ := words{}.Encode(stream.ErrorEvent{Err: e})
			for _, m := range ms {
				_ = p.Write(ctx, m)
			}
			return errors.Join(e, p.Close(e.Code, e.Message))
		}
		if err != nil {
			return err
		}
		if err := p.Write(ctx, m); err != nil {
			return err
		}
	}
}

// end is what a session that ran in a test returned.
type end chan error

// ending makes serve report how it ended.
func ending(serve func(context.Context, stream.Peer) error) (func(context.Context, stream.Peer) error, end) {
	done := make(end, 1)
	return func(ctx context.Context, p stream.Peer) error {
		err := serve(ctx, p)
		done <- err
		return err
	}, done
}

// listen serves c over TCP and returns its ws:// address.
func listen(t *testing.T, c Config) string {
	t.Helper()
	h := Handler(c)
	running := make(chan struct{}, 64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running <- struct{}{}
		defer func() { <-running }()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.Close()
		for range cap(running) { // the handlers of hijacked connections too
			running <- struct{}{}
		}
	})
	return "ws" + srv.URL[len("http"):]
}

func dial(t *testing.T, url string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, res, err := websocket.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatalf("dial: %v (%+v)", err, res)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// hijacked is a ResponseWriter whose connection is one end of a pipe.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	// As net/http leaves it where the server has a ReadTimeout.
	_ = h.conn.SetDeadline(time.Now().Add(time.Second))
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// pipe runs c on one end of an in-memory connection, whose handshake is done,
// and returns the other end. It works in a synctest bubble.
func pipe(t *testing.T, c Config) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	r := httptest.NewRequest(http.MethodGet, "/v1/stream", nil).WithContext(t.Context())
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "MDEyMzQ1Njc4OWFiY2RlZg==")
	done := make(chan struct{})
	go func() {
		defer close(done)
		Handler(c).ServeHTTP(hijacked{httptest.NewRecorder(), theirs}, r)
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		<-done
	})
	return ours
}

// Opcodes of RFC 6455 §5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
	fin            = 0x80
	masked         = 0x80
)

// frame builds a client's frame: first is the first byte as it stands.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	key := [4]byte{0x11, 0x22, 0x33, 0x44}
	b = append(b, key[:]...)
	for i, p := range payload {
		b = append(b, p^key[i%4])
	}
	return b
}

// readFrame reads one frame of the server.
func readFrame(r io.Reader) (op byte, payload []byte, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	n := int(head[1])
	if n == 126 {
		ext := make([]byte, 2)
		if _, err := io.ReadFull(r, ext); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(ext))
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return head[0] & 0xf, payload, err
}

// closeCode reads frames up to the server's close frame and gives its code.
func closeCode(t *testing.T, r io.Reader) int {
	t.Helper()
	for {
		op, payload, err := readFrame(r)
		if err != nil {
			t.Fatalf("no close frame: %v", err)
		}
		if op != opClose {
			continue
		}
		if len(payload) < 2 {
			return 1005
		}
		return int(binary.BigEndian.Uint16(payload))
	}
}
