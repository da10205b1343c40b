package models

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const bundled = "../whisper/tinymodel/commands.en-q5_0.bin"

func TestDescribe(t *testing.T) {
	info, err := Describe(bundled)
	want := Info{
		Vocabulary: 51864, AudioContext: 1500, AudioWidth: 128, AudioHeads: 2, AudioLayers: 4,
		TextContext: 448, TextWidth: 128, TextHeads: 2, TextLayers: 4, Mels: 80, Weights: 8, Tensors: 167, Size: 7639610,
	}
	if d := cmp.Diff(want, info); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
}

// Offsets in the header of the bundled file.
const (
	atVocab, atAudioCtx, atAudioState, atAudioHead = 4, 8, 12, 16
	atFilters                                      = 48
	atWords                                        = atFilters + 8 + 80*201*4
)

func TestDescribeRefuses(t *testing.T) {
	good, err := os.ReadFile(bundled)
	if err != nil {
		t.Fatal(err)
	}
	put := func(at int, value uint32) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[at:], value)
			return b
		}
	}
	firstTensor, blank := atWords+4, 0
	for range binary.LittleEndian.Uint32(good[atWords:]) {
		if bytes.HasPrefix(good[firstTensor:], []byte("\x01\x00\x00\x00 ")) {
			blank = firstTensor + 4
		}
		firstTensor += 4 + int(binary.LittleEndian.Uint32(good[firstTensor:]))
	}
	before, last := lastTensors(good, firstTensor)
	for want, change := range map[string]func([]byte) []byte{
		"begins with":                     put(0, 0x46554747), // GGUF
		"cut off at byte 0":               func(b []byte) []byte { return b[:0] },
		"cut off at byte 30":              func(b []byte) []byte { return b[:30] },
		"cut off at byte 2000000":         func(b []byte) []byte { return b[:2000000] },
		"n_vocab is 100":                  put(atVocab, 100),
		"n_vocab is -1":                   put(atVocab, 0xffffffff),
		"n_vocab is 50363, outside 51864": put(atVocab, 50363), // no timestamps
		"n_vocab is 51867":                put(atVocab, 51867),
		"of [128 51864], the header says": put(atVocab, 51865),
		"n_audio_layer is 0":              put(atAudioHead+4, 0),
		"n_text_layer is 0":               put(atAudioHead+20, 0),
		"167 tensors, want 152":           put(atAudioHead+4, 3),
		"is there twice":                  func(b []byte) []byte { return append(b[:last], b[before:last]...) },
		"166 tensors, want 167":           func(b []byte) []byte { return b[:last] },
		"n_audio_ctx is 1501":             put(atAudioCtx, 1501),
		"n_audio_state is 1073741824":     put(atAudioState, 1<<30),
		"3 and 2 heads do not divide":     put(atAudioHead, 3),
		"width 256 is not":                put(atAudioState, 256),
		"filters' bands is 128":           put(atFilters, 128),
		"filters' length is 200":          put(atFilters+4, 200),
		"vocabulary's length is 51865":    put(atWords, 51865),
		"vocabulary's length is 1000":     put(atWords, 1000),
		"a token's length is -2147483648": put(atWords+4, 1<<31),
		"has no blank":                    func(b []byte) []byte { b[blank] = 'x'; return b },
		"number of dimensions is 9":       put(firstTensor, 9),
		"a tensor's name is 1000":         put(firstTensor+4, 1000),
		"tensor type 5 is unknown":        put(firstTensor+8, 5),
		"tensor's dimension is 0":         put(firstTensor+12, 0),
	} {
		b := change(bytes.Clone(good))
		if _, err := parse(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	more := append(bytes.Clone(good), good[firstTensor:firstTensor+12]...)
	if _, err := parse(bytes.NewReader(more), int64(len(more))); !errors.Is(err, ErrFormat) {
		t.Errorf("trailing bytes: %v", err)
	}
}

// lastTensors says where the last two tensors begin: they are those of a norm,
// alike in size.
func lastTensors(good []byte, from int) (before, last int) {
	s := &scanner{f: bytes.NewReader(good), size: int64(len(good))}
	s.r = bufio.NewReader(s.f)
	s.skip(int64(from))
	for s.err == nil && s.at < s.size {
		before, last = last, int(s.at)
		s.tensor()
	}
	return before, last
}

func TestDescribeFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Describe(dir); !errors.Is(err, ErrFormat) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Describe(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	good, err := os.ReadFile(bundled)
	if err != nil {
		t.Fatal(err)
	}
	fake := filepath.Join(dir, "ggml-tiny.bin")
	if err := os.WriteFile(fake, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Describe(fake); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "77691713") {
		t.Errorf("another file under a published name: %v", err)
	}
}

func FuzzDescribe(f *testing.F) {
	good, err := os.ReadFile(bundled)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[:48])
	f.Add(good[:4096])
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parse(bytes.NewReader(b), int64(len(b)))
		if err == nil && (info.Tensors == 0 || info.Vocabulary < vocabulary) {
			t.Errorf("accepted %+v", info)
		}
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("error of another kind: %v", err)
		}
	})
}
