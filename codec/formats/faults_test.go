package formats_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/container"
	"parley/codec/formats"
)

func TestAutoNamesWhatItSaw(t *testing.T) {
	for _, tc := range []struct {
		in   string
		err  error
		says string
	}{
		{"fLaC....", codec.ErrUnsupported, "FLAC"},
		{"ID3\x04....", codec.ErrUnsupported, "MP3"},
		{"\x00\x00\x00\x20ftypisom", codec.ErrUnsupported, "MP4"},
		{strings.Repeat("\x01\x00", 100), codec.ErrUnsupported, "begins with the bytes 01 00"},
		{"hello world, hello", codec.ErrUnsupported, `the text "hello world,"`},
		{"OggS", codec.ErrTruncated, "inside a page"},
		{"RIFF", codec.ErrTruncated, "4 bytes are too few"},
	} {
		d := newDecoder(t, codec.Format{Encoding: codec.Auto}, 16000)
		var err error
		for _, b := range []byte(tc.in) { // one by one
			if _, err = d.Decode(nil, []byte{b}); err != nil {
				break
			}
		}
		if err == nil {
			_, err = d.Flush(nil)
		}
		if !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%q: error %v, want %v with %q", tc.in, err, tc.err, tc.says)
		}
	}
}

func TestNothingIsNoFault(t *testing.T) {
	for _, enc := range []codec.Encoding{codec.Auto, codec.WAV, codec.OggOpus, codec.WebMOpus, codec.PCM16, codec.Opus} {
		d := newDecoder(t, codec.Format{Encoding: enc, Rate: 16000, Channels: 1}, 22050)
		if pcm, err := d.Flush(nil); len(pcm) > 0 || err != nil {
			t.Errorf("%s: %d samples, %v", enc, len(pcm), err)
		}
	}
}

func TestTruncatedStreamsGiveWhatTheyHeld(t *testing.T) {
	for _, tc := range []struct {
		in   []byte
		keep int // samples at 16 kHz at least
	}{
		{codectest.WAV(t)[:32000], 15900},
		{file(t, "opusenc.opus")[:6000], 10000},
		{file(t, "chrome.webm")[:6000], 20000},
	} {
		pcm, err := decode(newDecoder(t, codec.Format{Encoding: codec.Auto}, 16000), tc.in, nil)
		if !errors.Is(err, codec.ErrTruncated) || len(pcm) < tc.keep {
			t.Errorf("%d samples, error %v; want %d and ErrTruncated", len(pcm), err, tc.keep)
		}
	}
}

func TestOddByteIsTruncated(t *testing.T) {
	d := newDecoder(t, codec.Format{Encoding: codec.PCM16, Rate: 16000, Channels: 1}, 16000)
	pcm, err := decode(d, []byte{1, 2, 3}, nil)
	if len(pcm) != 1 || !errors.Is(err, codec.ErrTruncated) || !strings.Contains(err.Error(), "1 bytes of an incomplete frame") {
		t.Errorf("%d samples, error %v", len(pcm), err)
	}
}

func TestGapsInRawAudioAreSilent(t *testing.T) {
	for _, rate := range []int{8000, 16000, 44100} {
		d := newDecoder(t, codec.Format{Encoding: codec.PCM16, Rate: rate, Channels: 1}, 16000)
		loud := codec.AppendPCM16(nil, slices.Repeat([]float32{0.5}, rate/10))
		pcm, err := d.Decode(nil, append(loud, 1)) // half a sample is lost with the gap
		if err != nil {
			t.Fatal(err)
		}
		if pcm, err = d.Conceal(pcm, 1600, loud); err != nil {
			t.Fatal(err)
		}
		if pcm, err = d.Decode(pcm, loud); err != nil {
			t.Fatal(err)
		}
		if pcm, err = d.Flush(pcm); err != nil || len(pcm) < 4799 || len(pcm) > 4801 {
			t.Fatalf("%d Hz: %d samples, %v", rate, len(pcm), err)
		}
		for at, want := range map[int]float32{800: 0.5, 2400: 0, 4000: 0.5} {
			if d := pcm[at] - want; d < -0.001 || d > 0.001 {
				t.Errorf("%d Hz: sample %d is %v, want %v", rate, at, pcm[at], want)
			}
		}
		if _, err := d.Conceal(nil, 16000*61, nil); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("gap of 61 s: error %v", err)
		}
	}
}

