//go:build cgo

package whisper

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

// random writes a multilingual model that knows nothing: the shape of a real
// one, narrow, with random weights. No multilingual weights may be in a
// repository, and what is tested here does not depend on what they hear.
type random struct {
	w *bufio.Writer
	r *rand.Rand
}

const width, layers, tokens = 64, 4, 51865

func randomModel(t testing.TB, mels int32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "random.bin")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	m := random{bufio.NewWriter(f), rand.New(rand.NewPCG(3, 4))}
	m.ints(0x67676d6c, tokens, 1500, width, 1, layers, 448, width, 1, layers, mels, 1, mels, 201)
	for range mels * 201 {
		m.put(m.r.Float32() / 100)
	}
	m.ints(50257)
	for i := range 50257 {
		word := fmt.Sprintf(" w%d", i)
		if i == 220 {
			word = " "
		}
		m.ints(int32(len(word)))
		m.put([]byte(word))
	}
	m.encoder(mels)
	m.decoder()
	if err := errors.Join(m.w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func (m random) put(v any) { _ = binary.Write(m.w, binary.LittleEndian, v) }

func (m random) ints(v ...int32) { m.put(v) }

// tensor writes random weights; half floats where there are two dimensions or more.
func (m random) tensor(name string, f16 bool, dims ...int32) {
	kind, n := int32(0), int32(1)
	if f16 {
		kind = 1
	}
	m.ints(int32(len(dims)), int32(len(name)), kind)
	for _, d := range dims {
		m.ints(d)
		n *= d
	}
	m.put([]byte(name))
	if f16 {
		raw := make([]uint16, n)
		for i := range raw { // sign, exponent of 1/32 or less, ten bits
			raw[i] = uint16(m.r.IntN(2)<<15 | (6+m.r.IntN(4))<<10 | m.r.IntN(1024))
		}
		m.put(raw)
		return
	}
	raw := make([]float32, n)
	for i := range raw {
		raw[i] = m.r.Float32() - 0.5
	}
	m.put(raw)
}

func (m random) linear(name string, in, out int32, bias bool) {
	m.tensor(name+".weight", true, in, out)
	if bias {
		m.tensor(name+".bias", false, out)
	}
}

func (m random) norm(name string) {
	m.tensor(name+".weight", false, width)
	m.tensor(name+".bias", false, width)
}

func (m random) attention(name string) {
	m.norm(name + "_ln")
	m.linear(name+".query", width, width, true)
	m.linear(name+".key", width, width, false)
	m.linear(name+".value", width, width, true)
	m.linear(name+".out", width, width, true)
}

func (m random) block(name string) {
	m.attention(name + ".attn")
	m.norm(name + ".mlp_ln")
	m.linear(name+".mlp.0", width, 4*width, true)
	m.linear(name+".mlp.2", 4*width, width, true)
}

func (m random) encoder(mels int32) {
	m.tensor("encoder.positional_embedding", false, width, 1500)
	m.tensor("encoder.conv1.weight", true, 3, mels, width)
	m.tensor("encoder.conv1.bias", false, 1, width)
	m.tensor("encoder.conv2.weight", true, 3, width, width)
	m.tensor("encoder.conv2.bias", false, 1, width)
	m.norm("encoder.ln_post")
	for i := range layers {
		m.block(fmt.Sprintf("encoder.blocks.%d", i))
	}
}

func (m random) decoder() {
	m.tensor("decoder.positional_embedding", false, width, 448)
	m.tensor("decoder.token_embedding.weight", true, width, tokens)
	m.norm("decoder.ln")
	for i := range layers {
		name := fmt.Sprintf("decoder.blocks.%d", i)
		m.block(name)
		m.attention(name + ".cross_attn")
	}
}

func TestMultilingual(t *testing.T) {
	path := randomModel(t, 80)
	m := load(t, func(c *Config) { c.Path, c.Short = path, false })
	codes := m.Languages()
	if !m.Multilingual() || len(codes) < 99 || !slices.Contains(codes, "de") || !slices.IsSorted(codes) {
		t.Errorf("multilingual %v, %v", m.Multilingual(), codes)
	}
	used, fresh := open(t, m), open(t, m)
	speech := speak(t, "slt", "good morning")
	long := slices.Repeat(speech, 8)
	for _, w := range []engine.Window{
		{Audio: long, Language: "de"},
		{Audio: speech, Language: "ja", Task: engine.Translate},
	} {
		h, err := used.Partial(context.Background(), w, nil)
		if err != nil || h.Language != w.Language || h.LanguageP != 1 {
			t.Errorf("asked for %q, got %q with %v, %v", w.Language, h.Language, h.LanguageP, err)
		}
	}
	if _, err := used.Partial(context.Background(), engine.Window{Audio: speech, Language: "tlh"}, nil); !errors.Is(err, engine.ErrUnknownLanguage) {
		t.Errorf("Klingon: %v", err)
	}
	want, err := fresh.Partial(context.Background(), engine.Window{Audio: speech}, nil)
	if err != nil || !slices.Contains(codes, want.Language) {
		t.Fatalf("detected %q, %v", want.Language, err)
	}
	if want.LanguageP <= 0 || want.LanguageP >= 1 {
		t.Errorf("detected %q with %v", want.Language, want.LanguageP)
	}
	got, err := used.Partial(context.Background(), engine.Window{Audio: speech}, nil)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("detected something else after other work: %v %s", err, d)
	}
	// A wrong promise is decoded twice; the language is detected once.
	wrong := engine.Prefix{{Text: "w1"}}
	if got, err := used.Partial(context.Background(), engine.Window{Audio: long}, wrong); err != nil || got.LanguageP <= 0 || got.LanguageP >= 1 {
		t.Errorf("with a prefix: %q with %v, %v", got.Language, got.LanguageP, err)
	}
}
