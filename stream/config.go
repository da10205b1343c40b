package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/codec"
	"parley/engine"
	"parley/vad"
)

// Partials says which partial transcripts a client wants.
type Partials string

// The choices: none, only when stable text grew, or every revision.
const (
	PartialsOff    Partials = "off"
	PartialsStable Partials = "stable"
	PartialsFull   Partials = "full"
)

// FinalPolicy says what a final owes to the stable text before it.
type FinalPolicy string

// The choices: it begins with the stable text, or it is what the decoder says
// when it is free, whatever was promised.
const (
	FinalStable FinalPolicy = "stable"
	FinalBest   FinalPolicy = "best"
)

// Interrupt says whether the start of speech cancels what is being said.
type Interrupt string

// The choices.
const (
	InterruptAuto Interrupt = "auto"
	InterruptNone Interrupt = "none"
)

// Config is a session's effective configuration.
type Config struct {
	Input     codec.Format
	Output    codec.Format
	Framing   Framing
	Lead      time.Duration // how far speech is sent ahead of what was heard
	Model     string
	Language  string // ISO 639-1; "" to detect
	Task      engine.Task
	Prompt    string
	Keywords  []string
	Words     bool
	Partials  Partials
	Final     FinalPolicy
	VAD       vad.Config
	Turn      Turn
	Voice     string
	Speed     float64
	Interrupt Interrupt
}

// Turn says how the end of a turn is recognised beyond silence.
type Turn struct {
	// Eager is the probability that the turn is over from which TurnEager is
	// told, up to 1; 0: never.
	Eager float64
	// Patience is the most silence beyond VAD.SilenceMS that is granted where the
	// words so far do not sound like the end of a sentence.
	Patience time.Duration
}

// Framing names how a dialect wraps audio in each direction; the core only
// carries it from Start to Started.
type Framing struct{ Input, Output string }

// DefaultConfig is what a session has before its client asks for anything.
func DefaultConfig() Config {
	return Config{
		Input:     codec.Format{Encoding: codec.Opus, Rate: 48000, Channels: 1},
		Output:    codec.Format{Encoding: codec.Opus, Rate: 24000, Channels: 1},
		Lead:      1500 * time.Millisecond,
		Task:      engine.Transcribe,
		Partials:  PartialsFull,
		Final:     FinalStable,
		VAD:       vad.DefaultConfig(),
		Turn:      Turn{Patience: 600 * time.Millisecond},
		Speed:     1,
		Interrupt: InterruptAuto,
	}
}

// Patch is a partial configuration: nil fields keep what there is.
type Patch struct {
	Input         *codec.Format
	Output        *codec.Format
	FramingInput  *string
	FramingOutput *string
	Lead          *time.Duration
	Model         *string
	Language      *string
	Task          *engine.Task
	Prompt        *string
	Keywords      *[]string
	Words         *bool
	Partials      *Partials
	Final         *FinalPolicy
	VADMode       *vad.Mode
	Threshold     *float32
	PrefixMS      *int
	SilenceMS     *int
	MaxUtterance  *int // ms
	Eager         *float64
	Patience      *time.Duration
	Voice         *string
	Speed         *float64
	Interrupt     *Interrupt
}

// With returns c with the patch applied.
func (c Config) With(p Patch) Config {
	set(&c.Input, p.Input)
	set(&c.Output, p.Output)
	set(&c.Framing.Input, p.FramingInput)
	set(&c.Framing.Output, p.FramingOutput)
	set(&c.Lead, p.Lead)
	set(&c.Model, p.Model)
	set(&c.Language, p.Language)
	set(&c.Task, p.Task)
	set(&c.Prompt, p.Prompt)
	set(&c.Keywords, p.Keywords)
	set(&c.Words, p.Words)
	set(&c.Partials, p.Partials)
	set(&c.Final, p.Final)
	set(&c.VAD.Mode, p.VADMode)
	set(&c.VAD.PrefixMS, p.PrefixMS)
	set(&c.VAD.SilenceMS, p.SilenceMS)
	set(&c.VAD.MaxUtteranceMS, p.MaxUtterance)
	set(&c.Turn.Eager, p.Eager)
	set(&c.Turn.Patience, p.Patience)
	set(&c.Voice, p.Voice)
	set(&c.Speed, p.Speed)
	set(&c.Interrupt, p.Interrupt)
	set(&c.VAD.Threshold, p.Threshold)
	return c
}

