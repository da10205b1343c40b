package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModelsRandomRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := write(t, "there.bin", "dear to somebody")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"size", []string{"huge", "--out", filepath.Join(dir, "x.bin")}, 1, "large-v3-turbo"},
		{"tokens", []string{"tiny", "--out", filepath.Join(dir, "x.bin"), "--tokens", "0"}, 1, "--tokens 0"},
		{"no file", []string{"tiny"}, 2, "--out"},
		{"a published name", []string{"tiny", "--out", filepath.Join(dir, "ggml-tiny.bin")}, 1, "random-tiny.bin"},
		{"a file that is there", []string{"tiny", "--out", there}, 1, "already"},
		{"no folder", []string{"tiny", "--out", filepath.Join(dir, "no", "x.bin")}, 1, "no such file"},
	} {
		o := parley(t, nil, append([]string{"models", "random"}, c.args...)...)
		if o.code != c.code || !strings.Contains(o.errout, c.want) {
			t.Errorf("%s: exit code %d, %q; want %d and %q", c.name, o.code, o.errout, c.code, c.want)
		}
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "dear to somebody" {
		t.Errorf("the file that was there: %q, %v", text, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// One real model is written, 78 MB: the file is gone with the test.
func TestModelsRandom(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "random-tiny.bin")
	out := parley(t, nil, "models", "random", "tiny", "--out", path, "--tokens", "7").must(t)
	_, said, ok := strings.Cut(out, "says: ")
	if !ok || len(strings.Fields(said)) != 7 {
		t.Fatalf("%q", out)
	}
	wav := filepath.Join(t.TempDir(), "a.wav")
	parley(t, nil, "say", "turn off the radio", "-o", wav).must(t)
	heard := parley(t, nil, "transcribe", "--model", path, "--language", "en", wav).must(t)
	if heard != said {
		t.Errorf("heard %q, want %q", heard, said)
	}
}
