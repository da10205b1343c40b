package models

import (
	"bufio"
	"fmt"
	"os"
)

// Vocabulary reads the tokens of a model file's table, in the order of their
// numbers; a token may be part of a UTF-8 sequence, or empty. The file is checked
// as by Describe.
func Vocabulary(path string) ([]string, error) {
	info, err := Describe(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	defer f.Close()
	s := &scanner{f: f, r: bufio.NewReaderSize(f, 64<<10), size: info.Size}
	s.skip(4 + 11*4 + 8 + int64(info.Mels)*Bins*4)
	words := make([]string, s.number("the vocabulary's length", 1, info.Vocabulary))
	for i := range words {
		words[i] = string(s.bytes(int64(s.number("a token's length", 0, 1024))))
	}
	if s.err != nil {
		return nil, fmt.Errorf("models: %s: %w", path, s.err)
	}
	return words, nil
}
