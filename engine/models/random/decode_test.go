//go:build cgo

package random_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/codec/codectest"
	"parley/engine"
	"parley/engine/whisper"
)

// TestTheLibraryDecodesIt has whisper.cpp load random models and decode speech
// with them: the sentence comes whole, ends, and is believed in, by finals and
// partials, free and after a forced beginning.
func TestTheLibraryDecodesIt(t *testing.T) {
	speech := codectest.Speech(t)
	for name, c := range configs(t) {
		slot := open(t, filepath.Join(folder(t), name))
		w := engine.Window{Audio: speech}
		want := strings.Fields(c.Text())
		final, err := slot.Final(t.Context(), w, nil)
		compare(t, "final", want, final.Words, err)
		if final.Confidence < 0.6 || final.Language != "en" {
			t.Errorf("final: confidence %.2f, language %q", final.Confidence, final.Language)
		}
		first, err := slot.Partial(t.Context(), w, nil)
		compare(t, "partial", want, first.Words, err)
		if len(first.Words) == len(want) {
			next, err := slot.Partial(t.Context(), w, engine.Prefix(first.Words[:5]))
			compare(t, "partial after five words", want, next.Words, err)
		}
	}
}

func open(t *testing.T, path string) *whisper.Slot {
	t.Helper()
	model, err := whisper.Load(whisper.Config{Path: path, Backends: os.Getenv("PARLEY_GGML_BACKENDS"), GPU: whisper.Off, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	slot, err := model.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := slot.Close(); err != nil {
			t.Error(err)
		}
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	})
	return slot
}

func compare(t *testing.T, what string, want []string, got []engine.Word, err error) {
	t.Helper()
	text := engine.Text(got)
	if err != nil || text != strings.Join(want, " ") {
		t.Errorf("%s: %v, heard %d words, not %d:\n%s\n%s", what, err, len(got), len(want), text, strings.Join(want, " "))
	}
}
