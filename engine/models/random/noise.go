package random

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// levels is how many different values a random weight can have: the middles of
// as many equally likely parts of the normal distribution.
const levels = 1 << 12

var normal = func() (t [levels]float32) {
	for i := range t {
		t[i] = float32(math.Sqrt2 * math.Erfinv((2*float64(i)+1)/levels-1))
	}
	return t
}()

// noise makes the random weights of one tensor, each row by itself.
type noise struct {
	seed uint64
	pcg  rand.PCG
	bits uint64
	left int // of bits, in quarters
}

func newNoise(seed uint64, tensor string) *noise {
	h := fnv.New64a()
	_, _ = h.Write([]byte(tensor))
	return &noise{seed: seed ^ h.Sum64()}
}

// row begins a row.
func (n *noise) row(i int) {
	n.pcg.Seed(n.seed, uint64(i)*0x9e3779b97f4a7c15)
	n.left = 0
}

// next is a number below levels.
func (n *noise) next() int {
	if n.left == 0 {
		n.bits, n.left = n.pcg.Uint64(), 4
	}
	i := int(n.bits & (levels - 1))
	n.bits >>= 16
	n.left--
	return i
}

// floats fills a row with normal deviates.
func (n *noise) floats(row int, sigma float32, dst []float32) {
	n.row(row)
	for i := range dst {
		dst[i] = sigma * normal[n.next()]
	}
}

// half is a number as IEEE 754's binary16, rounded to the nearest; what is too
// small for its normal numbers becomes 0, what is too large infinite.
func half(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	bits &= 0x7fffffff
	bits += 0xfff + bits>>13&1 // to nearest, ties to even
	switch {
	case bits < 113<<23:
		return sign
	case bits >= 143<<23:
		return sign | 0x7c00
	}
	return sign | uint16(bits>>13-112<<10)
}
