package vad

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatalf("the default configuration: %v", err)
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		field, inText string
		change        func(*Config)
	}{
		{"mode", `"push"`, func(c *Config) { c.Mode = "push" }},
		{"mode", `""`, func(c *Config) { c.Mode = "" }},
		{"threshold", "0.01 to 0.99", func(c *Config) { c.Threshold = 0 }},
		{"threshold", "1.2", func(c *Config) { c.Threshold = 1.2 }},
		{"threshold", "NaN", func(c *Config) { c.Threshold = nan }},
		{"neg_threshold", "to the threshold 0.5", func(c *Config) { c.NegThreshold = 0.6 }},
		{"neg_threshold", "-1", func(c *Config) { c.NegThreshold = -1 }},
		{"neg_threshold", "NaN", func(c *Config) { c.NegThreshold = nan }},
		{"prefix_ms", "0 to 5000", func(c *Config) { c.PrefixMS = -1 }},
		{"prefix_ms", "5001", func(c *Config) { c.PrefixMS = 5001 }},
		{"silence_ms", "10 to 10000", func(c *Config) { c.SilenceMS = 9 }},
		{"silence_ms", "10001", func(c *Config) { c.SilenceMS = 10001 }},
		{"min_speech_ms", "0 to 1000", func(c *Config) { c.MinSpeechMS = -1 }},
		{"min_speech_ms", "1001", func(c *Config) { c.MinSpeechMS = 1001 }},
		{"max_utterance_ms", "5000 to 90000", func(c *Config) { c.MaxUtteranceMS = 4999 }},
		{"max_utterance_ms", "90001", func(c *Config) { c.MaxUtteranceMS = 90001 }},
	} {
		cfg := DefaultConfig()
		c.change(&cfg)
		s, err := New(cfg)
		var bad *ConfigError
		if !errors.As(err, &bad) || bad.Field != c.field || !strings.Contains(err.Error(), c.inText) {
			t.Errorf("%s: New = %v, want one about %s with %q", c.field, err, c.field, c.inText)
		}
		if s != nil {
			t.Errorf("%s: a Segmenter with the error", c.field)
		}
	}
}

func TestConfigDerived(t *testing.T) {
	for _, c := range []struct {
		threshold, neg, want float32
	}{
		{0.5, 0, 0.35}, {0.5, 0.4, 0.4}, {0.1, 0, 0.01}, {0.01, 0, 0.01},
	} {
		cfg := Config{Threshold: c.threshold, NegThreshold: c.neg}
		if got := cfg.negThreshold(); math.Abs(float64(got-c.want)) > 1e-6 {
			t.Errorf("threshold %v, lower %v: %v, want %v", c.threshold, c.neg, got, c.want)
		}
	}
	for _, c := range []struct{ ms, need, window int }{{0, 1, 2}, {1, 1, 2}, {96, 3, 4}, {97, 4, 6}, {1000, 32, 43}} {
		need, window := Config{MinSpeechMS: c.ms}.onset()
		if need != c.need || window != c.window {
			t.Errorf("%d ms: %d of %d frames, want %d of %d", c.ms, need, window, c.need, c.window)
		}
	}
}
