package native

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrameLayout(t *testing.T) {
	f := Frame{Kind: 1, Flags: 9, Stream: 0x8002, Seq: 0x01020304, PTS: 0x05060708090a0b0c, Payload: []byte{0xaa}}
	const want = "01098002" + "01020304" + "05060708090a0b0c" + "aa"
	if got := hex.EncodeToString(AppendFrame(nil, f)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFrameRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		f := Frame{
			Kind: uint8(r.Uint32()), Flags: uint8(r.Uint32()), Stream: uint16(r.Uint32()), Seq: r.Uint32(), PTS: r.Uint64(),
			Payload: make([]byte, r.IntN(64)),
		}
		for i := range f.Payload {
			f.Payload[i] = byte(r.Uint32())
		}
		prefix := []byte("kept")
		b := AppendFrame(prefix, f)
		if !bytes.HasPrefix(b, prefix) {
			t.Fatal("AppendFrame lost what was there")
		}
		got, err := ParseFrame(b[len(prefix):])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(AppendFrame(nil, Frame{Kind: 1, Stream: 3, Payload: []byte("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := ParseFrame(b)
		if (err != nil) != (len(b) < HeaderSize) {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		if err == nil && !bytes.Equal(AppendFrame(nil, frame), b) {
			t.Fatalf("%x came back as %x", b, AppendFrame(nil, frame))
		}
	})
}
