package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
)

// arguments are command lines for parley serve, which may begin with dashes: each
// time the flag is given its value is added as it stands.
type arguments []string

// Decode implements kong.MapperValue.
func (a *arguments) Decode(ctx *kong.DecodeContext) error {
	token := ctx.Scan.Pop()
	if token.IsEOL() {
		return errors.New("arguments or an address are missing")
	}
	if list, ok := token.Value.([]any); ok { // from a file
		for _, v := range list {
			*a = append(*a, fmt.Sprint(v))
		}
		return nil
	}
	*a = append(*a, token.String())
	return nil
}

// splitArgs takes a command line apart at blanks that are not in quotes.
func splitArgs(line string) (words []string, err error) {
	var word strings.Builder
	open, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, open = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 {
		return nil, errors.New("arguments for parley serve: a quote is not closed")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// mostTail is how much is kept, in bytes.
const mostTail = 4 << 10

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - mostTail; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
