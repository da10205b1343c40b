//go:build cgo

package whisper

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
)

// TestLive hears sentences as they are spoken, a partial every 400 ms: part of
// the text is promised before the end, and the final begins with it.
func TestLive(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	early, wrong, all := 0, 0, 0
	for i, text := range []string{domain[5], domain[6], domain[13], domain[16]} {
		audio := speak(t, []string{"slt", "rms"}[i%2], text)
		var live engine.Live
		var stable, tail []engine.Word
		for n := codec.SpeechRate / 2; n < len(audio); n += codec.SpeechRate * 2 / 5 {
			h, err := s.Partial(context.Background(), engine.Window{Audio: audio[:n]}, live.Prefix())
			if err != nil {
				t.Fatal(err)
			}
			stable, tail = live.Update(h, codec.Duration(n, codec.SpeechRate))
			t.Logf("%4v %q | %q", codec.Duration(n, codec.SpeechRate).Round(10*time.Millisecond), engine.Text(stable), engine.Text(tail))
		}
		f, err := s.Final(context.Background(), engine.Window{Audio: audio}, live.Prefix())
		if err != nil {
			t.Fatal(err)
		}
		done := live.Finish(f)
		t.Logf("final %q", engine.Text(done.Words))
		if !strings.HasPrefix(engine.Text(done.Words), engine.Text(stable)) {
			t.Errorf("%q does not begin with %q", engine.Text(done.Words), engine.Text(stable))
		}
		bad, n := errorsIn(text, plain(done.Words))
		early, wrong, all = early+len(stable), wrong+bad, all+n
	}
	if early < all/5 || wrong > all/3 {
		t.Errorf("of %d words %d were promised before the end and %d are wrong", all, early, wrong)
	}
}
