package models

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// ErrFormat: a file that whisper.cpp must not be given.
var ErrFormat = errors.New("not a usable model file")

// Info is what a model file says of itself.
type Info struct {
	Vocabulary             int // tokens
	AudioContext           int // encoder positions, 1500 for 30 s
	AudioWidth, AudioHeads int
	AudioLayers            int
	TextContext            int // most tokens of one decode
	TextWidth, TextHeads   int
	TextLayers             int
	Mels                   int // bands of the spectrogram, 80 or 128
	Weights                int // ggml's file type: 0 f32, 1 f16, others quantised
	Multilingual           bool
	Tensors                int
	Size                   int64 // bytes
}

// Describe reads the header of a model file in whisper.cpp's format and walks
// through the whole file, without its weights, checking every number before it
// is used. A file with the name of a published one must also have its size.
// The error is ErrFormat, saying what is wrong, or of the file system.
func Describe(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, fmt.Errorf("models: %w", err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("models: %w", err)
	}
	if !stat.Mode().IsRegular() {
		return Info{}, fmt.Errorf("models: %w: %s is no regular file", ErrFormat, path)
	}
	for _, m := range all {
		if m.File() == filepath.Base(path) && m.Size > 0 && m.Size != stat.Size() {
			return Info{}, fmt.Errorf("models: %w: %s has %d bytes, published are %d", ErrFormat, path, stat.Size(), m.Size)
		}
	}
	info, err := parse(f, stat.Size())
	if err != nil {
		return Info{}, fmt.Errorf("models: %s: %w", path, err)
	}
	return info, nil
}

const (
	magic      = 0x67676d6c // "ggml"
	vocabulary = 51864      // of the English models; the others have one or two more
	texts      = 50256      // tokens that are text: all of them must be in the file
)

// scanner reads little-endian numbers and remembers the first error.
type scanner struct {
	f    io.ReadSeeker
	r    *bufio.Reader
	at   int64
	size int64
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: "+format, append([]any{ErrFormat}, args...)...)
	}
}

