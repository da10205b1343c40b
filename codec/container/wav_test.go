package container_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/codec/container"
)

// chunk makes a RIFF chunk, padded to an even length.
func chunk(id string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func fmtChunk(tag, channels, rate, bits int, extra ...byte) []byte {
	align := channels * bits / 8
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*align))
	b = binary.LittleEndian.AppendUint16(b, uint16(align))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	return chunk("fmt ", append(b, extra...))
}

// extensible is what follows the plain fields: its size, valid bits, speakers
// and the sub-format.
func extensible(tag byte, tail string) []byte {
	return append([]byte{22, 0, 16, 0, 4, 0, 0, 0, tag, 0}, tail...)
}

const guid = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return chunk("RIFF", body)
}

// endless gives the data chunk of b another size.
func endless(b []byte, size uint32) []byte {
	at := bytes.LastIndex(b, []byte("data"))
	binary.LittleEndian.PutUint32(b[at+4:], size)
	return b
}

func readWAV(b []byte, rng *rand.Rand) (pcm []float32, rate int, err error) {
	w := container.NewWAV()
	for len(b) > 0 && err == nil {
		n := len(b)
		if rng != nil {
			n = min(n, rng.IntN(30))
		}
		pcm, err = w.Push(pcm, b[:n])
		b = b[n:]
	}
	if err == nil {
		err = w.End()
	}
	return pcm, w.Rate(), err
}

func TestWAVReads(t *testing.T) {
	s16 := []byte{0, 0x40, 0, 0xc0}
	want := []float32{0.5, -0.5}
	for _, tc := range []struct {
		name string
		in   []byte
		want []float32
	}{
		{"s16", riff(fmtChunk(1, 1, 16000, 16), chunk("data", s16)), want},
		{"u8", riff(fmtChunk(1, 1, 16000, 8), chunk("data", []byte{192, 64})), want},
		{"s24", riff(fmtChunk(1, 1, 16000, 24), chunk("data", []byte{0, 0, 0x40, 0, 0, 0xc0})), want},
		{"s32", riff(fmtChunk(1, 1, 16000, 32), chunk("data", []byte{0, 0, 0, 0x40, 0, 0, 0, 0xc0})), want},
		{"f32", riff(fmtChunk(3, 1, 16000, 32), chunk("data", codec.AppendPCMFloat(nil, want))), want},
		{"f64", riff(fmtChunk(3, 1, 16000, 64), chunk("data", []byte{0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf})), want},
		{"mu-law", riff(fmtChunk(7, 1, 16000, 8, 0, 0), chunk("fact", make([]byte, 4)), chunk("data", []byte{0xff, 0xff})), []float32{0, 0}},
		{"A-law", riff(fmtChunk(6, 1, 16000, 8, 0, 0), chunk("data", []byte{0xd5, 0x55})), []float32{8. / 32768, -8. / 32768}},
		{"stereo", riff(fmtChunk(1, 2, 16000, 16), chunk("data", append(bytes.Clone(s16), s16...))), []float32{0, 0}},
		{"extensible", riff(fmtChunk(0xfffe, 1, 16000, 16, extensible(1, guid)...), chunk("data", s16)), want},
		{"extensible float", riff(fmtChunk(0xfffe, 1, 16000, 32, extensible(3, guid)...), chunk("data", codec.AppendPCMFloat(nil, want))), want},
		{"unknown chunks", riff(chunk("JUNK", make([]byte, 33)), fmtChunk(1, 1, 16000, 16), chunk("LIST", []byte("odd")), chunk("data", s16), chunk("id3 ", make([]byte, 9))), want},
		{"size 0xffffffff", endless(riff(fmtChunk(1, 1, 16000, 16), chunk("data", s16)), 0xffffffff), want},
		{"size 0x7ffff000", endless(riff(fmtChunk(1, 1, 16000, 16), chunk("data", s16)), 0x7ffff000), want},
		{"size 0", endless(riff(fmtChunk(1, 1, 16000, 16), chunk("data", s16)), 0), want},
		{"no samples", riff(fmtChunk(1, 1, 16000, 16), chunk("data", nil)), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(6, 6))
			for range 20 {
				got, rate, err := readWAV(tc.in, rng)
				if err != nil || rate != 16000 {
					t.Fatalf("%d Hz, %v", rate, err)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
}

func TestWAVRefuses(t *testing.T) {
	data := chunk("data", make([]byte, 8))
	for _, tc := range []struct {
		name string
		in   []byte
		err  error
		says string
	}{
		{"nothing", nil, codec.ErrTruncated, "in its header"},
		{"not RIFF", []byte("OggS........"), codec.ErrMalformed, "4f 67"},
		{"a picture", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), codec.ErrMalformed, "57 45 42 50"},
		{"header cut", riff(fmtChunk(1, 1, 16000, 16), data)[:30], codec.ErrTruncated, "in its header"},
		{"no data", riff(fmtChunk(1, 1, 16000, 16)), codec.ErrTruncated, "in its header"},
		{"data cut", riff(fmtChunk(1, 1, 16000, 16), data)[:47], codec.ErrTruncated, "5 bytes short"},
		{"half a sample", endless(riff(fmtChunk(1, 1, 16000, 16), data)[:47], 0), codec.ErrTruncated, "inside a sample"},
		{"data first", riff(data), codec.ErrMalformed, "data before its fmt"},
		{"two fmt", riff(fmtChunk(1, 1, 16000, 16), fmtChunk(1, 1, 8000, 16), data), codec.ErrMalformed, "two fmt"},
		{"short fmt", riff(chunk("fmt ", make([]byte, 12)), data), codec.ErrMalformed, "fmt chunk of 12"},
		{"huge fmt", riff(chunk("fmt ", make([]byte, 1<<17)), data), codec.ErrMalformed, "fmt chunk of 131072"},
		{"short extensible", riff(fmtChunk(0xfffe, 1, 16000, 16, 0, 0), data), codec.ErrMalformed, "extensible fmt chunk of 18"},
		{"strange sub-format", riff(fmtChunk(0xfffe, 1, 16000, 16, extensible(1, strings.Repeat("?", 14))...), data), codec.ErrUnsupported, "sub-format 01 00 3f"},
		{"ADPCM", riff(fmtChunk(2, 1, 16000, 4), data), codec.ErrUnsupported, "tag 2 with 4 bits"},
		{"12 bits", riff(fmtChunk(1, 1, 16000, 12), data), codec.ErrUnsupported, "tag 1 with 12 bits"},
		{"96 kHz", riff(fmtChunk(1, 1, 96000, 16), data), codec.ErrUnsupported, "rate 96000 Hz"},
		{"4 kHz", riff(fmtChunk(1, 1, 4000, 16), data), codec.ErrUnsupported, "rate 4000 Hz"},
		{"no channels", riff(fmtChunk(1, 0, 16000, 16), data), codec.ErrMalformed, "without channels"},
		{"9 channels", riff(fmtChunk(1, 9, 16000, 16), data), codec.ErrUnsupported, "9 channels"},
		{"wrong alignment", func() []byte {
			b := riff(fmtChunk(1, 1, 16000, 16), data)
			b[32] = 4
			return b
		}(), codec.ErrMalformed, "frames of 4 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, _, err := readWAV(tc.in, nil); !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v with %q", err, tc.err, tc.says)
			}
		})
	}
}

