package main

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"parley/cmd/internal/choose"
	"parley/cmd/internal/config"
	"parley/cmd/internal/local"
	"parley/cmd/internal/native"
	"parley/cmd/internal/parts"
	"parley/codec/formats"
	"parley/engine/speech"
	"parley/engine/whisper"
	"parley/stream/session"
)

// chooser is how commands find their model.
func (a *app) chooser(m config.Models, paths native.Paths) choose.Chooser {
	return choose.Chooser{
		Store:   choose.NewStore(m),
		Bundled: paths.BundledModel,
		Tried:   paths.Tried[native.BundledModel],
		Progress: func(name string) (func(int64, int64), func()) {
			bar := newProgress(a.err, -1, name)
			return bar.set, bar.close
		},
		Tell: a.notice,
	}
}

// works is all that sessions need, opened.
type works struct {
	model   choose.Choice
	hearing *parts.Hearing
	voices  *speech.Voices
	slots   int
	turn    string // file name of the end-of-turn model, "" without one
}

// open chooses the model and opens hearing and voices.
func (a *app) open(ctx context.Context, rec config.Recognition, voice string, metrics prometheus.Registerer) (*works, error) {
	paths := native.Find()
	model, err := a.chooser(rec.Models, paths).Choose(ctx, rec)
	if err != nil {
		return nil, err
	}
	if model.Notice != "" {
		a.notice("%s", model.Notice)
	}
	voices, err := parts.OpenVoices(ctx, voice, a.log)
	if err != nil {
		return nil, err
	}
	slots, threads := rec.Share(config.Cores())
	hearing, err := parts.OpenHearing(parts.HearingConfig{
		Paths: paths, Model: model.Path, Short: model.Short, Slots: slots, Threads: threads, GPU: whisper.GPU(rec.GPU),
		Queue: queue, Naive: rec.Policy == config.PolicyNaive, Metrics: metrics, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	a.log.Info().Str("model", model.Name).Str("device", hearing.Device.Name).Str("type", string(hearing.Device.Type)).
		Int("slots", slots).Int("threads", threads).Msg("model loaded")
	return &works{model: model, hearing: hearing, voices: voices, slots: slots}, nil
}

// queue is how many decodes may wait for a slot.
const queue = 256

func (w *works) services() session.Services {
	services := session.Services{
		Recognizer:  w.hearing.Recognizer,
		Voices:      w.voices,
		NewDetector: w.hearing.NewDetector,
		NewDecoder:  formats.NewCentredDecoder,
		NewEncoder:  formats.NewEncoder,
		Model:       session.Model{Name: w.model.Name, Languages: w.hearing.Languages},
	}
	if w.hearing.Turn != nil {
		services.Turn = w.hearing.Turn
	}
	return services
}

// openEar makes a hub for files.
func openEar(ctx context.Context, a *app, rec config.Recognition) (*ear, error) {
	quiet := *a
	quiet.log = a.log.Level(max(a.log.GetLevel(), 2)) // a tool tells warnings, not what it does
	w, err := quiet.open(ctx, rec, "", nil)
	if err != nil {
		return nil, err
	}
	hub, err := session.NewHub(session.Config{Services: w.services(), Limits: local.Limits(), MaxSessions: 1, Log: quiet.log})
	if err != nil {
		return nil, errors.Join(err, w.hearing.Close())
	}
	return &ear{hub: hub, model: w.model.Name, close: w.hearing.Close, ahead: 2 * w.slots}, nil
}
