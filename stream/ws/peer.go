package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"parley/stream"
)

// Why a connection is gone without a close frame.
var (
	// ErrLost: the connection broke.
	ErrLost = errors.New("connection lost")
	// ErrDead: nothing came back for two pings.
	ErrDead = errors.New("the peer answers no pings")
	// ErrClosed: this side closed it.
	ErrClosed = errors.New("connection closed")
)

// peer is one WebSocket as the session core sees it. A pump reads ahead by one
// message, so that the end of a reader's context does not cost the connection,
// and control frames are answered while nobody reads.
type peer struct {
	conn *websocket.Conn
	raw  net.Conn
	cfg  Config

	messages chan stream.Message // from the pump; closed after err is set
	err      error

	violation atomic.Int64 // close code a broken message calls for
	heard     atomic.Bool  // bytes came since the last ping
	handing   atomic.Bool  // the pump waits for a reader
	dead      atomic.Bool

	closing  chan struct{}
	once     sync.Once
	closeErr error
	wg       sync.WaitGroup
}

var _ stream.Peer = (*peer)(nil)

func newPeer(conn *websocket.Conn, raw net.Conn, cfg Config) *peer {
	conn.SetReadLimit(-1) // next has its own, which can still be answered
	p := &peer{
		conn:     conn,
		raw:      raw,
		cfg:      cfg,
		messages: make(chan stream.Message),
		closing:  make(chan struct{}),
	}
	p.wg.Go(p.pump)
	p.wg.Go(p.watch)
	return p
}

// Read returns the next message; io.EOF after an orderly close by the client;
// a fatal *stream.Error for a message that broke a limit or the protocol, which
// can still be answered before Close.
func (p *peer) Read(ctx context.Context) (stream.Message, error) {
	select {
	case m, ok := <-p.messages:
		if !ok {
			return stream.Message{}, p.err
		}
		return m, nil
	case <-ctx.Done():
		return stream.Message{}, context.Cause(ctx)
	}
}

// Write sends one message. Once begun it is finished whatever becomes of ctx,
// within the write timeout: half a message would cost the connection.
func (p *peer) Write(ctx context.Context, m stream.Message) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	kind := websocket.MessageBinary
	if m.Kind == stream.Text {
		kind = websocket.MessageText
	}
	wctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), p.cfg.WriteTimeout,
		fmt.Errorf("the client reads nothing for %v", p.cfg.WriteTimeout))
	defer cancel()
	if err := p.conn.Write(wctx, kind, m.Payload); err != nil {
		if wctx.Err() != nil {
			err = context.Cause(wctx)
		}
		return fmt.Errorf("ws: %w", err)
	}
	return nil
}

// Close ends the connection with a close handshake, or hard after 5 s. The
// goroutines of the peer are joined. A second call does nothing.
func (p *peer) Close(code stream.Code, reason string) error {
	p.once.Do(func() {
		close(p.closing)
		_ = p.raw.SetDeadline(time.Now().Add(closeTimeout)) // fails only where it is closed
		status := statusOf(code)
		if v := p.violation.Load(); v != 0 {
			status = websocket.StatusCode(v)
		}
		err := p.conn.Close(status, clipReason(reason))
		_ = p.raw.Close()
		p.wg.Wait()
		if err != nil && websocket.CloseStatus(err) == -1 && !errors.Is(err, net.ErrClosed) {
			p.closeErr = fmt.Errorf("ws: close: %w", err)
		}
	})
	return p.closeErr
}

// pump hands messages to Read one by one until the connection or the peer ends.
func (p *peer) pump() {
	defer close(p.messages)
	for {
		m, err := p.next()
		if err != nil {
			p.err = err
			return
		}
		p.handing.Store(true)
		select {
		case p.messages <- m:
		case <-p.closing:
			p.err = ErrClosed
			return
		}
		p.handing.Store(false)
	}
}

// next reads one message of at most MaxMessage bytes.
func (p *peer) next() (stream.Message, error) {
	kind, r, err := p.conn.Reader(context.Background())
	if err != nil {
		return stream.Message{}, p.failed(err)
	}
	payload, err := io.ReadAll(io.LimitReader(alive{r, &p.heard}, p.cfg.MaxMessage+1))
	if err != nil {
		return stream.Message{}, p.failed(err)
	}
	if int64(len(payload)) > p.cfg.MaxMessage {
		return stream.Message{}, &stream.Error{
			Code:    stream.FrameTooLarge,
			Message: fmt.Sprintf("message of more than %d bytes", p.cfg.MaxMessage),
			Fatal:   true,
		}
	}
	if kind == websocket.MessageBinary {
		return stream.Message{Kind: stream.Binary, Payload: payload}, nil
	}
	if !utf8.Valid(payload) {
		return stream.Message{}, p.broken(websocket.StatusInvalidFramePayloadData, errors.New("a text message is not UTF-8"))
	}
	return stream.Message{Kind: stream.Text, Payload: payload}, nil
}

// failed says what an error of the connection means.
func (p *peer) failed(err error) error {
	if p.dead.Load() {
		return ErrDead
	}
	select {
	case <-p.closing:
		return ErrClosed
	default:
	}
	switch status := websocket.CloseStatus(err); status {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return io.EOF
	case -1:
	default:
		return fmt.Errorf("ws: closed by the client: %w", err)
	}
	if _, network := errors.AsType[net.Error](err); network ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("ws: %w: %v", ErrLost, err) // not %w: io.EOF here is no goodbye
	}
	return p.broken(websocket.StatusProtocolError, err)
}

// broken notes the close code for a violation of RFC 6455.
func (p *peer) broken(status websocket.StatusCode, err error) *stream.Error {
	p.violation.Store(int64(status))
	return &stream.Error{Code: stream.BadRequest, Message: fmt.Sprintf("websocket: %v", err), Fatal: true, Err: err}
}

// watch pings the client and drops the connection when nothing comes back.
func (p *peer) watch() {
	tick := time.NewTicker(p.cfg.PingInterval)
	defer tick.Stop()
	for missed := 0; missed < maxMisses; {
		select {
		case <-tick.C:
		case <-p.closing:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.PingInterval)
		err := p.conn.Ping(ctx)
		cancel()
		missed++
		if err == nil || p.heard.Swap(false) || p.handing.Load() {
			missed = 0
		}
	}
	p.dead.Store(true)
	_ = p.raw.Close()
}

// alive notes that bytes came.
type alive struct {
	r     io.Reader
	heard *atomic.Bool
}

func (a alive) Read(b []byte) (int, error) {
	n, err := a.r.Read(b)
	if n > 0 {
		a.heard.Store(true)
	}
	return n, err
}