func (s *scanner) bytes(n int64) []byte {
	if s.err != nil {
		return nil
	}
	if n > s.size-s.at {
		s.fail("cut off at byte %d", s.size)
		return nil
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(s.r, p); err != nil {
		s.fail("reading at byte %d: %v", s.at, err)
		return nil
	}
	s.at += n
	return p
}

func (s *scanner) skip(n int64) {
	if s.err != nil {
		return
	}
	if n > s.size-s.at {
		s.fail("cut off at byte %d", s.size)
		return
	}
	s.at += n
	if n <= int64(s.r.Buffered()) {
		_, _ = s.r.Discard(int(n))
		return
	}
	if _, err := s.f.Seek(s.at, io.SeekStart); err != nil {
		s.fail("seeking to byte %d: %v", s.at, err)
	}
	s.r.Reset(s.f)
}

// number reads a 32-bit number that must lie in [low, high].
func (s *scanner) number(what string, low, high int) int {
	p := s.bytes(4)
	if p == nil {
		return low
	}
	n := int(int32(binary.LittleEndian.Uint32(p)))
	if n < low || n > high {
		s.fail("%s is %d, outside %d to %d", what, n, low, high)
		return low
	}
	return n
}

// parse checks a file of size bytes.
func parse(f io.ReadSeeker, size int64) (Info, error) {
	s := &scanner{f: f, r: bufio.NewReaderSize(f, 64<<10), size: size}
	s.head()
	info := Info{Size: size}
	info.parameters(s)
	info.filters(s)
	words := s.number("the vocabulary's length", texts, info.Vocabulary)
	blank := false
	for i := 0; i < words && s.err == nil; i++ {
		word := s.bytes(int64(s.number("a token's length", 0, 1024)))
		blank = blank || string(word) == " "
	}
	if !blank { // whisper.cpp looks it up without asking whether it is there
		s.fail("the vocabulary has no blank")
	}
	seen := make(map[string]bool)
	for s.err == nil && s.at < s.size {
		name, dims := s.tensor()
		info.fits(s, name, dims)
		if seen[name] { // the tensor that is missing instead would hold what was in memory
			s.fail("tensor %q is there twice", name)
		}
		seen[name] = true
		info.Tensors++
	}
	if want := 11 + 15*info.AudioLayers + 24*info.TextLayers; s.err == nil && info.Tensors != want {
		s.fail("%d tensors, want %d", info.Tensors, want)
	}
	return info, s.err
}

func (i *Info) parameters(s *scanner) {
	i.Vocabulary = s.number("n_vocab", 0, math.MaxInt32)
	if s.err == nil && (i.Vocabulary < vocabulary || i.Vocabulary > vocabulary+2) {
		s.fail("n_vocab is %d, outside %d to %d: another vocabulary, or one without timestamps", i.Vocabulary, vocabulary, vocabulary+2)
	}
	i.AudioContext = s.number("n_audio_ctx", 1500, 1500)
	i.AudioWidth = s.number("n_audio_state", 16, 4096)
	i.AudioHeads = s.number("n_audio_head", 1, 64)
	i.AudioLayers = s.number("n_audio_layer", 1, 64)
	i.TextContext = s.number("n_text_ctx", 448, 448)
	i.TextWidth = s.number("n_text_state", 16, 4096)
	i.TextHeads = s.number("n_text_head", 1, 64)
	i.TextLayers = s.number("n_text_layer", 1, 64)
	i.Mels = s.number("n_mels", 80, 128)
	i.Weights = s.number("ftype", 0, 3000) % 1000 // thousands are the quantiser's version
	i.Multilingual = i.Vocabulary > vocabulary
	if s.err == nil && (i.AudioWidth%i.AudioHeads != 0 || i.TextWidth%i.TextHeads != 0) {
		s.fail("%d and %d heads do not divide widths of %d and %d", i.AudioHeads, i.TextHeads, i.AudioWidth, i.TextWidth)
	}
	if s.err == nil && i.Mels != 80 && i.Mels != 128 {
		s.fail("n_mels is %d, not 80 or 128", i.Mels)
	}
	if s.err == nil && i.AudioWidth != i.TextWidth {
		s.fail("the encoder's width %d is not the decoder's %d", i.AudioWidth, i.TextWidth)
	}
}

// fits checks the tensors whose shape the header tells.
func (i *Info) fits(s *scanner, name string, dims []int) {
	want, ok := map[string][]int{
		"encoder.conv1.weight":           {3, i.Mels, i.AudioWidth},
		"encoder.positional_embedding":   {i.AudioWidth, i.AudioContext},
		"decoder.positional_embedding":   {i.TextWidth, i.TextContext},
		"decoder.token_embedding.weight": {i.TextWidth, i.Vocabulary},
	}[name]
	if ok && !slices.Equal(dims, want) {
		s.fail("tensor %q is of %v, the header says %v", name, dims, want)
	}
}

// tensor checks one tensor's head and skips its weights.
func (s *scanner) tensor() (name string, shape []int) {
	dims := s.number("a tensor's number of dimensions", 1, 4)
	letters := s.number("the length of a tensor's name", 1, 128)
	kind := s.number("a tensor's type", 0, 63)
	block, ok := blocks[kind]
	if !ok {
		s.fail("tensor type %d is unknown", kind)
	}
	elements := int64(1)
	for d := range dims {
		n := s.number("a tensor's dimension", 1, 1<<20)
		if d == 0 && ok && n%block.elements != 0 {
			s.fail("a row of %d is not in blocks of %d", n, block.elements)
		}
		if elements *= int64(n); elements > 1<<32 {
			s.fail("a tensor has more than 2^32 elements")
			return "", nil
		}
		shape = append(shape, n)
	}
	name = string(s.bytes(int64(letters)))
	if ok {
		s.skip(elements / int64(block.elements) * int64(block.bytes))
	}
	return name, shape
}

// blocks are ggml's types: how many elements lie in how many bytes.
var blocks = map[int]struct{ elements, bytes int }{
	0: {1, 4}, 1: {1, 2}, 30: {1, 2}, // f32, f16, bf16
	2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34}, // q4_0, q4_1, q5_0, q5_1, q8_0
	10: {256, 84}, 11: {256, 110}, 12: {256, 144}, 13: {256, 176}, 14: {256, 210}, // q2_k to q6_k
}
