package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"parley/engine"
	"parley/engine/speech"
	"parley/stream"
	"parley/stream/session/mail"
)

// errOver is the cause of everything that stops because its session ended.
var errOver = errors.New("session over")

// session is one peer's actor: a single goroutine that owns state and carries
// out effects. Decodes, the mouth, the intake and the outbox run beside it and
// only send it facts.
type session struct {
	id       string
	peer     stream.Peer
	dialect  stream.Dialect
	services Services
	log      zerolog.Logger
	meter    *meter
	drain    chan struct{} // the hub asks for the end

	state  *state
	intake *intake
	outbox *mail.Outbox
	inbox  chan input
	begun  time.Time

	work    context.Context // done when the session is: stops decodes and speech
	stop    context.CancelCauseFunc
	wg      sync.WaitGroup
	decodes map[int]context.CancelFunc // by utterance
	mouth   *mouth
	hush    context.CancelFunc
	timers  [timers]*time.Timer
	slow    bool // the outbox overflowed
}

// serve runs the session to its end. Every goroutine it started is joined.
func (s *session) serve(ctx context.Context) error {
	s.begun = time.Now()
	s.work, s.stop = context.WithCancelCause(ctx)
	defer s.stop(errOver)
	for i := range s.timers {
		s.timers[i] = time.NewTimer(time.Hour)
		s.timers[i].Stop()
	}
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	defer stopReading()
	var side sync.WaitGroup
	side.Go(func() { s.intake.run(reading) })
	written := make(chan error, 1)
	side.Go(func() { written <- s.outbox.Run(reading, s.peer) })

	s.do(arm{idleTimer, s.state.limits.Idle})
	s.do(arm{ageTimer, s.state.limits.MaxSession})
	end := s.loop(ctx, written)

	s.stop(errOver)
	s.wg.Wait()
	s.part(end, written)
	stopReading()
	side.Wait()
	return end.err
}

// outcome is how a session ended.
type outcome struct {
	finish
	err     error
	written bool // the outbox has stopped already
}

// loop acts on facts until one of them ends the session.
func (s *session) loop(ctx context.Context, written <-chan error) outcome {
	for {
		var in input
		select {
		case in = <-s.inbox:
		case <-s.timers[tickTimer].C:
			in = ticked{}
		case <-s.timers[idleTimer].C:
			in = idled{}
		case <-s.timers[ageTimer].C:
			in = aged{}
		case <-s.drain:
			in = drained{}
		case err := <-written:
			return outcome{finish{code: stream.BacklogOverflow, silent: true}, err, true}
		case <-ctx.Done():
			in = cut{context.Cause(ctx)}
		}
		if g, ok := in.(gone); ok && !orderly(g.err) {
			s.log.Debug().Err(g.err).Msg("peer vanished")
		}
		if d, ok := in.(decided); ok {
			s.abandon(d.utt) // it is over: only its place is left
		}
		now := time.Since(s.begun)
		s.meter.see(now, in)
		for _, e := range s.state.step(now, in) {
			if f, ok := e.(finish); ok {
				return outcome{finish: f, err: f.cause}
			}
			s.do(e)
		}
		if s.slow {
			return outcome{finish: finish{code: stream.BacklogOverflow, reason: mail.ErrSlowReader.Error()}, err: mail.ErrSlowReader}
		}
	}
}

// part writes what is still owed, says goodbye and lets the connection go.
func (s *session) part(end outcome, written <-chan error) {
	if end.silent || s.slow {
		s.outbox.Discard()
	}
	s.outbox.Close()
	if !end.written {
		select {
		case <-written:
		case <-time.After(mail.WriteTimeout):
		}
	}
	if err := s.peer.Close(end.code, end.reason); err != nil {
		s.log.Debug().Err(err).Msg("close")
	}
}

// post gives the actor a fact; it waits while the actor is busy and gives up
// when the session is over.
func (s *session) post(in input) {
	select {
	case s.inbox <- in:
	case <-s.work.Done():
	}
}

