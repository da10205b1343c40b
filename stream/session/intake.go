package session

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

// intake is the reading side of a session: it decodes messages, owns the ear and
// the configuration, and tells the actor what came of it.
type intake struct {
	peer     stream.Peer
	dialect  stream.Dialect
	services Services
	limits   stream.Limits
	tell     func(input)
	deaf     atomic.Bool
	order    atomic.Pointer[hold] // for the ear, until it takes it

	cfg     stream.Config
	ear     *ear
	started bool
	ended   bool // End came: what is owed can still be followed and called off
	over    bool // a fatal error came: nothing after it counts
}

// run reads until the peer is gone or ctx is done. Between messages it watches
// for utterances whose client has stalled.
func (in *intake) run(ctx context.Context) {
	in.cfg = stream.DefaultConfig()
	defer in.close()
	messages := make(chan stream.Message)
	failed := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed <- in.read(ctx, messages)
	}()
	defer func() { <-done }()

	quiet := time.NewTimer(in.limits.Stall)
	defer quiet.Stop()
	for {
		select {
		case m := <-messages:
			quiet.Reset(in.limits.Stall)
			in.message(m)
		case <-quiet.C:
			quiet.Reset(in.limits.Stall)
			if in.ear != nil {
				in.report(in.ear.wait(), "")
			}
		case err := <-failed:
			if e, ok := errors.AsType[*stream.Error](err); ok {
				in.tell(refused{e})
			} else {
				in.tell(gone{err})
			}
			return
		}
	}
}

// read hands over messages one by one; it returns the error that ended them.
func (in *intake) read(ctx context.Context, to chan<- stream.Message) error {
	for {
		m, err := in.peer.Read(ctx)
		if err != nil {
			return err
		}
		select {
		case to <- m:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (in *intake) message(m stream.Message) {
	if in.over {
		return
	}
	cmds, err := in.dialect.Decode(m)
	for _, cmd := range cmds {
		if in.ended {
			in.follow(cmd)
			continue
		}
		in.command(cmd)
	}
	if !in.ended {
		in.report(err, "")
	}
}

// follow passes on what matters to speech that is still owed after End.
func (in *intake) follow(cmd stream.Command) {
	switch cmd.(type) {
	case stream.Ping, stream.Played, stream.CancelSpeak:
		in.tell(asked{cmd})
	}
}

// report passes an error on to the client; ref names the command it answers.
func (in *intake) report(err error, ref string) {
	if err == nil {
		return
	}
	e := *stream.AsError(err, stream.BadRequest)
	if e.Ref == "" {
		e.Ref = ref
	}
	in.over = in.over || e.Fatal
	in.tell(refused{&e})
}

// command does what a command asks of the reading side and passes the rest on.
func (in *intake) command(cmd stream.Command) {
	if start, ok := cmd.(stream.Start); ok {
		in.start(start)
		return
	}
	if !in.started {
		if _, ok := cmd.(stream.Ping); !ok {
			in.report(stream.Fatalf(stream.BadRequest, "", "the session has not been started"), stream.RefOf(cmd))
			return
		}
	}
	switch c := cmd.(type) {
	case stream.Update:
		in.configure(c.Ref, c.Patch, configured{ref: c.Ref})
	case stream.Audio:
		in.report(in.ear.hear(c), "")
	case stream.Commit:
		in.ear.commit()
	case stream.Clear:
		in.ear.clear(c.Ref)
	case stream.EndInput:
		in.report(in.ear.leave(), c.Ref)
	case stream.Speak:
		in.speak(c)
	case stream.End:
		in.report(in.ear.leave(), c.Ref)
		in.ended = true
		in.tell(asked{c})
	default:
		in.tell(asked{cmd})
	}
}

func (in *intake) start(c stream.Start) {
	if in.started {
		in.report(stream.Errorf(stream.BadRequest, "", "the session has been started already"), c.Ref)
		return
	}
	det, err := in.services.NewDetector()
	if err != nil {
		in.report(stream.Fatalf(stream.EngineFailed, "", "no voice activity detector: %w", err), c.Ref)
		return
	}
	in.ear = &ear{
		open: func(f codec.Format) (codec.Decoder, error) { return in.services.NewDecoder(f, codec.SpeechRate) },
		det:  det, tell: in.tell, deaf: in.deaf.Load,
		order: func() *hold { return in.order.Swap(nil) },
	}
	in.started = in.configure(c.Ref, c.Patch, configured{ref: c.Ref, start: true, resume: c.Resuming})
	in.over = in.over || !in.started
}

// configure applies a patch if the result can work, and reports whether it did.
// A session whose first configuration is wrong ends.
func (in *intake) configure(ref string, p stream.Patch, done configured) bool {
	cfg := in.cfg.With(p)
	if err := in.check(&cfg); err != nil {
		err.Fatal = done.start || (err.Fatal && !in.started)
		in.report(err, ref)
		return false
	}
	if err := in.ear.configure(cfg); err != nil {
		in.report(err, ref)
		return false
	}
	in.cfg, done.cfg = cfg, cfg
	in.tell(done)
	return true
}

// check validates what only the services can tell, and resolves the voice.
func (in *intake) check(cfg *stream.Config) *stream.Error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	m := in.services.Model
	if cfg.Model == "" {
		cfg.Model = m.Name
	}
	if cfg.Model != m.Name {
		return stream.Fatalf(stream.UnknownModel, "asr.model", "asr.model: this server has %q, not %q", m.Name, cfg.Model)
	}
	if cfg.Language != "" && !m.Knows(cfg.Language) {
		return stream.Errorf(stream.BadRequest, "asr.language", "asr.language: model %q does not know %q", m.Name, cfg.Language)
	}
	if cfg.Task == engine.Translate && !m.Multilingual() {
		return stream.Errorf(stream.BadRequest, "asr.task", "asr.task: model %q cannot translate", m.Name)
	}
	voice, err := in.services.Voices.Find(cfg.Voice, "")
	if err != nil {
		return stream.Errorf(stream.BadRequest, "tts.voice", "tts.voice: %w", err)
	}
	cfg.Voice = voice.ID
	return nil
}

// speak checks the text and resolves voice and speed.
func (in *intake) speak(c stream.Speak) {
	if n := len([]rune(c.Text)); n > in.limits.MaxText {
		in.report(stream.Errorf(stream.BadRequest, "text", "text: %d characters, more than %d", n, in.limits.MaxText), c.Ref)
		return
	}
	if c.Voice == "" {
		c.Voice = in.cfg.Voice
	}
	voice, err := in.services.Voices.Find(c.Voice, "")
	if err != nil {
		in.report(stream.Errorf(stream.BadRequest, "voice", "voice: %w", err), c.Ref)
		return
	}
	c.Voice = voice.ID
	if c.Speed == 0 {
		c.Speed = in.cfg.Speed
	}
	if !stream.ValidSpeed(c.Speed) {
		in.report(stream.Errorf(stream.BadRequest, "speed", "speed: %g is outside 0.25 to 4", c.Speed), c.Ref)
		return
	}
	in.tell(asked{c})
}

func (in *intake) close() {
	if in.ear != nil {
		in.ear.close()
	}
}

// orderly reports whether an error of Peer.Read is a goodbye.
func orderly(err error) bool { return errors.Is(err, io.EOF) }
