package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/cmd/internal/captions"
	"parley/cmd/internal/config"
	"parley/cmd/internal/local"
	"parley/codec"
	"parley/stream"
	"parley/stream/session"
)

type transcribeCmd struct {
	config.Recognition
	Files    []string `arg:"" name:"file" help:"Audio files (WAV, Ogg Opus, WebM Opus); - is standard input."`
	Format   string   `help:"txt, srt, vtt or json." enum:"txt,srt,vtt,json" default:"txt"`
	Output   string   `short:"o" help:"File to write to; default: standard output. With several files, a folder." type:"path" placeholder:"PATH"`
	Language string   `help:"Language spoken, as ISO 639-1; default: detected." placeholder:"CODE"`
	Prompt   string   `help:"Words that are likely to occur." placeholder:"TEXT"`
}

// Run hears every file; one that fails does not stop the others.
func (c transcribeCmd) Run(ctx context.Context, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	e, err := openEar(ctx, a, c.Recognition)
	if err != nil {
		return err
	}
	var failed error
	for _, name := range c.Files {
		if err := c.file(ctx, a, e, name); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed, e.close())
}

func (c transcribeCmd) check() error {
	if len(c.Files) == 1 {
		return c.checkFolder()
	}
	if c.Output == "" {
		if c.Format == string(captions.SRT) || c.Format == string(captions.VTT) {
			return fmt.Errorf("--output (PARLEY_OUTPUT): name a folder: the %s of %d files cannot be one", c.Format, len(c.Files))
		}
		return nil
	}
	if info, err := os.Stat(c.Output); err != nil || !info.IsDir() {
		return fmt.Errorf("--output (PARLEY_OUTPUT): %s must be a folder to take the transcripts of %d files", c.Output, len(c.Files))
	}
	from := map[string]string{}
	for _, name := range c.Files {
		path := c.inFolder(name)
		if other, twice := from[path]; twice {
			return fmt.Errorf("--output (PARLEY_OUTPUT): the transcripts of %s and %s would both be %s", other, name, path)
		}
		from[path] = name
	}
	return nil
}

// checkFolder finds out before the work whether its result has a place.
func (c transcribeCmd) checkFolder() error {
	if c.Output == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Dir(c.Output)); err != nil {
		return fmt.Errorf("--output (PARLEY_OUTPUT): %s: %w", c.Output, unwrapPath(err))
	}
	return nil
}

func (c transcribeCmd) inFolder(name string) string {
	base := filepath.Base(name)
	if name == "-" {
		base = "stdin"
	}
	return filepath.Join(c.Output, base+"."+c.Format)
}

func (c transcribeCmd) file(ctx context.Context, a *app, e *ear, name string) error {
	audio, size, err := openInput(a.in, name)
	if err != nil {
		return err
	}
	defer audio.Close()
	bar := newProgress(a.err, size, filepath.Base(name))
	defer bar.close()
	t, err := e.hear(ctx, bar.reader(audio), c.patch())
	bar.close()
	if err != nil && !(errors.Is(err, codec.ErrTruncated) && len(t.Segments) > 0) {
		return plain(err)
	}
	t.File = name
	if lost := c.write(a.out, t); lost != nil || err == nil {
		return lost
	}
	return fmt.Errorf("%w; the transcript is of what came before", plain(err))
}

// plain is the error of a session without what only clients want to know.
func plain(err error) error {
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case errors.Is(e, codec.ErrUnsupported):
		return fmt.Errorf("%w; parley reads WAV, Ogg Opus and WebM Opus", e.Err)
	case e.Err != nil:
		return e.Err
	}
	return errors.New(e.Message)
}

func openInput(stdin io.Reader, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(stdin), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, unwrapPath(err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder")
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return f, -1, nil
	}
	return f, info.Size(), nil
}

// unwrapPath leaves the name out of an error that will be told with it.
func unwrapPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// patch asks for finals that owe nothing to what was said before, and for cuts that
// do not depend on how fast the machine is.
func (c transcribeCmd) patch() stream.Patch {
	words := c.Format != "txt"
	off, best, patience := stream.PartialsOff, stream.FinalBest, time.Duration(0)
	p := stream.Patch{Words: &words, Partials: &off, Final: &best, Patience: &patience}
	if c.Language != "" {
		p.Language = &c.Language
	}
	if c.Prompt != "" {
		p.Prompt = &c.Prompt
	}
	return p
}

func (c transcribeCmd) write(stdout io.Writer, t captions.Transcript) error {
	format := captions.Format(c.Format)
	if c.Output == "" {
		return t.Write(stdout, format)
	}
	path := c.Output
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = c.inFolder(t.File)
	}
	return writeFile(path, func(w io.Writer) error { return t.Write(w, format) })
}

// ear is a hub for one file at a time.
type ear struct {
	hub   *session.Hub
	model string
	close func() error
	ahead int
}

// hear runs one session over the audio.
func (e *ear) hear(ctx context.Context, audio io.Reader, patch stream.Patch) (captions.Transcript, error) {
	t := captions.Transcript{Model: e.model}
	var lost error
	stats, err := local.Transcribe(ctx, e.hub, local.Config{Audio: audio, Patch: patch, Ahead: e.ahead, OnEvent: func(ev stream.Event) {
		switch ev := ev.(type) {
		case stream.Final:
			if ev.Text == "" {
				return
			}
			t.Language = ev.Language
			t.Segments = append(t.Segments, captions.Segment{
				Text: ev.Text, Start: ev.Start, End: ev.End, Confidence: ev.Confidence, Words: ev.Words, Revised: ev.Revised,
			})
		case stream.Failed:
			lost = ev.Err
		case stream.ErrorEvent:
			lost = ev.Err // a truncated file is no fatal error of a session, but one of a file
		}
	}})
	t.Duration = stats.Audio
	switch {
	case err != nil:
		return t, err
	case lost == nil && t.Duration == 0:
		lost = errors.New("there is no audio in it")
	}
	return t, lost
}