func set[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

// maxPrompt bounds prompt and keywords together, in runes: Whisper keeps at
// most half its text context (224 tokens) of them.
const maxPrompt = 2000

// Validate checks everything that needs no service, naming the field as on the wire.
func (c Config) Validate() *Error {
	if err := c.Input.Validate(); err != nil {
		return Fatalf(UnsupportedCodec, "input", "input: %w", err)
	}
	if err := validateOutput(c.Output); err != nil {
		return err
	}
	if c.Lead < 100*time.Millisecond || c.Lead > time.Minute {
		return Errorf(BadRequest, "output.lead_ms", "output.lead_ms: %d is outside 100 to 60000", c.Lead.Milliseconds())
	}
	if err := c.VAD.Validate(); err != nil {
		param := "vad"
		if field, ok := errors.AsType[*vad.ConfigError](err); ok {
			param += "." + field.Field
		}
		return Errorf(BadRequest, param, "%w", err)
	}
	if err := c.Turn.validate(); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(c.Conditioning()); n > maxPrompt {
		return Errorf(BadRequest, "asr.prompt", "asr: prompt and keywords have %d characters, more than %d", n, maxPrompt)
	}
	if !slices.Contains([]Partials{PartialsOff, PartialsStable, PartialsFull}, c.Partials) {
		return Errorf(BadRequest, "asr.partials", "asr.partials: %q is not off, stable or full", c.Partials)
	}
	if c.Final != FinalStable && c.Final != FinalBest {
		return Errorf(BadRequest, "asr.final", "asr.final: %q is not stable or best", c.Final)
	}
	if c.Task != engine.Transcribe && c.Task != engine.Translate {
		return Errorf(BadRequest, "asr.task", "asr.task: %q is not transcribe or translate", c.Task)
	}
	if !ValidSpeed(c.Speed) {
		return Errorf(BadRequest, "tts.speed", "tts.speed: %g is outside 0.25 to 4", c.Speed)
	}
	if c.Interrupt != InterruptAuto && c.Interrupt != InterruptNone {
		return Errorf(BadRequest, "interrupt", "interrupt: %q is not auto or none", c.Interrupt)
	}
	return nil
}

// maxPatience bounds Turn.Patience.
const maxPatience = 5 * time.Second

func (t Turn) validate() *Error {
	if !(t.Eager >= 0 && t.Eager <= 1) {
		return Errorf(BadRequest, "vad.eager", "vad.eager: %g is outside 0 to 1", t.Eager)
	}
	if t.Patience < 0 || t.Patience > maxPatience {
		return Errorf(BadRequest, "vad.patience_ms", "vad.patience_ms: %d is outside 0 to %d", t.Patience.Milliseconds(), maxPatience.Milliseconds())
	}
	return nil
}

// ValidSpeed reports whether a voice can be this fast; 1 is its own speed.
func ValidSpeed(s float64) bool { return s >= 0.25 && s <= 4 }

func validateOutput(f codec.Format) *Error {
	if !slices.Contains([]codec.Encoding{codec.Opus, codec.PCM16, codec.MuLaw}, f.Encoding) {
		return Fatalf(UnsupportedCodec, "output.codec", "output.codec: %q is not opus, pcm_s16le or mulaw", f.Encoding)
	}
	if err := f.Validate(); err != nil {
		return Fatalf(UnsupportedCodec, "output", "output: %w", err)
	}
	if f.Channels != 1 {
		return Fatalf(UnsupportedCodec, "output.channels", "output.channels: %d, speech is mono", f.Channels)
	}
	if f.Encoding == codec.Opus && !slices.Contains([]int{8000, 12000, 16000, 24000, 48000}, f.Rate) {
		return Fatalf(UnsupportedCodec, "output.rate", "output.rate: Opus has no %d Hz", f.Rate)
	}
	return nil
}

// Conditioning is the text the decoder is conditioned with: prompt and keywords.
func (c Config) Conditioning() string {
	parts := slices.Clone(c.Keywords)
	if c.Prompt != "" {
		parts = append([]string{c.Prompt}, parts...)
	}
	return strings.Join(parts, ", ")
}

// Limits are announced to the client in Started.
type Limits struct {
	MaxFrame   int           // bytes of one audio payload
	MaxText    int           // runes of one speak command
	MaxBacklog time.Duration // audio heard but not final
	Idle       time.Duration // without any message
	MaxSession time.Duration
	MaxOutbox  int // bytes waiting for a client that does not read
	// Stall is how long a client may send nothing in the middle of an utterance
	// (DTX, a bad network) before the rest counts as silence.
	Stall time.Duration
}

// DefaultLimits are safe on a small machine.
func DefaultLimits() Limits {
	return Limits{
		MaxFrame:   1 << 20,
		MaxText:    4096,
		MaxBacklog: 60 * time.Second,
		Idle:       30 * time.Second,
		MaxSession: time.Hour,
		MaxOutbox:  1 << 20,
		Stall:      2 * time.Second,
	}
}

// Validate reports a limit under which no session could work.
func (l Limits) Validate() error {
	if l.MaxFrame < 1024 || l.MaxText < 1 || l.MaxOutbox < 64<<10 {
		return fmt.Errorf("limits: max_frame %d, max_text %d and max_outbox %d are too small", l.MaxFrame, l.MaxText, l.MaxOutbox)
	}
	if min(l.MaxBacklog, l.Idle, l.MaxSession, l.Stall) < time.Second {
		return fmt.Errorf("limits: max_backlog %v, idle %v, max_session %v and stall %v must be at least 1 s",
			l.MaxBacklog, l.Idle, l.MaxSession, l.Stall)
	}
	return nil
}
