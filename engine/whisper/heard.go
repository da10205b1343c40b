//go:build cgo

package whisper

import (
	"slices"
	"strings"
	"unicode/utf8"

	"parley/engine"
)

// heard is what is kept of an utterance from one partial to the next.
type heard struct {
	model    *Model
	spectrum spectrum
	ids      []int32 // tokens of the text it was heard to be
}

// recall takes what is known of a window's audio, nothing where there is none or
// where it was another model's.
func (m *Model) recall(w engine.Window) *heard {
	if h, ok := w.Memo.Take().(*heard); ok && h.model == m {
		return h
	}
	return &heard{model: m, spectrum: spectrum{filters: m.weights.filters}}
}

// tokens are those of a text: as far as it is what was heard the decoder's own,
// which the library's way to divide a text often misses, by far where letters
// have accents.
func (h *heard) tokens(text string) []int32 {
	n, rest := 0, text
	for k, left := 0, text; k < len(h.ids); {
		said := h.model.weights.text(h.ids[k])
		if !strings.HasPrefix(left, said) {
			break
		}
		left = left[len(said):]
		if k++; begins(left) {
			n, rest = k, left
		}
	}
	return append(slices.Clone(h.ids[:n]), h.model.weights.tokenize(rest)...)
}

// begins says whether a text begins with another word than the one before it.
func begins(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return text == "" || first == ' ' || unspaced(first)
}
