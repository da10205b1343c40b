package native

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/stream"
)

// judge holds what Decode made of a message against what it promises.
func judge(t *testing.T, cmds []stream.Command, err error) {
	t.Helper()
	if err != nil {
		e, ok := errors.AsType[*stream.Error](err)
		if !ok || e.Message == "" || e.Code == "" {
			t.Fatalf("%#v is no error for a client", err)
		}
		if len(cmds) != 0 {
			t.Fatalf("commands %v beside error %v", cmds, err)
		}
		return
	}
	if len(cmds) > 1 {
		t.Fatalf("%d commands of one message", len(cmds))
	}
}

func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{
		`{"type":"session.start","input":{"codec":"opus","rate":48000},"vad":{"threshold":0.5}}`,
		`{"type":"session.update","asr":{"final":"best"},"vad":{"eager":0.7,"patience_ms":900}}`,
		`{"type":"session.start","vad":{"eager":-1e-9,"patience_ms":5001}}`,
		`{"type":"speak","speech":"a","text":"\ud800","more":true}`,
		`{"type":"playback","speech":"a","played_us":1e3}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cmds, err := newDialect().Decode(text(s))
		judge(t, cmds, err)
		again, err2 := newDialect().Decode(text(s))
		if diff := cmp.Diff(cmds, again); diff != "" || (err == nil) != (err2 == nil) {
			t.Fatalf("two dialects read the same differently:\n%s", diff)
		}
		for _, cmd := range cmds {
			if sp, ok := cmd.(stream.Speak); ok && (!utf8.ValidString(sp.Text) || sp.Speech == "") {
				t.Fatalf("speak without an id or with text that is not UTF-8: %+v", sp)
			}
		}
	})
}

func FuzzDecodeBinary(f *testing.F) {
	f.Add(AppendFrame(nil, Frame{Kind: KindAudio, Payload: []byte{0xfc, 0xff}}), false)
	f.Add([]byte("OggS"), true)
	f.Fuzz(func(t *testing.T, b []byte, bare bool) {
		input := `{}`
		if bare {
			input = `{"framing":"bare"}`
		}
		cmds, err := begun(t, input).Decode(stream.Message{Kind: stream.Binary, Payload: b})
		judge(t, cmds, err)
		for _, cmd := range cmds {
			a, ok := cmd.(stream.Audio)
			if !ok || a.HasSeq == bare || a.PTS < 0 || a.Stream&ServerStream != 0 {
				t.Fatalf("%x became %+v", b, cmd)
			}
		}
	})
}
