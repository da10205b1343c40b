package mail

import (
	"context"
	"errors"
	"sync"
	"time"

	"parley/stream"
)

// ErrSlowReader: the peer left too much unread.
var ErrSlowReader = errors.New("the client does not read")

// WriteTimeout bounds one write to the peer.
const WriteTimeout = 5 * time.Second

// Outbox holds what waits to be written. Putting never waits: a peer that does
// not read is closed rather than waited for.
type Outbox struct {
	mu     sync.Mutex
	items  []parcel
	bytes  int
	limit  int
	closed bool
	ready  chan struct{}
}

// parcel is one message; speech names the speech whose audio it is, if any.
type parcel struct {
	m      stream.Message
	speech string
}

// NewOutbox makes an Outbox that holds up to limit bytes.
func NewOutbox(limit int) *Outbox {
	return &Outbox{limit: limit, ready: make(chan struct{}, 1)}
}

// Put queues messages, or fails with ErrSlowReader where too much waits already.
func (o *Outbox) Put(speech string, ms ...stream.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range ms {
		if o.bytes > 0 && o.bytes+len(m.Payload) > o.limit {
			return ErrSlowReader
		}
		o.bytes += len(m.Payload)
		o.items = append(o.items, parcel{m, speech})
	}
	signal(o.ready)
	return nil
}

// Recall takes back the audio of a speech that is not on the wire yet.
func (o *Outbox) Recall(speech string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.items[:0]
	for _, p := range o.items {
		if p.speech == speech {
			o.bytes -= len(p.m.Payload)
			continue
		}
		kept = append(kept, p)
	}
	clear(o.items[len(kept):])
	o.items = kept
}

// Discard forgets everything that waits.
func (o *Outbox) Discard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items, o.bytes = nil, 0
}

// Close lets run return once everything is written.
func (o *Outbox) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	signal(o.ready)
}

// Take returns the next message; closed says that there will never be one.
func (o *Outbox) Take() (m stream.Message, ok, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.items) == 0 {
		return m, false, o.closed
	}
	m = o.items[0].m
	o.items[0] = parcel{}
	o.items = o.items[1:]
	o.bytes -= len(m.Payload)
	return m, true, false
}

// Run writes until the box is closed and empty, a write fails, or ctx is done.
func (o *Outbox) Run(ctx context.Context, peer stream.Peer) error {
	for {
		m, ok, closed := o.Take()
		switch {
		case ok:
			wctx, cancel := context.WithTimeout(ctx, WriteTimeout)
			err := peer.Write(wctx, m)
			cancel()
			if err != nil {
				return err
			}
		case closed:
			return nil
		default:
			select {
			case <-o.ready:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}
