// Package direct connects a program to a session in the same process: its
// Client is transport and dialect in one and passes commands and events as they
// are. The command line and the tests of the core speak through it.
package direct

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"parley/stream"
)

// Client is one end of an in-process session. Give it to Hub.Serve as both peer
// and dialect, then Send and Receive from other goroutines.
type Client struct {
	commands chan stream.Command
	events   chan stream.Event
	hungUp   chan struct{}
	ended    chan struct{}

	mu     sync.Mutex
	read   []stream.Command // read by the session, not decoded yet
	queued []numbered       // encoded, not written yet
	number uint64
	code   stream.Code
	reason string
	once   sync.Once
	end    sync.Once
}

// numbered is an event under the number its message carries: the session may
// take messages back before they are written.
type numbered struct {
	n     uint64
	event stream.Event
}

var (
	_ stream.Peer    = (*Client)(nil)
	_ stream.Dialect = (*Client)(nil)
)

// New makes a Client. buffer is how many events may wait to be received before
// the session has to wait.
func New(buffer int) *Client {
	return &Client{
		commands: make(chan stream.Command),
		events:   make(chan stream.Event, buffer),
		hungUp:   make(chan struct{}),
		ended:    make(chan struct{}),
	}
}

// Send gives the session a command. It fails with io.ErrClosedPipe after the end.
func (c *Client) Send(ctx context.Context, cmd stream.Command) error {
	select {
	case c.commands <- cmd:
		return nil
	case <-c.ended:
		return io.ErrClosedPipe
	case <-c.hungUp:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Receive returns the next event; io.EOF after the last one.
func (c *Client) Receive(ctx context.Context) (stream.Event, error) {
	select {
	case ev := <-c.events:
		return ev, nil
	default:
	}
	select {
	case ev := <-c.events:
		return ev, nil
	case <-c.ended:
		select {
		case ev := <-c.events:
			return ev, nil
		default:
			return nil, io.EOF
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Done is closed when the session has closed the connection.
func (c *Client) Done() <-chan struct{} { return c.ended }

// HangUp vanishes without a word, as a broken connection does.
func (c *Client) HangUp() { c.once.Do(func() { close(c.hungUp) }) }

// Closed tells how the session closed the connection; ok is false before it did.
func (c *Client) Closed() (code stream.Code, reason string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code, c.reason, c.code != ""
}

// Read implements stream.Peer.
func (c *Client) Read(ctx context.Context) (stream.Message, error) {
	select {
	case cmd := <-c.commands:
		c.mu.Lock()
		c.read = append(c.read, cmd)
		c.mu.Unlock()
		return stream.Message{Kind: stream.Media}, nil
	case <-c.hungUp:
		return stream.Message{}, io.ErrUnexpectedEOF
	case <-c.ended:
		return stream.Message{}, io.EOF
	case <-ctx.Done():
		return stream.Message{}, context.Cause(ctx)
	}
}

// Write implements stream.Peer.
func (c *Client) Write(ctx context.Context, m stream.Message) error {
	select {
	case c.events <- c.event(binary.BigEndian.Uint64(m.Payload)):
		return nil
	case <-c.hungUp:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// event finds the event of a message; those before it were taken back.
func (c *Client) event(n uint64) stream.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.queued, func(q numbered) bool { return q.n == n })
	ev := c.queued[i].event
	c.queued = slices.Delete(c.queued, 0, i+1)
	return ev
}

// Close implements stream.Peer.
func (c *Client) Close(code stream.Code, reason string) error {
	c.end.Do(func() {
		c.mu.Lock()
		c.code, c.reason = code, reason
		c.mu.Unlock()
		close(c.ended)
	})
	return nil
}

// Decode implements stream.Dialect: it gives the command Read took.
func (c *Client) Decode(stream.Message) ([]stream.Command, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd := c.read[0]
	c.read = c.read[1:]
	return []stream.Command{cmd}, nil
}

// Encode implements stream.Dialect: the message stands for the event.
func (c *Client) Encode(ev stream.Event) ([]stream.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number++
	c.queued = append(c.queued, numbered{c.number, ev})
	return []stream.Message{{Kind: stream.Media, Payload: binary.BigEndian.AppendUint64(nil, c.number)}}, nil
}
