package codec_test

import (
	"testing"

	"parley/codec"
)

// segment is one row of tables 1 and 2 of ITU-T G.711: count intervals of size
// step that begin at the decision value from, in the unit of the table.
type segment struct{ from, step, count int }

var (
	// Table 2a, magnitudes of 14 bits. The first interval is a single one wide.
	muLawSegments = []segment{
		{0, 1, 1}, {1, 2, 15}, {31, 4, 16}, {95, 8, 16}, {223, 16, 16},
		{479, 32, 16}, {991, 64, 16}, {2015, 128, 16}, {4063, 256, 16},
	}
	// Table 1a, magnitudes of 13 bits.
	aLawSegments = []segment{
		{0, 2, 32}, {64, 4, 16}, {128, 8, 16}, {256, 16, 16}, {512, 32, 16}, {1024, 64, 16}, {2048, 128, 16},
	}
)

// intervals lists (lower bound, decoder output) of every value number.
func intervals(rows []segment) (lower, output []int) {
	for _, row := range rows {
		for i := range row.count {
			from := row.from + i*row.step
			lower = append(lower, from)
			output = append(output, from+row.step/2)
		}
	}
	return lower, output
}

// Every 16-bit sample falls into the interval that the tables give, and every
// code decodes to the output value that they give.
func TestG711MatchesTheTables(t *testing.T) {
	for _, tc := range []struct {
		name   string
		rows   []segment
		scale  int // 16-bit units in one of the table
		encode func(int16) byte
		layout codec.Layout
		code   func(n int, positive bool) byte // character signal of a value number
	}{
		{"mu-law", muLawSegments, 4, codec.LinearToMuLaw, codec.LayoutMuLaw, func(n int, positive bool) byte {
			if positive {
				return 0xff - byte(n)
			}
			return 0x7f - byte(n)
		}},
		{"A-law", aLawSegments, 8, codec.LinearToALaw, codec.LayoutALaw, func(n int, positive bool) byte {
			if positive {
				return (0x80 | byte(n)) ^ 0x55
			}
			return byte(n) ^ 0x55
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lower, output := intervals(tc.rows)
			if len(lower) != 128 {
				t.Fatalf("%d intervals", len(lower))
			}
			for v := -32768; v <= 32767; v++ {
				mag, positive := v, v >= 0
				if !positive {
					mag = -v - 1
				}
				n := len(lower) - 1
				for lower[n]*tc.scale > mag {
					n--
				}
				if got, want := tc.encode(int16(v)), tc.code(n, positive); got != want {
					t.Fatalf("encode(%d) = %#02x, want %#02x", v, got, want)
				}
			}
			for n, out := range output {
				for sign, positive := range map[int]bool{1: true, -1: false} {
					code := tc.code(n, positive)
					got := unpack(t, tc.layout, 1, []byte{code})[0] * 32768
					if want := float32(sign * out * tc.scale); got != want {
						t.Errorf("decode(%#02x) = %v, want %v", code, got, want)
					}
				}
			}
		})
	}
}

func TestG711KnownCodes(t *testing.T) {
	for _, tc := range []struct {
		v      int16
		mu, al byte
	}{
		{0, 0xff, 0xd5}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}, {-1, 0x7f, 0x55}, {1000, 0xce, 0xfa}, {-1000, 0x4e, 0x7a},
	} {
		if got := codec.LinearToMuLaw(tc.v); got != tc.mu {
			t.Errorf("mu-law of %d is %#02x, want %#02x", tc.v, got, tc.mu)
		}
		if got := codec.LinearToALaw(tc.v); got != tc.al {
			t.Errorf("A-law of %d is %#02x, want %#02x", tc.v, got, tc.al)
		}
	}
}

func TestG711SurvivesItself(t *testing.T) {
	for code := range 256 {
		b := []byte{byte(code)}
		if got := codec.AppendALaw(nil, unpack(t, codec.LayoutALaw, 1, b)); got[0] != b[0] {
			t.Errorf("A-law %#02x becomes %#02x", code, got[0])
		}
		got := codec.AppendMuLaw(nil, unpack(t, codec.LayoutMuLaw, 1, b))
		if got[0] != b[0] && code != 0x7f { // minus zero becomes zero
			t.Errorf("mu-law %#02x becomes %#02x", code, got[0])
		}
	}
}
