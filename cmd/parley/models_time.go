package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"parley/cmd/internal/native"
	"parley/cmd/internal/timing"
	"parley/engine"
	"parley/engine/flite"
	"parley/engine/whisper"
	"parley/engine/whisper/tinymodel"
)

type modelsTimeCmd struct {
	File    string        `arg:"" help:"Model file, or bundled."`
	GPU     string        `name:"gpu" enum:"auto,off,only" default:"auto" help:"auto, off, or only: fail where there is no graphics card."`
	Threads int           `name:"threads" default:"1" help:"CPU threads of one decode."`
	Slots   []int         `name:"slots" default:"1,2,3" help:"How many slots to keep busy at once, one number after the other." placeholder:"N"`
	Busy    time.Duration `name:"busy" default:"10s" help:"For how long; 0 leaves it out."`
	Runs    int           `name:"runs" default:"5" help:"Of each decode; the median is told."`
	JSON    bool          `name:"json" help:"As JSON."`
}

// Run measures what decodes cost.
func (c modelsTimeCmd) Run(ctx context.Context, a *app) error {
	config := timing.Config{
		Paths: native.Find(), Model: c.File, GPU: whisper.Auto, Only: c.GPU == "only",
		Threads: c.Threads, Slots: c.Slots, Busy: c.Busy, Runs: c.Runs,
	}
	if c.GPU == "off" {
		config.GPU = whisper.Off
	}
	if c.File == "bundled" {
		config.Model = config.Paths.BundledModel
	}
	config.Short = filepath.Base(config.Model) == tinymodel.FileName
	var err error
	if config.Speech, err = someSpeech(ctx); err != nil {
		return err
	}
	report, err := timing.Run(ctx, config, func(what string) { fmt.Fprintf(a.err, "%s ...\n", what) })
	switch {
	case errors.Is(err, timing.ErrNoCard):
		return fmt.Errorf("--gpu only: %w", err)
	case err != nil:
		return err
	case c.JSON:
		return printJSON(a.out, report)
	}
	return report.Print(a.out)
}

// someSpeech is a sentence to measure with.
func someSpeech(ctx context.Context) (pcm []float32, err error) {
	voice, err := flite.Open(flite.Config{})
	if err != nil {
		return nil, err
	}
	const text = "set a timer for ten minutes, turn on the light in the kitchen, and call my brother"
	err = voice.Speak(ctx, engine.Phrase{Text: text, Voice: flite.Default, Speed: 1}, func(c engine.Chunk) error {
		pcm = append(pcm, c.PCM...)
		return nil
	})
	return pcm, err
}
