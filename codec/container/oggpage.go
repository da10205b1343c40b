package container

import (
	"encoding/binary"
	"slices"
)

// page is one Ogg page (RFC 3533 section 6).
type page struct {
	flags   byte
	granule int64
	serial  uint32
	seq     uint32
	lacing  []byte
	body    []byte
}

const (
	pageHeaderLen = 27
	maxPage       = pageHeaderLen + 255 + 255*255
)

func (p page) continued() bool { return p.flags&1 != 0 }
func (p page) first() bool     { return p.flags&2 != 0 }
func (p page) last() bool      { return p.flags&4 != 0 }

// ends says whether a packet ends in p.
func (p page) ends() bool {
	return slices.ContainsFunc(p.lacing, func(n byte) bool { return n < 255 })
}

// pageLen is how long the page that begins with b is, as far as b tells.
func pageLen(b []byte) (int, error) {
	if n := min(len(b), 4); string(b[:n]) != "OggS"[:n] {
		return 0, malformed("Ogg lost: % x where a page begins", b[:n])
	}
	if len(b) < pageHeaderLen {
		return pageHeaderLen, nil
	}
	n := pageHeaderLen + int(b[26])
	if len(b) >= n {
		for _, size := range b[pageHeaderLen:n] {
			n += int(size)
		}
	}
	return n, nil
}

func parsePage(b []byte) (page, error) {
	if b[4] != 0 {
		return page{}, unsupported("Ogg version %d", b[4])
	}
	if oggChecksum(b) != binary.LittleEndian.Uint32(b[22:]) {
		return page{}, malformed("Ogg page %d fails its checksum", binary.LittleEndian.Uint32(b[18:]))
	}
	segments := pageHeaderLen + int(b[26])
	return page{
		flags:   b[5],
		granule: int64(binary.LittleEndian.Uint64(b[6:])),
		serial:  binary.LittleEndian.Uint32(b[14:]),
		seq:     binary.LittleEndian.Uint32(b[18:]),
		lacing:  b[pageHeaderLen:segments],
		body:    b[segments:],
	}, nil
}

// append adds the page to b with its checksum.
func (p page) append(b []byte) []byte {
	from := len(b)
	b = append(b, "OggS\x00"...)
	b = append(b, p.flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.granule))
	b = binary.LittleEndian.AppendUint32(b, p.serial)
	b = binary.LittleEndian.AppendUint32(b, p.seq)
	b = append(b, 0, 0, 0, 0, byte(len(p.lacing)))
	b = append(b, p.lacing...)
	b = append(b, p.body...)
	binary.LittleEndian.PutUint32(b[from+22:], oggChecksum(b[from:]))
	return b
}

// crcTable is for the polynomial 0x04c11db7, most significant bit first.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			if r&(1<<31) != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

// oggChecksum is over the whole page with the checksum itself taken as zero.
func oggChecksum(raw []byte) (crc uint32) {
	for i, b := range raw {
		if i >= 22 && i < 26 {
			b = 0
		}
		crc = crc<<8 ^ crcTable[byte(crc>>24)^b]
	}
	return crc
}
