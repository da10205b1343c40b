package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"parley/cmd/internal/parts"
	"parley/cmd/internal/serve"
	"parley/codec"
	"parley/codec/container"
	"parley/codec/formats"
	"parley/codec/opus"
	"parley/engine"
	"parley/engine/speech"
)

type sayCmd struct {
	Text     string  `arg:"" help:"What to say; - reads standard input."`
	Output   string  `short:"o" help:"File to write: .wav, .ogg or .opus; - is standard output as WAV." required:"" type:"path" placeholder:"FILE"`
	Voice    string  `help:"Voice: an id, a name or a language; see parley voices." placeholder:"ID"`
	Language string  `help:"Language of the text, where no voice is named." placeholder:"CODE"`
	Speed    float64 `help:"1 is the voice's own." default:"1"`
}

// maxSay bounds the text, in bytes.
const maxSay = 1 << 20

// Run speaks the text into the file.
func (c sayCmd) Run(ctx context.Context, a *app) error {
	if c.Speed < 0.25 || c.Speed > 4 {
		return fmt.Errorf("--speed (PARLEY_SPEED): %g is outside 0.25 to 4", c.Speed)
	}
	text, err := c.text(a.in)
	if err != nil {
		return err
	}
	open, err := c.sink()
	if err != nil {
		return err
	}
	voices, err := parts.OpenVoices(ctx, "", a.log)
	if err != nil {
		return err
	}
	voice, err := voices.Find(c.Voice, c.Language)
	if err != nil {
		setting := "--voice (PARLEY_VOICE)"
		if c.Voice == "" {
			setting = "--language (PARLEY_LANGUAGE)"
		}
		return fmt.Errorf("%s: %w: see parley voices", setting, err)
	}
	speak := func(w io.Writer) error { return say(ctx, voices, voice.ID, c.Speed, text, open(w)) }
	if c.Output == "-" {
		return speak(a.out)
	}
	return writeFile(c.Output, speak)
}

func (c sayCmd) text(stdin io.Reader) (string, error) {
	text := c.Text
	if text == "-" {
		raw, err := io.ReadAll(io.LimitReader(stdin, maxSay+1))
		if err != nil {
			return "", err
		}
		text = string(raw)
	}
	switch {
	case len(text) > maxSay:
		return "", fmt.Errorf("the text is longer than %d bytes", maxSay)
	case !utf8.ValidString(text):
		return "", errors.New("the text is no UTF-8")
	case strings.TrimSpace(text) == "":
		return "", errors.New("there is no text to say")
	}
	return text, nil
}

// sink finds the file format by the name.
func (c sayCmd) sink() (func(io.Writer) sink, error) {
	if c.Output == "-" {
		return newWAVSink, nil
	}
	switch strings.ToLower(filepath.Ext(c.Output)) {
	case ".wav":
		return newWAVSink, nil
	case ".ogg", ".opus":
		return newOggSink, nil
	default:
		return nil, fmt.Errorf("--output (PARLEY_OUTPUT): %s does not end in .wav, .ogg or .opus", c.Output)
	}
}

// say speaks a whole text, clause by clause, as sessions do.
func say(ctx context.Context, voices engine.Synthesizer, voice string, speed float64, text string, to sink) error {
	var split speech.Splitter
	sp := speech.NewSpeech(voices, voice, speed)
	for _, clause := range slices.Concat(split.Push(text), split.Flush()) {
		if err := sp.Say(ctx, clause, to.chunk); err != nil {
			return err
		}
	}
	if err := sp.End(to.chunk); err != nil {
		return err
	}
	return to.close()
}

// sink takes speech into a file.
type sink interface {
	chunk(engine.Chunk) error
	close() error
}

type wavSink struct {
	w   io.Writer
	wav *container.WAVWriter
}

func newWAVSink(w io.Writer) sink { return &wavSink{w: w} }

func (s *wavSink) chunk(c engine.Chunk) (err error) {
	if s.wav == nil {
		if s.wav, err = container.NewWAVWriter(s.w, c.Rate); err != nil {
			return err
		}
	}
	return s.wav.Write(c.PCM)
}

func (s *wavSink) close() error {
	if s.wav == nil {
		return errSilent
	}
	return s.wav.Close()
}

// errSilent: a text like "..." in which there is nothing to say.
var errSilent = errors.New("the text has nothing that can be said")

type oggSink struct {
	w   io.Writer
	enc codec.Encoder
	ogg *container.OggWriter
}

func newOggSink(w io.Writer) sink { return &oggSink{w: w} }

func (s *oggSink) chunk(c engine.Chunk) (err error) {
	if s.enc == nil {
		if s.enc, err = formats.NewEncoder(codec.Format{Encoding: codec.Opus, Rate: 24000, Channels: 1}, c.Rate); err != nil {
			return err
		}
		if s.ogg, err = container.NewOggWriter(s.w, c.Rate, opus.Lookahead, rand.Uint32()); err != nil {
			return err
		}
	}
	return s.enc.Encode(c.PCM, s.ogg.WritePacket)
}

func (s *oggSink) close() error {
	if s.enc == nil {
		return errSilent
	}
	return errors.Join(s.enc.Flush(s.ogg.WritePacket), s.ogg.Close())
}

type voicesCmd struct {
	Language string `help:"Only voices of this language." placeholder:"CODE"`
	JSON     bool   `name:"json" help:"As JSON."`
}

// Run lists the voices.
func (c voicesCmd) Run(ctx context.Context, a *app) error {
	voices, err := parts.OpenVoices(ctx, "", a.log)
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(voices.Voices(), func(v engine.Voice) bool {
		return c.Language != "" && v.Language != c.Language && !strings.HasPrefix(v.Language, c.Language+"-")
	})
	if c.JSON {
		return printJSON(a.out, serve.VoicesOf(list))
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "VOICE\tLANGUAGE\tNAME")
	for _, v := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.ID, v.Language, v.Name)
	}
	return w.Flush()
}
