package random_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine/models"
	"parley/engine/models/random"
)

const bundled = "../../whisper/tinymodel/commands.en-q5_0.bin"

// small is as small as whisper.cpp takes it, for tests that write.
func small(multilingual bool) random.Shape {
	return random.Shape{Name: "small for a test", Multilingual: multilingual, Mels: 80, Width: 128, Heads: 2, AudioLayers: 4, TextLayers: 4}
}

func vocabulary(t *testing.T) []string {
	t.Helper()
	words, err := models.Vocabulary(bundled)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// The published English models have the bundled one's vocabulary, so their files
// are as long as ours to the byte; the multilingual ones all have another one of
// the same length.
func TestSizesOfPublishedFiles(t *testing.T) {
	words := vocabulary(t)
	var other int64
	for _, s := range random.Shapes() {
		published, ok := models.Find(s.Name)
		if !ok {
			t.Errorf("%s is no published model", s.Name)
		}
		if published.Size == 0 {
			continue
		}
		c := random.Config{Shape: s, Tokens: 24, Words: words}
		differ := published.Size - c.Size()
		switch {
		case !s.Multilingual && differ != 0:
			t.Errorf("%s: %d bytes, published are %d", s.Name, c.Size(), published.Size)
		case s.Multilingual && other == 0:
			other = differ
		case s.Multilingual && differ != other:
			t.Errorf("%s: the vocabularies differ by %d bytes, those of other models by %d", s.Name, differ, other)
		}
	}
	if other < -50_000 || other > 50_000 {
		t.Errorf("the vocabularies differ by %d bytes", other)
	}
}

// written are two models, made once for all tests that read them.
var written struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if written.dir != "" {
		_ = os.RemoveAll(written.dir)
	}
	os.Exit(code)
}

func configs(t *testing.T) map[string]random.Config {
	return map[string]random.Config{
		"english.bin":      {Shape: small(false), Tokens: 24, Seed: 3, Words: vocabulary(t)},
		"multilingual.bin": {Shape: small(true), Tokens: 9, Seed: 5},
	}
}

// folder holds the files of configs.
func folder(t *testing.T) string {
	t.Helper()
	written.Do(func() {
		if written.dir, written.err = os.MkdirTemp("", "random"); written.err != nil {
			return
		}
		for name, c := range configs(t) {
			written.err = errors.Join(written.err, random.Create(t.Context(), filepath.Join(written.dir, name), c))
		}
	})
	if written.err != nil {
		t.Fatal(written.err)
	}
	return written.dir
}

func TestCreate(t *testing.T) {
	dir := folder(t)
	for name, c := range configs(t) {
		info, err := models.Describe(filepath.Join(dir, name))
		want := models.Info{
			Vocabulary: 51864, AudioContext: 1500, AudioWidth: 128, AudioHeads: 2, AudioLayers: 4, TextContext: 448, TextWidth: 128,
			TextHeads: 2, TextLayers: 4, Mels: 80, Weights: 1, Tensors: 167, Size: c.Size(), Multilingual: c.Shape.Multilingual,
		}
		if c.Shape.Multilingual {
			want.Vocabulary++
		}
		if d := cmp.Diff(want, info); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
		if err := random.Create(t.Context(), filepath.Join(dir, name), c); !errors.Is(err, random.ErrExists) {
			t.Errorf("over another file: %v", err)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// mels of the bundled model were made by librosa's formula in Python.
func TestFilters(t *testing.T) {
	const from, size = 12*4 + 8, 80 * 201 * 4
	good, err := os.ReadFile(bundled)
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	if err := random.Write(t.Context(), &limited{w: &ours, n: 1 << 20}, random.Config{Shape: small(false), Tokens: 3}); !errors.Is(err, io.ErrShortWrite) {
		t.Fatal(err)
	}
	for i := from; i < from+size; i += 4 {
		if a, b := float(good[i:]), float(ours.Bytes()[i:]); math.Abs(a-b) > 1e-8+1e-5*b {
			t.Fatalf("weight %d is %g, not %g", (i-from)/4, b, a)
		}
	}
}

func float(b []byte) float64 {
	return float64(math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
}

// limited is a disk that is full after n bytes.
type limited struct {
	w io.Writer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.n < len(p) {
		return 0, io.ErrShortWrite
	}
	l.n -= len(p)
	return l.w.Write(p)
}

func TestSameConfigSameFile(t *testing.T) {
	c := configs(t)["multilingual.bin"]
	file, err := os.Open(filepath.Join(folder(t), "multilingual.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	first, second := sha256.New(), sha256.New()
	if _, err := io.Copy(first, file); err != nil {
		t.Fatal(err)
	}
	if err := random.Write(t.Context(), second, c); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Sum(nil), second.Sum(nil)) {
		t.Error("the same config gave two files")
	}
	other := c
	if other.Seed++; other.Text() == c.Text() {
		t.Error("another seed gave the same sentence")
	}
	if n := len(strings.Fields(c.Text())); n != c.Tokens {
		t.Errorf("%d words in %q", n, c.Text())
	}
}

func TestFailures(t *testing.T) {
	good := random.Config{Shape: small(false), Tokens: 24}
	for want, change := range map[string]func(*random.Config){
		"0 tokens are outside":   func(c *random.Config) { c.Tokens = 0 },
		"201 tokens are outside": func(c *random.Config) { c.Tokens = 201 },
		"a vocabulary of 2":      func(c *random.Config) { c.Words = []string{"a", " "} },
		"0 plain words":          func(c *random.Config) { c.Words = make([]string, 50256) },
		"81 bands":               func(c *random.Config) { c.Shape.Mels = 81 },
		"no English model":       func(c *random.Config) { c.Shape.Mels = 128 },
		"width of 130 with 4":    func(c *random.Config) { c.Shape.Width, c.Shape.Heads = 130, 4 },
		"4 and 0 layers":         func(c *random.Config) { c.Shape.TextLayers = 0 },
	} {
		c := good
		change(&c)
		path := filepath.Join(t.TempDir(), "x.bin")
		if err := random.Create(t.Context(), path, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	for _, n := range []int{0, 1 << 20, 3 << 20} {
		if err := random.Write(t.Context(), &limited{io.Discard, n}, good); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a disk full after %d bytes: %v", n, err)
		}
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	dir := t.TempDir()
	if err := random.Create(ctx, filepath.Join(dir, "x.bin"), good); !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
	if err := random.Create(t.Context(), filepath.Join(dir, "no", "x.bin"), good); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