func TestWAVRepeatsItsError(t *testing.T) {
	w := container.NewWAV()
	_, first := w.Push(nil, []byte("this is no RIFF"))
	pcm, second := w.Push(nil, riff(fmtChunk(1, 1, 16000, 16), chunk("data", make([]byte, 8))))
	if first == nil || second != first || w.End() != first || len(pcm) > 0 || w.Rate() != 0 {
		t.Errorf("errors %v, %v, %v", first, second, w.End())
	}
}

func TestWAVWriter(t *testing.T) {
	pcm := []float32{0, 0.5, -0.5, 1, -1}
	want := []float32{0, 0.5, -0.5, 32767. / 32768, -1}
	write := func(t *testing.T, w *container.WAVWriter, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range [][]float32{pcm[:2], nil, pcm[2:]} {
			if err := w.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(t *testing.T, b []byte, size uint32) {
		t.Helper()
		got, rate, err := readWAV(b, nil)
		if diff := cmp.Diff(want, got); diff != "" || rate != 22050 || err != nil {
			t.Errorf("%d Hz, %v\n%s", rate, err, diff)
		}
		if got := binary.LittleEndian.Uint32(b[40:]); got != size {
			t.Errorf("data size %d, want %d", got, size)
		}
	}
	t.Run("pipe", func(t *testing.T) {
		var buf bytes.Buffer
		w, err := container.NewWAVWriter(&buf, 22050)
		write(t, w, err)
		check(t, buf.Bytes(), 0xffffffff)
	})
	t.Run("file", func(t *testing.T) {
		f, err := os.Create(filepath.Join(t.TempDir(), "out.wav"))
		if err != nil {
			t.Fatal(err)
		}
		w, err := container.NewWAVWriter(f, 22050)
		write(t, w, err)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		check(t, b, 10)
		if riff := binary.LittleEndian.Uint32(b[4:]); int(riff) != len(b)-8 {
			t.Errorf("RIFF size %d of %d bytes", riff, len(b))
		}
	})
}

func TestSniff(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want codec.Encoding
		says string
	}{
		{"", codec.Auto, ""},
		{"Og", codec.Auto, ""},
		{"OggS", codec.OggOpus, ""},
		{"\x1a\x45\xdf\xa3\x9f", codec.WebMOpus, ""},
		{"\x1a\x45\xdf", codec.Auto, ""},
		{"RIFF\x24\x00\x00\x00WAV", codec.Auto, ""},
		{"RIFF\x24\x00\x00\x00WAVEfmt ", codec.WAV, ""},
		{"RIFF\x24\x00\x00\x00AVI LIST", "", "AVI"},
		{"RIFF\x24\x00\x00\x00WEBPVP8 ", "", "begins with the bytes 52 49 46 46"},
		{"fLaC\x00", "", "FLAC"},
		{"ID3\x04", "", "MP3"},
		{"\xff\xfb\x90", "", "MP3"},
		{"\xff\xf1\x50", "", "AAC"},
		{"\x00\x00\x00\x20ftypM4A ", "", "MP4"},
		{"\x00\x00\x00\x20ft", codec.Auto, ""},
		{"RF64", "", "RF64"},
		{"{\"type\":\"session.start\"}", "", `begins with the text "{\"type\":\"ses"`},
		{strings.Repeat("\x00", 12), "", "begins with the bytes 00 00"},
	} {
		got, err := container.Sniff([]byte(tc.in))
		if got != tc.want || (err != nil) != (tc.says != "") {
			t.Errorf("%q: %q, %v; want %q", tc.in, got, err, tc.want)
		}
		if err != nil && (!errors.Is(err, codec.ErrUnsupported) || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%q: error %v, want ErrUnsupported with %q", tc.in, err, tc.says)
		}
	}
}
