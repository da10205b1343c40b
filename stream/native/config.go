package native

import (
	"parley/codec"
	"parley/engine"
	"parley/stream"
	"parley/vad"
)

func (d *decoder) start(o object, r stream.Request) stream.Command {
	patch := d.patch(o)
	framing := framingHeader
	if patch.FramingInput == nil {
		patch.FramingInput = &framing
	}
	if patch.FramingOutput == nil {
		patch.FramingOutput = &framing
	}
	_, resuming := o.nested("resume")
	if o.fault.err == nil && !d.started {
		d.started = true
		d.framing = stream.Framing{Input: *patch.FramingInput, Output: *patch.FramingOutput}
		d.learn(patch)
	}
	return stream.Start{Request: r, Patch: patch, Resuming: resuming}
}

func (d *decoder) update(o object, r stream.Request) stream.Command {
	patch := d.patch(o)
	fixed := func(name string, now *string, begun string) {
		if now != nil && d.started && *now != begun {
			o.wrong(name, "%q, but the session began with %q", *now, begun)
		}
	}
	fixed("input.framing", patch.FramingInput, d.framing.Input)
	fixed("output.framing", patch.FramingOutput, d.framing.Output)
	if o.fault.err == nil {
		d.learn(patch)
	}
	return stream.Update{Request: r, Patch: patch}
}

// learn keeps the formats that a later message may name in part.
func (d *decoder) learn(p stream.Patch) {
	d.input = or(p.Input, d.input)
	d.output = or(p.Output, d.output)
}

// patch reads the configuration in session.start and session.update. Fields
// without a meaning yet (responder, features, tts.model) are ignored.
func (d *decoder) patch(o object) stream.Patch {
	var p stream.Patch
	if in, ok := o.nested("input"); ok {
		p.Input = in.format(d.input, inputDefault)
		p.FramingInput = in.framing()
	}
	if out, ok := o.nested("output"); ok {
		p.Output = out.format(d.output, outputDefault)
		p.FramingOutput = out.framing()
		p.Lead = out.millis("lead_ms")
	}
	asr, _ := o.nested("asr")
	p.Model = asr.word("model", maxName)
	p.Language = asr.word("language", maxName)
	p.Task = (*engine.Task)(asr.word("task", maxName))
	p.Prompt = asr.text("prompt")
	p.Keywords = asr.texts("keywords")
	p.Words = asr.boolean("words")
	p.Partials = (*stream.Partials)(asr.word("partials", maxName))
	p.Final = (*stream.FinalPolicy)(asr.word("final", maxName))

	v, _ := o.nested("vad")
	p.VADMode = (*vad.Mode)(v.word("mode", maxName))
	if t := v.number("threshold"); t != nil {
		threshold := float32(*t)
		p.Threshold = &threshold
	}
	p.PrefixMS = v.integer("prefix_ms")
	p.SilenceMS = v.integer("silence_ms")
	p.MaxUtterance = v.integer("max_utterance_ms")
	p.Eager = v.number("eager")
	p.Patience = v.millis("patience_ms")

	tts, _ := o.nested("tts")
	p.Voice = tts.word("voice", maxName)
	p.Speed = tts.number("speed")
	p.Interrupt = (*stream.Interrupt)(o.word("interrupt", maxName))
	return p
}

func inputDefault(e codec.Encoding) codec.Format {
	switch e {
	case codec.OggOpus, codec.WebMOpus, codec.WAV, codec.Auto:
		return codec.Format{Encoding: e}
	case codec.PCM16, codec.PCMFloat:
		return codec.Format{Encoding: e, Rate: 16000, Channels: 1}
	case codec.MuLaw, codec.ALaw:
		return codec.Format{Encoding: e, Rate: 8000, Channels: 1}
	default:
		return codec.Format{Encoding: e, Rate: 48000, Channels: 1}
	}
}

func outputDefault(e codec.Encoding) codec.Format {
	f := stream.DefaultConfig().Output
	f.Encoding = e
	if e == codec.MuLaw {
		f.Rate = 8000
	}
	return f
}

// format completes what the client says of its audio: where it names a codec
// other than that of base, from the codec's defaults, else from base. It is
// nil where the client says nothing.
func (o object) format(base codec.Format, defaults func(codec.Encoding) codec.Format) *codec.Format {
	name, rate, channels := o.word("codec", maxName), o.integer("rate"), o.integer("channels")
	if name == nil && rate == nil && channels == nil {
		return nil
	}
	f := base
	if name != nil && codec.Encoding(*name) != base.Encoding {
		f = defaults(codec.Encoding(*name))
	}
	f.Rate = or(rate, f.Rate)
	f.Channels = or(channels, f.Channels)
	return &f
}

func (o object) framing() *string {
	f := o.word("framing", maxName)
	if f != nil && *f != framingHeader && *f != framingBare {
		o.wrong("framing", "%q is not %s or %s", *f, framingHeader, framingBare)
		return nil
	}
	return f
}

// echo is the effective configuration in the shape of session.start.
func echo(c stream.Config) config {
	return config{
		Input: inputConfig{
			Codec:    string(c.Input.Encoding),
			Rate:     c.Input.Rate,
			Channels: c.Input.Channels,
			Framing:  framingOf(c.Framing.Input),
		},
		Output: outputConfig{
			Codec:   string(c.Output.Encoding),
			Rate:    c.Output.Rate,
			Framing: framingOf(c.Framing.Output),
			LeadMS:  c.Lead.Milliseconds(),
		},
		ASR: asrConfig{
			Model:    c.Model,
			Language: c.Language,
			Task:     string(c.Task),
			Prompt:   c.Prompt,
			Keywords: append([]string{}, c.Keywords...),
			Words:    c.Words,
			Partials: string(c.Partials),
			Final:    string(c.Final),
		},
		VAD: vadConfig{
			Mode:           string(c.VAD.Mode),
			Threshold:      c.VAD.Threshold,
			PrefixMS:       c.VAD.PrefixMS,
			SilenceMS:      c.VAD.SilenceMS,
			MaxUtteranceMS: c.VAD.MaxUtteranceMS,
			Eager:          c.Turn.Eager,
			PatienceMS:     c.Turn.Patience.Milliseconds(),
		},
		TTS:       ttsConfig{Voice: c.Voice, Speed: c.Speed},
		Interrupt: string(c.Interrupt),
	}
}

// framingOf is header where no session.start of this dialect chose.
func framingOf(f string) string {
	if f == "" {
		return framingHeader
	}
	return f
}
