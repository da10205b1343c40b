package models

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilters: the bands of Whisper's spectrogram are triangles over a few bins
// each, whose centres rise.
func TestFilters(t *testing.T) {
	rows, err := Filters(bundled)
	if err != nil || len(rows) != 80 {
		t.Fatal(len(rows), err)
	}
	last := -1
	for b, row := range rows {
		top, used := 0, 0
		for k, w := range row {
			if w < 0 {
				t.Fatalf("band %d weighs bin %d with %v", b, k, w)
			}
			if w > 0 {
				used++
			}
			if w > row[top] {
				top = k
			}
		}
		if len(row) != Bins || used == 0 || used > 20 || top < last {
			t.Errorf("band %d: %d of %d bins, top at %d after %d", b, used, len(row), top, last)
		}
		last = top
	}
}

func TestFiltersRefuses(t *testing.T) {
	good, err := os.ReadFile(bundled)
	if err != nil {
		t.Fatal(err)
	}
	good = good[:atWords]
	put := func(at int, value uint32) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[at:], value)
			return b
		}
	}
	for want, change := range map[string]func([]byte) []byte{
		"begins with":                put(0, 0x46554747),
		"cut off at byte 3000":       func(b []byte) []byte { return b[:3000] },
		"the filters' bands is 81":   put(atFilters, 81),
		"the filters' length is 200": put(atFilters+4, 200),
		"band 1 weighs NaN":          put(atFilters+8+4*Bins, math.Float32bits(float32(math.NaN()))),
	} {
		path := filepath.Join(t.TempDir(), "m.bin")
		if err := os.WriteFile(path, change(append([]byte(nil), good...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Filters(path); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := Filters("none"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
