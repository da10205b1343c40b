package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"parley/stream"
)

// errSlowReader: the peer left too much unread.
var errSlowReader = errors.New("the client does not read")

// writeTimeout bounds one write to the peer.
const writeTimeout = 5 * time.Second

// outbox holds what waits to be written. Putting never waits: a peer that does
// not read is closed rather than waited for.
type outbox struct {
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

func newOutbox(limit int) *outbox {
	return &outbox{limit: limit, ready: make(chan struct{}, 1)}
}

// put queues messages, or fails with errSlowReader where too much waits already.
func (o *outbox) put(speech string, ms ...stream.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range ms {
		if o.bytes > 0 && o.bytes+len(m.Payload) > o.limit {
			return errSlowReader
		}
		o.bytes += len(m.Payload)
		o.items = append(o.items, parcel{m, speech})
	}
	o.signal()
	return nil
}

// recall takes back the audio of a speech that is not on the wire yet.
func (o *outbox) recall(speech string) {
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

// discard forgets everything that waits.
func (o *outbox) discard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items, o.bytes = nil, 0
}

// close lets run return once everything is written.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

func (o *outbox) take() (p parcel, ok, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.items) == 0 {
		return p, false, o.closed
	}
	p = o.items[0]
	o.items[0] = parcel{}
	o.items = o.items[1:]
	o.bytes -= len(p.m.Payload)
	return p, true, false
}

// run writes until the box is closed and empty, a write fails, or ctx is done.
func (o *outbox) run(ctx context.Context, peer stream.Peer) error {
	for {
		p, ok, closed := o.take()
		switch {
		case ok:
			wctx, cancel := context.WithTimeout(ctx, writeTimeout)
			err := peer.Write(wctx, p.m)
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
