package native

import (
	"fmt"
	"math"
	"time"

	"parley/codec"
	"parley/stream"
)

// Bounds on strings that name things.
const (
	maxID   = 64  // characters of a client's id for a command or a speech
	maxName = 128 // characters of a model, voice, language or keyword of the protocol
)

// allSpeeches in speak.cancel means every speech.
const allSpeeches = "*"

// decoder is the reading half of a Dialect.
type decoder struct {
	maxFrame int
	newID    func() string
	started  bool
	framing  stream.Framing // fixed by the first session.start
	input    codec.Format   // as last asked for, else the default
	output   codec.Format
	stream   uint16 // of bare audio: input.end begins the next
	sounded  bool   // bare audio came on it
}

// commands holds what makes the command of each message type of the client.
var commands = map[string]func(*decoder, object, stream.Request) stream.Command{
	"session.start":  (*decoder).start,
	"session.update": (*decoder).update,
	"session.end":    func(_ *decoder, _ object, r stream.Request) stream.Command { return stream.End{Request: r} },
	"input.commit":   (*decoder).commit,
	"input.clear":    func(_ *decoder, _ object, r stream.Request) stream.Command { return stream.Clear{Request: r} },
	"input.end":      (*decoder).endInput,
	"speak":          (*decoder).speak,
	"speak.cancel":   (*decoder).cancelSpeak,
	"playback":       (*decoder).playback,
	"ping":           (*decoder).ping,
}

// message returns the command of m: none for a type this version does not know.
func (d *decoder) message(m stream.Message) (stream.Command, error) {
	switch m.Kind {
	case stream.Text:
		return d.json(m.Payload)
	case stream.Binary:
		return d.binary(m.Payload)
	case stream.Media:
		return d.bare(m.Payload)
	default:
		return nil, fatal("message of unknown kind %d", m.Kind)
	}
}

func (d *decoder) json(text []byte) (stream.Command, error) {
	fields, err := parseObject(text)
	if err != nil {
		return nil, fatal("message: %v", err)
	}
	o := object{fields: fields, fault: new(fault)}
	if _, ok := o.raw("type"); !ok {
		return nil, fatal("type: missing")
	}
	kind := o.text("type")
	if kind == nil {
		return nil, fatal("%s", o.fault.err.Message)
	}
	build, known := commands[*kind]
	if !known {
		return nil, nil
	}
	req := stream.Request{Ref: or(o.word("id", maxID), "")}
	cmd := build(d, o, req)
	if e := o.fault.err; e != nil {
		e.Ref = req.Ref
		e.Fatal = *kind == "session.start"
		return nil, e
	}
	return cmd, nil
}

func (d *decoder) binary(b []byte) (stream.Command, error) {
	if !d.started {
		return nil, fatal("audio came before session.start")
	}
	if d.framing.Input == framingBare {
		return d.bare(b)
	}
	f, err := ParseFrame(b)
	if err != nil {
		return nil, fatal("%v", err)
	}
	if len(f.Payload) > d.maxFrame {
		return nil, d.tooLarge(len(f.Payload))
	}
	switch {
	case f.Kind != KindAudio:
		return nil, bad("kind", "kind: %d, audio is %d", f.Kind, KindAudio)
	case f.Stream&ServerStream != 0:
		return nil, bad("stream", "stream: %#x is one of the server's, a client's are below %#x", f.Stream, ServerStream)
	case f.PTS > maxSafe:
		return nil, bad("pts_us", "pts_us: %d is beyond %d", f.PTS, int64(maxSafe))
	case len(f.Payload) == 0 && f.Flags&(FlagEnd|FlagSilence) == 0:
		return nil, bad("payload", "payload: empty without the flag for silence or the end of the stream")
	}
	return stream.Audio{
		Stream:        f.Stream,
		Seq:           f.Seq,
		HasSeq:        true,
		PTS:           time.Duration(f.PTS) * time.Microsecond,
		Payload:       f.Payload,
		Discontinuity: f.Flags&FlagDiscontinuity != 0,
		Silence:       f.Flags&FlagSilence != 0,
		Last:          f.Flags&FlagEnd != 0,
	}, nil
}