func TestContainersCannotHaveGaps(t *testing.T) {
	for _, enc := range []codec.Encoding{codec.Auto, codec.WAV, codec.OggOpus, codec.WebMOpus} {
		d := newDecoder(t, codec.Format{Encoding: enc}, 16000)
		if _, err := d.Conceal(nil, 320, nil); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", enc, err)
		}
	}
}

// bomb is an Ogg stream of two-byte packets of 120 ms.
func bomb(t testing.TB, packets int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := container.NewOggWriter(&buf, 48000, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for range packets {
		if err := w.WritePacket(codec.Packet{Payload: []byte{3<<3 | 3, 2}, Duration: 120 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// A few kilobytes can hold hours; one call unfolds ten minutes and no more,
// while the same stream in sensible pieces passes.
func TestAudioBombIsBounded(t *testing.T) {
	b := bomb(t, 6000) // 12 minutes
	d := newDecoder(t, codec.Format{Encoding: codec.OggOpus}, 8000)
	pcm, err := d.Decode(nil, b)
	if !errors.Is(err, codec.ErrMalformed) || !strings.Contains(err.Error(), "more than 10m0s") {
		t.Errorf("error %v, want ErrMalformed", err)
	}
	if limit := codec.Samples(formats.MaxPerPayload, 8000); len(pcm) > limit {
		t.Errorf("%d samples, want at most %d", len(pcm), limit)
	}
	d = newDecoder(t, codec.Format{Encoding: codec.OggOpus}, 8000)
	total := 0
	for piece := range slices.Chunk(b, 4096) {
		if pcm, err = d.Decode(pcm[:0], piece); err != nil {
			t.Fatal(err)
		}
		total += len(pcm)
	}
	if total != 12*60*8000 {
		t.Errorf("%d samples in pieces", total)
	}
}

// Headers that lie about lengths cost no memory.
func TestLyingLengthsAllocateNothing(t *testing.T) {
	wav := bytes.Clone(codectest.WAV(t)[:1000])
	at := bytes.Index(wav, []byte("data"))
	binary.LittleEndian.PutUint32(wav[at+4:], 0x7ffe0000)
	junk := append([]byte("RIFF\xff\xff\xff\xffWAVEJUNK\xff\xff\xff\xff"), make([]byte, 500)...)
	webm := bytes.Clone(file(t, "ffmpeg.webm")[:3000])
	cluster := bytes.Index(webm, []byte{0x1f, 0x43, 0xb6, 0x75})
	copy(webm[cluster+4:], []byte{0x01, 0, 0x7f, 0xff})
	for name, b := range map[string][]byte{"data size": wav, "chunk size": junk, "cluster size": webm} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decode(newDecoder(t, codec.Format{Encoding: codec.Auto}, 16000), b, nil)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
		if !errors.Is(err, codec.ErrTruncated) && !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// FuzzAuto: any bytes give audio or an error of a known kind, and never more
// memory than the bound.
func FuzzAuto(f *testing.F) {
	f.Add([]byte("RIFF\x24\x00\x00\x00WAVE"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDecoder(t, codec.Format{Encoding: codec.Auto}, 16000)
		var pcm []float32
		var err error
		for piece := range slices.Chunk(b, 997) {
			if pcm, err = d.Decode(pcm[:0], piece); err != nil {
				break
			}
		}
		if err == nil {
			pcm, err = d.Flush(pcm)
		}
		if err != nil && !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrUnsupported) && !errors.Is(err, codec.ErrTruncated) {
			t.Fatalf("error %v of no kind", err)
		}
		if len(pcm) > codec.Samples(formats.MaxPerPayload, 16000)+1000 {
			t.Fatalf("%d samples", len(pcm))
		}
		for _, x := range pcm {
			if x != x || x < -2 || x > 2 {
				t.Fatalf("sample %v", x)
			}
		}
	})
}
