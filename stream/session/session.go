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
	jobs    map[job]context.CancelFunc
	guess   *mail.Cell[view] // what the latest partial decode is to look at
	guessed int              // its epoch
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

// job names a decode or judgement that runs beside the actor.
type job struct{ utt, epoch int }

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
		s.forget(in)
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
	case guess, show, foresee, promote, decide, judge, abandon:
		s.decode(e)
	case tally:
		s.meter.m.speculative.WithLabelValues(e.outcome).Inc()
	case deafen:
		s.intake.deaf.Store(e.on)
	case hold:
		s.intake.order.Store(&e)
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

// decode carries out an effect on the recogniser or the turn model.
func (s *session) decode(e effect) {
	switch e := e.(type) {
	case guess:
		s.guessing(e)
	case show:
		if s.guessed == e.epoch {
			s.guess.Put(e.view)
		}
	case foresee:
		s.run(job{e.utt, e.epoch}, func(ctx context.Context) {
			t, err := s.services.Recognizer.Final(ctx, engine.Ask{Session: s.id, Class: engine.ClassSpeculative}, e.view.window, e.view.prefix)
			s.post(foreseen{e.utt, e.epoch, t, err})
		})
	case promote:
		if p, ok := s.services.Recognizer.(promoter); ok {
			p.Promote(s.id)
		}
	case decide:
		s.run(job{e.utt, e.epoch}, func(ctx context.Context) {
			t, err := s.services.Recognizer.Final(ctx, engine.Ask{Session: s.id, Class: engine.ClassFinal}, e.view.window, e.view.prefix)
			s.post(decided{e.utt, e.epoch, t, err})
		})
	case judge:
		s.run(job{e.utt, e.epoch}, func(ctx context.Context) {
			p, err := s.services.Turn.Probability(ctx, e.audio)
			if err != nil && ctx.Err() == nil {
				s.log.Warn().Err(err).Msg("turn model")
			}
			s.post(judged{e.utt, e.epoch, p, err})
		})
	case abandon:
		s.abandon(e)
	}
}

// guessing runs a partial decode of the newest audio there is when it begins.
func (s *session) guessing(e guess) {
	c := &mail.Cell[view]{}
	c.Put(e.view)
	s.guess, s.guessed = c, e.epoch
	s.run(job{e.utt, e.epoch}, func(ctx context.Context) {
		h, err := s.services.Recognizer.Partial(ctx, engine.Ask{Session: s.id, Class: e.class}, func() (engine.Window, engine.Prefix) {
			v := c.Take()
			return v.window, v.prefix
		})
		v := c.Taken()
		s.post(guessed{utt: e.utt, epoch: e.epoch, from: v.from, to: v.to, hyp: h, pace: s.services.Recognizer.Pace(), err: err})
	})
}

// run does one job beside the actor.
func (s *session) run(j job, do func(context.Context)) {
	ctx, cancel := context.WithCancel(s.work)
	s.jobs[j] = cancel
	s.wg.Go(func() {
		defer cancel()
		do(ctx)
	})
}

func (s *session) abandon(e abandon) {
	for j, cancel := range s.jobs {
		if j.utt == e.utt && (e.epoch == 0 || j.epoch == e.epoch) {
			cancel()
			delete(s.jobs, j)
		}
	}
}

// forget gives up the place of a job that is over.
func (s *session) forget(in input) {
	switch in := in.(type) {
	case guessed:
		delete(s.jobs, job{in.utt, in.epoch})
	case foreseen:
		delete(s.jobs, job{in.utt, in.epoch})
	case judged:
		delete(s.jobs, job{in.utt, in.epoch})
	case decided:
		delete(s.jobs, job{in.utt, in.epoch})
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
		log:    cfg.Log.With().Str("session", id).Logger(),
		state:  newState(id, cfg.Limits),
		outbox: mail.NewOutbox(cfg.Limits.MaxOutbox),
		inbox:  make(chan input, 64),
		jobs:   make(map[job]context.CancelFunc),
		drain:  make(chan struct{}, 1),
	}
	s.state.judges = cfg.Services.Turn != nil
	s.intake = &intake{peer: peer, dialect: d, services: cfg.Services, limits: cfg.Limits, tell: s.post}
	return s
}
