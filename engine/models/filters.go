package models

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"os"
)

// Bins is how many frequencies from 0 to half the sampling rate, both included,
// a filter weighs.
const Bins = 201

// Filters reads the weights that make the bands of a model's spectrogram, one
// row of Bins for each band. The error is ErrFormat or of the file system.
func Filters(path string) ([][]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	s := &scanner{f: f, r: bufio.NewReaderSize(f, 64<<10), size: stat.Size()}
	s.head()
	var info Info
	info.parameters(s)
	rows := info.filters(s)
	if s.err != nil {
		return nil, fmt.Errorf("models: %s: %w", path, s.err)
	}
	return rows, nil
}

// head reads what every model file begins with.
func (s *scanner) head() {
	if p := s.bytes(4); p != nil && binary.LittleEndian.Uint32(p) != magic {
		s.fail("it begins with %q", p)
	}
}

// filters reads the bands that follow the parameters.
func (i *Info) filters(s *scanner) [][]float32 {
	s.number("the filters' bands", i.Mels, i.Mels)
	s.number("the filters' length", Bins, Bins)
	rows := make([][]float32, i.Mels)
	for b := range rows {
		raw := s.bytes(4 * Bins)
		if raw == nil {
			return nil
		}
		rows[b] = make([]float32, Bins)
		for k := range rows[b] {
			rows[b][k] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*k:]))
			if w := float64(rows[b][k]); math.IsNaN(w) || math.IsInf(w, 0) {
				s.fail("the filter of band %d weighs %v", b, w)
			}
		}
	}
	return rows
}
