package speech

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"parley/engine"
)

// Voices is an engine.Synthesizer made of several.
type Voices struct {
	list    []engine.Voice
	synths  map[string]engine.Synthesizer // by voice ID
	matcher language.Matcher              // over list
}

var _ engine.Synthesizer = (*Voices)(nil)

// NewVoices joins synthesisers; of voices with the same ID the first counts.
// def is the ID of the voice for those who name none; where it is not there,
// the first voice is.
func NewVoices(def string, synths ...engine.Synthesizer) *Voices {
	v := &Voices{synths: map[string]engine.Synthesizer{}}
	for _, s := range synths {
		for _, voice := range s.Voices() {
			if v.synths[voice.ID] == nil {
				v.synths[voice.ID] = s
				v.list = append(v.list, voice)
			}
		}
	}
	if i := slices.IndexFunc(v.list, func(voice engine.Voice) bool { return voice.ID == def }); i > 0 {
		first := v.list[i]
		v.list = slices.Insert(slices.Delete(v.list, i, i+1), 0, first)
	}
	var tags []language.Tag
	for _, voice := range v.list {
		tags = append(tags, language.Make(voice.Language))
	}
	v.matcher = language.NewMatcher(tags)
	return v
}

// Voices implements engine.Synthesizer. The first is the default.
func (v *Voices) Voices() []engine.Voice { return slices.Clone(v.list) }

// Speak implements engine.Synthesizer.
func (v *Voices) Speak(ctx context.Context, p engine.Phrase, emit func(engine.Chunk) error) error {
	s := v.synths[p.Voice]
	if s == nil {
		return fmt.Errorf("%w %q", engine.ErrUnknownVoice, p.Voice)
	}
	return s.Speak(ctx, p, emit)
}

// Find chooses a voice. A voice asked for wins: by its ID ("flite/slt"), its
// bare name ("slt") or a language ("de"). Else the best voice for the language
// (BCP 47), else the default. What is not there is engine.ErrUnknownVoice.
func (v *Voices) Find(voice, lang string) (engine.Voice, error) {
	switch {
	case len(v.list) == 0:
		return engine.Voice{}, fmt.Errorf("%w: there are no voices: %w", engine.ErrUnknownVoice, engine.ErrUnavailable)
	case voice != "":
		for _, want := range []func(id string) bool{
			func(id string) bool { return strings.EqualFold(id, voice) },
			func(id string) bool { return strings.EqualFold(id[strings.LastIndexByte(id, '/')+1:], voice) },
		} {
			if i := slices.IndexFunc(v.list, func(e engine.Voice) bool { return want(e.ID) }); i >= 0 {
				return v.list[i], nil
			}
		}
		if e, ok := v.speaks(voice); ok && !strings.Contains(voice, "/") {
			return e, nil
		}
		return engine.Voice{}, fmt.Errorf("%w %q", engine.ErrUnknownVoice, voice)
	case lang != "":
		if e, ok := v.speaks(lang); ok {
			return e, nil
		}
		return engine.Voice{}, fmt.Errorf("%w for language %q: %w", engine.ErrUnknownVoice, lang, engine.ErrUnknownLanguage)
	}
	return v.list[0], nil
}

// speaks finds the voice whose language is nearest to lang: the same language,
// if possible of the same region. That many who read the one understand the
// other is not enough.
func (v *Voices) speaks(lang string) (engine.Voice, bool) {
	tag, err := language.All.Parse(lang)
	if err != nil {
		return engine.Voice{}, false
	}
	_, i, _ := v.matcher.Match(tag)
	return v.list[i], base(v.list[i].Language) == base(lang)
}

// base is the language without region and script, by its main name: "zh" for
// "cmn-Latn".
func base(lang string) language.Base {
	tag, _ := language.All.Parse(lang)
	b, _ := tag.Base()
	return b
}