func (d *decoder) bare(b []byte) (stream.Command, error) {
	switch {
	case !d.started:
		return nil, fatal("audio came before session.start")
	case len(b) > d.maxFrame:
		return nil, d.tooLarge(len(b))
	case len(b) == 0:
		return nil, bad("payload", "payload: empty; input.end ends the stream")
	}
	d.sounded = true
	return stream.Audio{Stream: d.stream, Payload: b}, nil
}

func (d *decoder) tooLarge(n int) error {
	e := fatal("payload of %d bytes, at most %d", n, d.maxFrame)
	e.Code = stream.FrameTooLarge
	return e
}

func (d *decoder) commit(o object, r stream.Request) stream.Command {
	return stream.Commit{Request: r, Stream: o.stream()}
}

func (d *decoder) endInput(o object, r stream.Request) stream.Command {
	cmd := stream.EndInput{Request: r, Stream: o.stream()}
	if d.framing.Input == framingBare {
		cmd.Stream = d.stream
		if d.sounded {
			d.stream, d.sounded = (d.stream+1)%ServerStream, false
		}
	}
	return cmd
}

func (d *decoder) speak(o object, r stream.Request) stream.Command {
	cmd := stream.Speak{
		Request: r,
		Speech:  or(o.word("speech", maxID), ""),
		More:    or(o.boolean("more"), false),
		Voice:   or(o.word("voice", maxName), ""),
		Speed:   or(o.number("speed"), 0),
	}
	if o.missing("text") {
		return nil
	}
	cmd.Text = or(o.text("text"), "")
	switch queue := or(o.word("queue", maxName), "append"); queue {
	case "append":
	case "replace":
		cmd.Replace = true
	default:
		o.wrong("queue", "%q is not append or replace", queue)
	}
	switch {
	case cmd.Speech == allSpeeches:
		o.wrong("speech", "%q means all speeches and cannot name one", allSpeeches)
	case cmd.Speech == "" && cmd.More:
		o.wrong("speech", "missing: text in pieces (more) needs the id of its speech")
	case cmd.Speech == "":
		cmd.Speech = prefixSpeech + d.newID()
	}
	return cmd
}

func (d *decoder) cancelSpeak(o object, r stream.Request) stream.Command {
	cmd := stream.CancelSpeak{Request: r}
	if o.missing("speech") {
		return nil
	}
	if cmd.Speech = or(o.word("speech", maxID), ""); cmd.Speech == allSpeeches {
		cmd.Speech = ""
	} else if cmd.Speech == "" {
		o.wrong("speech", "empty: want an id or %q", allSpeeches)
	}
	if played := o.micros("played_us"); played != nil {
		cmd.Played, cmd.HasPlayed = *played, true
	}
	return cmd
}

func (d *decoder) playback(o object, r stream.Request) stream.Command {
	if o.missing("speech") || o.missing("played_us") {
		return nil
	}
	return stream.Played{
		Request: r,
		Speech:  or(o.word("speech", maxID), ""),
		At:      or(o.micros("played_us"), 0),
	}
}

func (d *decoder) ping(o object, r stream.Request) stream.Command {
	return stream.Ping{Request: r, T: or(o.number("t"), 0)}
}

// missing notes a fault where a field that must be there is not.
func (o object) missing(name string) bool {
	_, ok := o.raw(name)
	if !ok {
		o.wrong(name, "missing")
	}
	return !ok
}

// stream is the number of an input stream; 0 is the one a client has first.
func (o object) stream() uint16 {
	return uint16(or(o.whole("stream", ServerStream-1), 0))
}

func (o object) micros(name string) *time.Duration {
	n := o.whole(name, math.MaxInt64/int64(time.Microsecond))
	if n == nil {
		return nil
	}
	t := time.Duration(*n) * time.Microsecond
	return &t
}

func (o object) millis(name string) *time.Duration {
	n := o.integer(name)
	if n == nil {
		return nil
	}
	t := time.Duration(*n) * time.Millisecond
	return &t
}

func or[T any](v *T, absent T) T {
	if v == nil {
		return absent
	}
	return *v
}

func fatal(format string, args ...any) *stream.Error {
	return &stream.Error{Code: stream.BadRequest, Message: fmt.Sprintf(format, args...), Fatal: true}
}

func bad(param, format string, args ...any) *stream.Error {
	return &stream.Error{Code: stream.BadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
}
