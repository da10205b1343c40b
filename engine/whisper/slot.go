//go:build cgo

package whisper

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	lib "github.com/ggerganov/whisper.cpp/bindings/go"

	"parley/codec"
	"parley/engine"
)

var _ engine.Slot = (*Slot)(nil)

// Slot is one place to decode. It holds two states of the library: attention
// over an encoder length that is no multiple of 256 reads what an earlier, longer
// or shorter run left behind, so partials only use such lengths and finals,
// whose length is the model's own, have a state that never ran another one.
type Slot struct {
	model   *Model
	partial *state
	final   *state
	closed  bool
}

func newSlot(m *Model) (*Slot, error) {
	s := &Slot{model: m}
	var err error
	if s.partial, err = m.weights.newState(); err != nil {
		return nil, err
	}
	if s.final, err = m.weights.newState(); err != nil {
		s.partial.free()
		return nil, err
	}
	if err := s.warm(); err != nil {
		s.partial.free()
		s.final.free()
		return nil, err
	}
	return s, nil
}

// warm runs the state of partials once, so that a machine that cannot decode is
// found out at start; on a graphics card, which compiles its programs now, both.
func (s *Slot) warm() error {
	hum := make([]float32, codec.SpeechRate)
	for i := range hum {
		hum[i] = float32(i%160)/800 - 0.1
	}
	states := map[*state]int{s.partial: shortest}
	if s.model.device.Type == Graphics {
		states[s.final] = 0
	}
	for st, encoder := range states {
		j := &job{pcm: padded(hum), params: s.params(engine.Window{}, false, encoder, time.Second)}
		if _, _, _, err := st.decode(context.Background(), j); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the slot's memory. It must not be called during a decode; a
// second call is nothing.
func (s *Slot) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.partial.free()
	s.final.free()
	s.model.left()
	return nil
}

// decode hears a window with the library's own decoder, which is free.
func (s *Slot) decode(ctx context.Context, w engine.Window, final bool) (engine.Transcript, error) {
	q, err := s.ask(ctx, w)
	if err != nil || q.nothing {
		return engine.Transcript{Language: w.Language}, err
	}
	st, j := s.job(w, q, final)
	tokens, _, spoken, err := st.decode(ctx, j)
	drain(s.model.config.Log)
	if err != nil {
		return engine.Transcript{}, err
	}
	heard := guard(tokens, q.length, q.level, final)
	return engine.Transcript{Words: heard, Language: spoken, Confidence: engine.Confidence(heard)}, nil
}

// state is the one for an encoder of a length, 0 being the model's own.
func (s *Slot) state(encoder int) *state {
	if encoder == 0 {
		return s.final
	}
	return s.partial
}

// question is what is known of a window before it is decoded.
type question struct {
	language int // id, -1 to detect
	length   time.Duration
	level    sound
	nothing  bool // there is nothing to be heard
}

// ask checks a window and listens whether there is anything in it.
func (s *Slot) ask(ctx context.Context, w engine.Window) (q question, err error) {
	if s.closed {
		return q, fmt.Errorf("whisper: %w: the slot is closed", engine.ErrUnavailable)
	}
	if ctx.Err() != nil {
		return q, context.Cause(ctx)
	}
	if q.language, err = s.model.language(w); err != nil {
		return q, err
	}
	if q.level, err = listen(w.Audio); err != nil {
		return q, err
	}
	q.length = codec.Duration(len(w.Audio), codec.SpeechRate)
	q.nothing = q.level.silent() || q.level.steady
	return q, nil
}

// language is the id of the language asked for, -1 to detect it.
func (m *Model) language(w engine.Window) (int, error) {
	if w.Task != "" && w.Task != engine.Transcribe && w.Task != engine.Translate {
		return 0, fmt.Errorf("whisper: unknown task %q", w.Task)
	}
	if w.Task == engine.Translate && !m.multilingual {
		return 0, errors.New("whisper: this model knows English only and cannot translate")
	}
	if w.Language == "" {
		if m.multilingual {
			return -1, nil
		}
		return m.languages["en"], nil
	}
	id, ok := m.languages[w.Language]
	if !ok {
		return 0, fmt.Errorf("whisper: %w: %q", engine.ErrUnknownLanguage, w.Language)
	}
	return id, nil
}

func (s *Slot) params(w engine.Window, final bool, encoder int, length time.Duration) lib.Params {
	p := s.model.weights.info.Whisper_full_default_params(lib.SAMPLING_GREEDY)
	p.SetThreads(max(1, s.model.config.Threads))
	p.SetTranslate(w.Task == engine.Translate)
	p.SetNoContext(true)
	p.SetPrintProgress(false)
	p.SetPrintTimestamps(false)
	p.SetTokenTimestamps(final)
	p.SetAudioCtx(encoder)
	p.SetTemperature(0)
	if final {
		p.SetTemperatureFallback(retryStep)
	} else {
		p.SetTemperatureFallback(0)
	}
	p.SetSingleSegment(encoder > 0)
	p.SetMaxTokensPerSegment(maxTokens(length))
	return p
}

// retryStep is the temperature added where a decode fails the thresholds: the
// library goes on below 1, so there are two retries, at 0.4 and 0.8.
const retryStep = 0.4

// shortest encoder in steps of 20 ms, and what all of the partials' are whole
// multiples of.
const shortest = 256

// encoder is the length that covers a window and a little after its last word;
// 0, the model's own, where none does or where it hears better with that.
func (m *Model) encoder(length time.Duration, final bool) int {
	if final && !m.config.Short {
		return 0
	}
	least := 2 * shortest
	if m.config.Short {
		least = shortest
	}
	for n := least; n <= 5*shortest; n += shortest {
		if length+600*time.Millisecond <= time.Duration(n)*20*time.Millisecond {
			return n
		}
	}
	return 0
}

// prompt is the end of a text, which is what counts, no longer than the library
// can take apart safely.
func prompt(text string) string {
	const most = 800 // bytes
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", " ")
}

// padded gives a short window silence up to what the library takes.
func padded(audio []float32) []float32 {
	const least = codec.SpeechRate * 11 / 10
	if len(audio) >= least {
		return audio
	}
	p := make([]float32, least)
	copy(p, audio)
	return p
}
