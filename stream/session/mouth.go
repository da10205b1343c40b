package session

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/engine/speech"
	"parley/stream/session/mail"
)

const (
	flushAfter = 300 * time.Millisecond // without text before half a clause is spoken
	madeAhead  = 2 * time.Second        // of audio synthesised before the next clause waits
)

// mouth speaks one speech: text in pieces becomes clauses, clauses become PCM,
// PCM becomes payloads that leave no faster than permitted. Synthesis and pacing
// run side by side, so that a paced speech never holds up a synthesiser.
type mouth struct {
	epoch  int
	format codec.Format
	speech *speech.Speech
	encode func(codec.Format, int) (codec.Encoder, error)
	tell   func(input)

	texts  *mail.Box[piece]
	chunks *mail.Box[engine.Chunk]
	made   atomic.Int64  // audio synthesised, ns
	sent   atomic.Int64  // audio told, ns
	until  atomic.Int64  // media time up to which audio may leave, ns
	moved  chan struct{} // holds a token when until has changed
	told   chan struct{} // holds a token when sent has changed
}

// piece is text as the client gave it.
type piece struct {
	text string
	last bool
}

func newMouth(epoch int, f codec.Format, sp *speech.Speech, encode func(codec.Format, int) (codec.Encoder, error),
	until time.Duration, tell func(input)) *mouth {
	m := &mouth{epoch: epoch, format: f, speech: sp, encode: encode, tell: tell,
		texts: mail.NewBox[piece](), chunks: mail.NewBox[engine.Chunk](), moved: make(chan struct{}, 1), told: make(chan struct{}, 1)}
	m.until.Store(int64(until))
	return m
}

// permit lets audio leave up to a media time; it is never taken back.
func (m *mouth) permit(until time.Duration) {
	if int64(until) > m.until.Load() {
		m.until.Store(int64(until))
		signal(m.moved)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run speaks until the last text is sent or ctx is done, and tells the actor how it ended.
func (m *mouth) run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := m.synthesise(ctx); err != nil {
			cancel(err)
		}
		m.chunks.Put(engine.Chunk{}) // the end
	})
	err := m.pace(ctx)
	cancel(err)
	wg.Wait()
	m.tell(mute{m.epoch, err})
}

// synthesise turns text into chunks, some seconds ahead of what has been sent.
func (m *mouth) synthesise(ctx context.Context) error {
	var split speech.Splitter
	for {
		clauses, last, err := m.clauses(ctx, &split)
		if err != nil {
			return err
		}
		for _, c := range clauses {
			if err := m.speech.Say(ctx, c, m.keep); err != nil {
				return err
			}
			if err := m.rest(ctx); err != nil {
				return err
			}
		}
		if last {
			return m.speech.End(m.keep)
		}
	}
}

// clauses waits for text and gives what can be spoken now. Where no more text
// comes for a while, half a clause is better than silence.
func (m *mouth) clauses(ctx context.Context, split *speech.Splitter) (out []speech.Clause, last bool, err error) {
	wait := ctx
	if split.Pending() != "" {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, flushAfter)
		defer cancel()
	}
	p, err := m.texts.Wait(wait)
	switch {
	case err == nil:
		out = split.Push(p.text)
		if p.last {
			out = append(out, split.Flush()...)
		}
		return out, p.last, nil
	case ctx.Err() == nil:
		return split.FlushSoft(), false, nil
	}
	return nil, false, context.Cause(ctx)
}

func (m *mouth) keep(c engine.Chunk) error {
	if len(c.PCM) > 0 {
		m.made.Add(int64(codec.Duration(len(c.PCM), c.Rate)))
		m.chunks.Put(c)
	}
	return nil
}

// rest waits while enough is made.
func (m *mouth) rest(ctx context.Context) error {
	for m.made.Load()-m.sent.Load() > int64(madeAhead) {
		select {
		case <-m.told:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// pace encodes chunks and lets the payloads go when they are permitted.
func (m *mouth) pace(ctx context.Context) error {
	var enc codec.Encoder
	var marks []engine.Mark
	var at time.Duration
	release := func(p codec.Packet) error {
		if err := m.await(ctx, at); err != nil {
			return err
		}
		u := uttered{epoch: m.epoch, payload: p.Payload, at: at, dur: p.Duration}
		at += p.Duration
		for len(marks) > 0 && marks[0].At < at {
			u.marks = append(u.marks, marks[0])
			marks = marks[1:]
		}
		m.tell(u)
		m.sent.Store(int64(at))
		signal(m.told)
		return nil
	}
	for {
		c, err := m.chunks.Wait(ctx)
		if err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if c.Rate == 0 {
			break
		}
		if enc == nil {
			if enc, err = m.encode(m.format, c.Rate); err != nil {
				return err
			}
			m.tell(opened{m.epoch, m.format})
		}
		marks = append(marks, c.Marks...)
		if err := enc.Encode(c.PCM, release); err != nil {
			return err
		}
	}
	if enc == nil {
		return nil
	}
	return enc.Flush(release)
}

// await returns when audio that begins at a media time may leave.
func (m *mouth) await(ctx context.Context, at time.Duration) error {
	for int64(at) >= m.until.Load() {
		select {
		case <-m.moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return context.Cause(ctx)
}
