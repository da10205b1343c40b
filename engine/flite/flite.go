//go:build cgo

package flite

/*
#cgo LDFLAGS: -lflite_cmu_us_slt -lflite_cmu_us_rms -lflite_cmu_us_awb -lflite_cmu_us_kal -lflite_cmu_us_kal16 -lflite_usenglish -lflite_cmulex -lflite -lm
#include <stdlib.h>
#include "flite.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime/cgo"
	"strings"
	"sync"
	"time"
	"unsafe"

	"parley/engine"
)

// registered holds the library's voices, which live as long as the process.
var registered = sync.OnceValue(func() []unsafe.Pointer {
	voices := make([]unsafe.Pointer, len(catalogue))
	for i := range catalogue {
		voices[i] = C.parley_voice(C.int(i))
	}
	return voices
})

// Synth speaks with flite inside this process. It holds nothing to close.
type Synth struct {
	config Config
	voices []unsafe.Pointer // as in catalogue
}

var _ engine.Synthesizer = (*Synth)(nil)

// Open loads the voices.
func Open(c Config) (*Synth, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	voices := registered()
	for i, v := range voices {
		if v == nil {
			return nil, fmt.Errorf("flite: voice %s does not load: %w", catalogue[i].ID, engine.ErrUnavailable)
		}
	}
	return &Synth{c.withDefaults(), voices}, nil
}

// Speak implements engine.Synthesizer. Chunks are 20 to 30 ms long. Text that
// an American English voice cannot say is left out; where nothing remains there
// is no audio and no error. Speech longer than Config.MaxDuration ends there
// with ErrTooLong.
func (s *Synth) Speak(ctx context.Context, p engine.Phrase, emit func(engine.Chunk) error) error {
	index, err := find(p)
	if err != nil {
		return err
	}
	t := &take{ctx: ctx, emit: emit, limit: s.config.MaxDuration}
	for _, piece := range simplify(p.Text).pieces() {
		if err := t.say(s.voices[index], piece, p.Speed, catalogue[index].Rate/50-1); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// take is one call of Speak. The library calls back on the calling thread, so
// nothing here is shared.
type take struct {
	ctx   context.Context
	emit  func(engine.Chunk) error
	limit time.Duration

	piece  plain
	cursor int           // bytes of piece.text whose tokens are known
	start  time.Duration // of the piece, from the start of the phrase
	at     time.Duration // end of what was emitted
	marks  []engine.Mark // not yet emitted
	err    error
}

func (t *take) say(voice unsafe.Pointer, piece plain, speed float64, chunk int) error {
	if err := context.Cause(t.ctx); err != nil {
		return err
	}
	t.piece, t.cursor, t.start = piece, 0, t.at
	text := C.CString(piece.text)
	defer C.free(unsafe.Pointer(text))
	handle := cgo.NewHandle(t)
	defer handle.Delete()
	rc := C.parley_speak(voice, text, C.float(1/speed), C.int(chunk), C.uintptr_t(handle))
	if t.err == nil && rc != 0 {
		return errors.New("flite: synthesis failed")
	}
	return t.err
}

//export parleyFliteToken
func parleyFliteToken(handle C.uintptr_t, name *C.char, seconds C.float) {
	t := cgo.Handle(handle).Value().(*take)
	word := C.GoString(name)
	i := strings.Index(t.piece.text[t.cursor:], word)
	if i < 0 || word == "" {
		return
	}
	from := t.cursor + i
	t.cursor = from + len(word)
	t.marks = append(t.marks, engine.Mark{
		From: t.piece.source[from],
		To:   t.piece.source[t.cursor-1] + 1,
		At:   t.start + time.Duration(float64(seconds)*float64(time.Second)),
	})
}

//export parleyFliteChunk
func parleyFliteChunk(handle C.uintptr_t, samples *C.short, n, rate C.int) C.int {
	t := cgo.Handle(handle).Value().(*take)
	if t.err = context.Cause(t.ctx); t.err == nil && n > 0 {
		t.err = t.chunk(unsafe.Slice((*int16)(unsafe.Pointer(samples)), int(n)), int(rate))
	}
	if t.err != nil {
		return 1
	}
	return 0
}

func (t *take) chunk(samples []int16, rate int) error {
	room := int(int64(t.limit-t.at) * int64(rate) / int64(time.Second))
	tooLong := len(samples) > room
	samples = samples[:min(len(samples), max(room, 0))]
	pcm := make([]float32, len(samples))
	for i, v := range samples {
		pcm[i] = float32(v) / (1 << 15)
	}
	t.at += time.Duration(len(pcm)) * time.Second / time.Duration(rate)
	n := 0
	for n < len(t.marks) && t.marks[n].At < t.at {
		n++
	}
	marks := t.marks[:n:n]
	t.marks = t.marks[n:]
	if len(pcm) > 0 {
		if err := t.emit(engine.Chunk{PCM: pcm, Rate: rate, Marks: marks}); err != nil {
			return err
		}
	}
	if tooLong {
		return fmt.Errorf("flite: %w: %v", ErrTooLong, t.limit)
	}
	return nil
}
