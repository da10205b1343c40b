package random

import (
	"bufio"
	"context"
	"encoding/binary"
	"math"
)

// tensor is one tensor of the file.
type tensor struct {
	name  string
	shape []int // slowest first; the last one is the row
	half  bool  // 16-bit numbers
	sigma float64
	value float32
	// fill makes a row, or leaves it to sigma or value where it returns false.
	fill func(i int, row []float32) bool
}

// noisy is a tensor of 16-bit normal deviates.
func noisy(name string, sigma float64, shape ...int) tensor {
	return tensor{name: name, shape: shape, half: true, sigma: sigma}
}

// single is a tensor of 32-bit zeros.
func single(name string, shape ...int) tensor { return tensor{name: name, shape: shape} }

func (t tensor) constant(v float32) tensor                 { t.value = v; return t }
func (t tensor) random(sigma float64) tensor               { t.sigma = sigma; return t }
func (t tensor) filled(f func(int, []float32) bool) tensor { t.fill = f; return t }

// rows is their number and length.
func (t tensor) rows() (n, length int) {
	n, length = 1, t.shape[len(t.shape)-1]
	for _, d := range t.shape[:len(t.shape)-1] {
		n *= d
	}
	if len(t.shape) == 3 { // a row of three weights would be dear
		n, length = n/t.shape[1], length*t.shape[1]
	}
	return n, length
}

func (t tensor) size() int64 {
	n, length := t.rows()
	width := 4
	if t.half {
		width = 2
	}
	return int64(12+4*len(t.shape)+len(t.name)) + int64(n)*int64(length)*int64(width)
}

// write writes head and numbers.
func (t tensor) write(ctx context.Context, out *bufio.Writer, w *weights) error {
	kind := 0
	if t.half {
		kind = 1
	}
	numbers(out, len(t.shape), len(t.name), kind)
	for i := range t.shape {
		numbers(out, t.shape[len(t.shape)-1-i])
	}
	_, _ = out.WriteString(t.name)
	source := newNoise(w.Seed, t.name)
	var table [levels]uint16
	for i, v := range normal {
		table[i] = half(float32(t.sigma) * v)
	}
	n, length := t.rows()
	row, raw := make([]float32, length), make([]byte, 0, 4*length)
	for i := range n {
		if i%64 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch raw = raw[:0]; {
		case t.fill != nil && t.fill(i, row):
			raw = t.append(raw, row)
		case t.half:
			source.row(i)
			for range length {
				raw = binary.LittleEndian.AppendUint16(raw, table[source.next()])
			}
		case t.sigma != 0:
			source.floats(i, float32(t.sigma), row)
			raw = t.append(raw, row)
		default:
			for j := range row {
				row[j] = t.value
			}
			raw = t.append(raw, row)
		}
		if _, err := out.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// append adds numbers in the tensor's width.
func (t tensor) append(raw []byte, row []float32) []byte {
	for _, v := range row {
		if t.half {
			raw = binary.LittleEndian.AppendUint16(raw, half(v))
		} else {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	return raw
}
