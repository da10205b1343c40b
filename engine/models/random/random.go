// Package random writes model files of whisper.cpp's format that have the true
// dimensions of the published ones and random weights: what a run costs is real,
// what it hears is not. They are for measuring where no published model is.
//
// Random weights alone would never end a text, or end it at once. So the last
// layer of the decoder knows one sentence by heart: Config.Tokens words in a
// fixed order, then the end. Whoever forces the beginning of the sentence on the
// decoder gets the rest of it, as from a real model.
//
// It is pure Go, makes the same file of the same Config on every machine, and
// holds only a few rows of weights in memory.
package random

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// Config says what is written.
type Config struct {
	Shape  Shape
	Tokens int    // words of the sentence, 1 to MaxTokens
	Seed   uint64 // of the weights and the choice of words
	// Words is the vocabulary, one token each, in the order of their numbers: 50256,
	// as the English models have them; nil for one made up of syllables.
	Words []string
}

// MaxTokens is the longest sentence that whisper.cpp decodes in one window.
const MaxTokens = 200

// Validate reports what cannot be written.
func (c Config) Validate() error {
	if err := c.Shape.Validate(); err != nil {
		return err
	}
	switch {
	case c.Tokens < 1 || c.Tokens > MaxTokens:
		return fmt.Errorf("random: %d tokens are outside 1 to %d", c.Tokens, MaxTokens)
	case c.Words != nil && len(c.Words) != words:
		return fmt.Errorf("random: a vocabulary of %d tokens, not %d", len(c.Words), words)
	}
	if n := len(speakable(c.vocabulary())); n < c.Tokens {
		return fmt.Errorf("random: the vocabulary has %d plain words, fewer than %d tokens", n, c.Tokens)
	}
	return nil
}

// Size is how many bytes the file has.
func (c Config) Size() int64 {
	n := int64(12*4 + 8 + 4*c.Shape.Mels*bins + 4)
	for _, w := range c.vocabulary() {
		n += 4 + int64(len(w))
	}
	for _, t := range newWeights(c).tensors() {
		n += t.size()
	}
	return n
}

// Text is what the model says of any sound.
func (c Config) Text() string {
	var b strings.Builder
	vocabulary := c.vocabulary()
	for _, id := range newWeights(c).sentence {
		b.WriteString(vocabulary[id])
	}
	return strings.TrimSpace(b.String())
}

// Write writes the file. It stops soon after ctx is done, with its cause.
func Write(ctx context.Context, w io.Writer, c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	s := c.Shape
	numbers(out, 0x67676d6c, s.vocabulary(), 1500, s.Width, s.Heads, s.AudioLayers, 448, s.Width, s.Heads, s.TextLayers, s.Mels, 1)
	numbers(out, s.Mels, bins)
	for _, band := range filters(s.Mels) {
		writeFloats(out, band[:])
	}
	vocabulary := c.vocabulary()
	numbers(out, len(vocabulary))
	for _, word := range vocabulary {
		numbers(out, len(word))
		_, _ = out.WriteString(word) // a failure stays until Flush
	}
	weights := newWeights(c)
	for _, t := range weights.tensors() {
		if err := t.write(ctx, out, weights); err != nil {
			return fmt.Errorf("random: %s: %w", t.name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("random: %w", err)
	}
	return nil
}

// ErrExists: there is a file already, which stays as it is.
var ErrExists = errors.New("there is a file of this name already")

// Create writes a file that must not be there yet. Under its name it is either
// whole or not there.
func Create(ctx context.Context, path string, c Config) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("random: %s: %w", path, ErrExists)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part*")
	if err != nil {
		return fmt.Errorf("random: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(Write(ctx, f, c), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("random: %w", err)
	}
	return nil
}

// numbers writes 32-bit numbers, little-endian as all of the file.
func numbers(w *bufio.Writer, list ...int) {
	for _, n := range list {
		_, _ = w.Write(binary.LittleEndian.AppendUint32(w.AvailableBuffer(), uint32(n)))
	}
}

func writeFloats(w *bufio.Writer, list []float32) {
	for _, f := range list {
		_, _ = w.Write(binary.LittleEndian.AppendUint32(w.AvailableBuffer(), math.Float32bits(f)))
	}
}
