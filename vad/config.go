package vad

import "fmt"

// Mode says who decides where an utterance ends.
type Mode string

// Server: silence ends an utterance. Manual: only Commit, End and the maximum
// length do; all audio between two commits is one utterance.
const (
	Server Mode = "server"
	Manual Mode = "manual"
)

// Config is how a Segmenter cuts. Times are milliseconds; the Segmenter rounds
// MinSpeechMS and SilenceMS up to whole frames of 32 ms.
type Config struct {
	Mode           Mode
	Threshold      float32 // probability from which a frame is speech, 0.01 to 0.99
	NegThreshold   float32 // probability below which speech pauses, 0.001 to Threshold; 0 is Threshold - 0.15
	PrefixMS       int     // audio kept before the first speech frame, 0 to 5000
	SilenceMS      int     // silence that ends an utterance, 10 to 10000
	MinSpeechMS    int     // speech that starts an utterance, 0 to 1000
	MaxUtteranceMS int     // longest utterance, 5000 to 90000
}

// DefaultConfig is the server mode for conversation.
func DefaultConfig() Config {
	return Config{
		Mode:           Server,
		Threshold:      0.5,
		PrefixMS:       300,
		SilenceMS:      500,
		MinSpeechMS:    96,
		MaxUtteranceMS: 30000,
	}
}

// ConfigError names the first field of a Config that cannot be used. Field is
// spelled as on the wire ("silence_ms"), so that it can be shown to a client.
type ConfigError struct {
	Field   string
	Problem string // completes a sentence that begins with the field
}

// Error gives field and problem in one sentence.
func (e *ConfigError) Error() string { return "vad: " + e.Field + " " + e.Problem }

// Validate reports the first field out of range as a *ConfigError.
func (c Config) Validate() error {
	if c.Mode != Server && c.Mode != Manual {
		return &ConfigError{"mode", fmt.Sprintf("is %q, want %q or %q", c.Mode, Server, Manual)}
	}
	if !(c.Threshold >= 0.01 && c.Threshold <= 0.99) {
		return &ConfigError{"threshold", fmt.Sprintf("%g is outside 0.01 to 0.99", c.Threshold)}
	}
	if c.NegThreshold != 0 && !(c.NegThreshold >= 0.001 && c.NegThreshold <= c.Threshold) {
		return &ConfigError{"neg_threshold", fmt.Sprintf("%g is outside 0.001 to the threshold %g", c.NegThreshold, c.Threshold)}
	}
	for _, f := range []struct {
		name        string
		got, lo, hi int
	}{
		{"prefix_ms", c.PrefixMS, 0, 5000},
		{"silence_ms", c.SilenceMS, 10, 10000},
		{"min_speech_ms", c.MinSpeechMS, 0, 1000},
		{"max_utterance_ms", c.MaxUtteranceMS, 5000, 90000},
	} {
		if f.got < f.lo || f.got > f.hi {
			return &ConfigError{f.name, fmt.Sprintf("%d is outside %d to %d", f.got, f.lo, f.hi)}
		}
	}
	return nil
}

// negThreshold is NegThreshold with its default put in.
func (c Config) negThreshold() float32 {
	if c.NegThreshold != 0 {
		return c.NegThreshold
	}
	return max(c.Threshold-0.15, min(c.Threshold, 0.01))
}

// onset gives how many speech frames within how many frames start an utterance:
// one frame in four may be missing.
func (c Config) onset() (need, window int) {
	need = max(1, frames(c.MinSpeechMS))
	return need, need + (need+2)/3
}

// prefix is the most audio kept before the first speech frame, in samples.
func (c Config) prefix() int64 {
	if c.Mode == Manual {
		return lookback * FrameSize
	}
	return samples(c.PrefixMS)
}

// samples converts milliseconds to samples at 16 kHz.
func samples(ms int) int64 { return int64(ms) * 16 }

// frames converts milliseconds to frames, rounded up.
func frames(ms int) int { return int((samples(ms) + FrameSize - 1) / FrameSize) }