// do carries out one effect.
func (s *session) do(e effect) {
	switch e := e.(type) {
	case emit:
		s.emit(e.event)
	case guess:
		s.decode(e.utt, func(ctx context.Context) {
			h, err := s.services.Recognizer.Partial(ctx, engine.Ask{Session: s.id, Class: engine.ClassPartial},
				func() (engine.Window, engine.Prefix) { return e.window, e.prefix })
			s.post(guessed{utt: e.utt, epoch: e.epoch, hyp: h, err: err})
		})
	case decide:
		s.decode(e.utt, func(ctx context.Context) {
			t, err := s.services.Recognizer.Final(ctx, engine.Ask{Session: s.id}, e.window, e.prefix)
			s.post(decided{utt: e.utt, t: t, err: err})
		})
	case abandon:
		s.abandon(e.utt)
	case deafen:
		s.intake.deaf.Store(e.on)
	case open:
		s.open(e)
	case feed:
		if s.mouth != nil && s.mouth.epoch == e.epoch {
			s.mouth.texts.Put(piece{e.text, e.last})
		}
	case permit:
		if s.mouth != nil && s.mouth.epoch == e.epoch {
			s.mouth.permit(e.until)
		}
	case hush:
		if s.mouth != nil && s.mouth.epoch == e.epoch {
			s.hush()
		}
		s.outbox.Recall(e.speech)
	case arm:
		s.timers[e.timer].Reset(e.after)
	}
}

func (s *session) emit(ev stream.Event) {
	s.meter.told(time.Since(s.begun), ev)
	ms, err := s.dialect.Encode(ev)
	if err != nil {
		s.log.Error().Err(err).Type("event", ev).Msg("encode")
		return
	}
	tag := ""
	switch ev := ev.(type) {
	case stream.SpeakAudio:
		tag = ev.Speech
	case stream.SpeakSent: // the end of audio that is taken back goes with it
		tag = ev.Speech
	}
	if err := s.outbox.Put(tag, ms...); err != nil {
		s.slow = true
	}
}

// decode runs one decode of an utterance beside the actor.
func (s *session) decode(utt int, run func(context.Context)) {
	s.abandon(utt)
	ctx, cancel := context.WithCancel(s.work)
	s.decodes[utt] = cancel
	s.wg.Go(func() {
		defer cancel()
		run(ctx)
	})
}

func (s *session) abandon(utt int) {
	if cancel, ok := s.decodes[utt]; ok {
		cancel()
		delete(s.decodes, utt)
	}
}

// open puts the mouth on a new speech; the one before it has been told to stop.
func (s *session) open(e open) {
	if s.hush != nil {
		s.hush()
	}
	ctx, cancel := context.WithCancel(s.work)
	s.hush = cancel
	sp := speech.NewSpeech(s.services.Voices, e.voice, e.speed)
	m := newMouth(e.epoch, s.state.cfg.Output, sp, s.services.NewEncoder, e.until, s.post)
	s.mouth = m
	s.wg.Go(func() {
		defer cancel()
		m.run(ctx)
	})
}

// newSession puts a session together; serve runs it.
func newSession(id string, peer stream.Peer, d stream.Dialect, cfg Config, m *metrics) *session {
	s := &session{
		id: id, peer: peer, dialect: d, services: cfg.Services, meter: newMeter(m),
		log:     cfg.Log.With().Str("session", id).Logger(),
		state:   newState(id, cfg.Limits),
		outbox:  mail.NewOutbox(cfg.Limits.MaxOutbox),
		inbox:   make(chan input, 64),
		decodes: make(map[int]context.CancelFunc),
		drain:   make(chan struct{}, 1),
	}
	s.intake = &intake{peer: peer, dialect: d, services: cfg.Services, limits: cfg.Limits, tell: s.post}
	return s
}
