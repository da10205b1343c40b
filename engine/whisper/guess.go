//go:build cgo

package whisper

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// ending is why a greedy decode stopped.
type ending int

const (
	ended  ending = C.PARLEY_END   // the decoder said so
	looped ending = C.PARLEY_LOOP  // it only repeated itself; the repetitions are left out
	cut    ending = C.PARLEY_LIMIT // it made as many tokens as were asked for
)

// guess is one greedy decode and what came of it.
type guess struct {
	pcm            []float32 // not empty
	spectrum       *spectrum // of pcm as far as it is known; nil: the library makes its own
	encoder        int       // length; 0 for the model's own
	threads        int
	language       int // id, -1 to detect; the one used afterwards
	translate      bool
	before, prefix []int32   // tokens
	most           int       // new tokens
	again          bool      // pcm is still encoded
	logits         []float32 // where those of each step are copied to, or nil

	likely  float32 // probability of the language, set where it is detected
	ids     []int32 // the new tokens
	stopped ending
}

// guess decodes what follows the prefix. It returns soon after ctx is done, with
// its cause.
func (s *state) guess(ctx context.Context, g *guess) ([]token, string, error) {
	out := make([]C.struct_parley_token, g.most)
	c := C.struct_parley_guess{
		samples: C.int(len(g.pcm)), encoder: C.int(g.encoder), threads: C.int(g.threads), language: C.int(g.language), language_p: C.float(g.likely),
		translate: C.bool(g.translate), again: C.bool(g.again), most: C.int(g.most), cancel: s.cancel,
		n_before: C.int(len(g.before)), n_prefix: C.int(len(g.prefix)), n_banned: C.int(len(s.w.mute)),
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	c.before, c.prefix, c.banned = ids(&pin, g.before), ids(&pin, g.prefix), ids(&pin, s.w.mute)
	c.logits = floats(&pin, g.logits)
	if g.spectrum != nil && !g.again {
		c.mel = g.spectrum.extend(&pin, len(g.pcm))
		s.window = room(s.window, s.w.filters.bands()*2*s.w.positions(g.encoder))
		c.window = floats(&pin, s.window)
	}
	n := 0
	err := s.until(ctx, func() int {
		n = int(C.parley_guess(s.w.ctx, s.ptr, &c, (*C.float)(&g.pcm[0]), &out[0]))
		return min(n, 0)
	})
	if c.window != nil {
		g.spectrum.keep(&c.mel, len(g.pcm))
	}
	if err != nil {
		return nil, "", err
	}
	g.language, g.likely, g.stopped = int(c.language), float32(c.language_p), ending(c.stop)
	g.ids = g.ids[:0]
	for _, t := range out[:n] {
		g.ids = append(g.ids, int32(t.id))
	}
	return s.w.texts(out[:n]), C.GoString(C.whisper_lang_str(c.language)), nil
}

// setMel gives the library the spectrogram of a window of so many frames, by our
// means or, where the spectrum is nil, its own.
func (s *state) setMel(spectrum *spectrum, pcm []float32, length int) int {
	if spectrum == nil {
		return int(C.whisper_pcm_to_mel_with_state(s.w.ctx, s.ptr, (*C.float)(&pcm[0]), C.int(len(pcm)), 1))
	}
	window := spectrum.scaled(pcm, length)
	return int(C.whisper_set_mel_with_state(s.w.ctx, s.ptr, (*C.float)(&window[0]), C.int(length), C.int(spectrum.filters.bands())))
}

// positions is the length of the encoder, the model's own for 0.
func (w *weights) positions(encoder int) int {
	if encoder > 0 {
		return encoder
	}
	return int(C.whisper_n_audio_ctx(w.ctx))
}

func ids(pin *runtime.Pinner, s []int32) *C.int32_t {
	if len(s) == 0 {
		return nil
	}
	pin.Pin(&s[0])
	return (*C.int32_t)(unsafe.Pointer(&s[0]))
}

func floats(pin *runtime.Pinner, s []float32) *C.float {
	if len(s) == 0 {
		return nil
	}
	pin.Pin(&s[0])
	return (*C.float)(unsafe.Pointer(&s[0]))
}

// pick is the likeliest token up to eot that is not among the banned, and how
// likely it is among those. It writes to the logits.
func pick(logits []float32, banned []int32, eot int) (id int, p, logp float32) {
	var pin runtime.Pinner
	defer pin.Unpin()
	t := C.parley_pick((*C.float)(&logits[0]), ids(&pin, banned), C.int(len(banned)), C.int(eot))
	return int(t.id), float32(t.p), float32(t.plog)
}

// loops counts the tokens at the end of a text that only repeat those before.
func loops(text []int32) int {
	if len(text) == 0 {
		return 0
	}
	return int(C.parley_looped((*C.int32_t)(&text[0]), C.int(len(text))))
}
