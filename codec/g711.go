package codec

import "math/bits"

// G.711 companding (ITU-T G.711, 11/1988). µ-law works on 14-bit and A-law on
// 13-bit magnitudes, here scaled to 16 bits as in ITU-T G.191.

var (
	muLawTable = table(muLawToLinear)
	aLawTable  = table(aLawToLinear)
)

func table(expand func(byte) int16) (t [256]float32) {
	for i := range t {
		t[i] = float32(expand(byte(i))) / 32768
	}
	return t
}

func muLawToLinear(code byte) int16 {
	code = ^code
	mag := (int(code&15)<<1 + 33) << (code >> 4 & 7)
	v := int16((mag - 33) << 2)
	if code&0x80 != 0 {
		return -v
	}
	return v
}

func aLawToLinear(code byte) int16 {
	code ^= 0x55
	mag := int(code&15)<<1 + 1
	if seg := code >> 4 & 7; seg > 0 {
		mag = (mag + 32) << (seg - 1)
	}
	v := int16(mag << 3)
	if code&0x80 == 0 {
		return -v
	}
	return v
}

// LinearToMuLaw compresses a 16-bit sample to a µ-law code.
func LinearToMuLaw(v int16) byte {
	sign, mag := byte(0x80), int(v)
	if v < 0 {
		sign, mag = 0, -int(v)-1
	}
	mag = min(mag>>2+33, 0x1fff)
	seg := bits.Len(uint(mag)) - 6
	return sign | ^byte(seg<<4|mag>>(seg+1)&15)&0x7f
}

// LinearToALaw compresses a 16-bit sample to an A-law code.
func LinearToALaw(v int16) byte {
	sign, mag := byte(0x80), int(v)
	if v < 0 {
		sign, mag = 0, -int(v)-1
	}
	mag >>= 4
	seg := max(bits.Len(uint(mag))-4, 0)
	if seg > 0 {
		mag >>= seg - 1
	}
	return (sign | byte(seg<<4) | byte(mag&15)) ^ 0x55
}

// AppendMuLaw appends one µ-law code a sample.
func AppendMuLaw(dst []byte, pcm []float32) []byte {
	for _, x := range pcm {
		dst = append(dst, LinearToMuLaw(ToPCM16(x)))
	}
	return dst
}

// AppendALaw appends one A-law code a sample.
func AppendALaw(dst []byte, pcm []float32) []byte {
	for _, x := range pcm {
		dst = append(dst, LinearToALaw(ToPCM16(x)))
	}
	return dst
}
