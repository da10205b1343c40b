// Package espeak is an engine.Synthesizer over the espeak-ng program: about 130
// languages. Each piece of a phrase is one run of the program as a supervised
// child process, so that a crash of it costs one retried sentence and nothing
// of its licence (GPL) enters this program. It never links the library.
package espeak

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/rs/zerolog"
)

// Errors that callers branch on.
var (
	// ErrTooLong ends speech that would outlast Config.MaxDuration.
	ErrTooLong = errors.New("speech longer than allowed")
	// ErrCrashed: the program died or hung twice on the same sentence.
	ErrCrashed = errors.New("espeak-ng crashed")
)

// Config of the synthesiser. The zero value is usable.
type Config struct {
	Program     string         // path or name; "" is espeak-ng
	Data        string         // directory that holds espeak-ng-data; "" is the program's own
	Processes   int            // at work at the same time; 0 is two for each processor
	Timeout     time.Duration  // without a byte of audio before the program counts as hung; 0 is 2 s
	MaxDuration time.Duration  // of one phrase's audio; 0 is two minutes
	Log         zerolog.Logger // told of crashes, never of text
}

// Validate says which field is wrong.
func (c Config) Validate() error {
	switch {
	case c.Processes < 0:
		return fmt.Errorf("espeak: Processes %d is negative", c.Processes)
	case c.Timeout < 0:
		return fmt.Errorf("espeak: Timeout %v is negative", c.Timeout)
	case c.MaxDuration < 0:
		return fmt.Errorf("espeak: MaxDuration %v is negative", c.MaxDuration)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Program == "" {
		c.Program = "espeak-ng"
	}
	if c.Processes == 0 {
		c.Processes = 2 * runtime.GOMAXPROCS(0)
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Second
	}
	if c.MaxDuration == 0 {
		c.MaxDuration = 2 * time.Minute
	}
	return c
}
