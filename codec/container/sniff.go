package container

import (
	"bytes"

	"parley/codec"
)

// SniffLen is how many first bytes decide every case.
const SniffLen = 12

// signature is what a format begins with; a zero in mask lets the byte be any.
type signature struct {
	offset int
	magic  string
	mask   string // as long as magic, or empty for all bits
	is     codec.Encoding
	name   string // of a format we do not take
}

var signatures = []signature{
	{magic: "OggS", is: codec.OggOpus},
	{magic: "\x1a\x45\xdf\xa3", is: codec.WebMOpus},
	{magic: "RIFF\x00\x00\x00\x00WAVE", mask: "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff", is: codec.WAV},
	{magic: "RF64", name: "RF64 (WAVE beyond 4 GiB)"},
	{magic: "RIFX", name: "RIFX (big-endian WAVE)"},
	{magic: "RIFF\x00\x00\x00\x00AVI ", mask: "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff", name: "AVI"},
	{magic: "fLaC", name: "FLAC"},
	{magic: "ID3", name: "MP3 (ID3 tag)"},
	{magic: "FORM", name: "AIFF"},
	{magic: "#!AMR", name: "AMR"},
	{magic: "caff", name: "CAF"},
	{magic: ".snd", name: "AU"},
	{magic: "\xff\xf0", mask: "\xff\xf6", name: "AAC (ADTS)"},
	{magic: "\xff\xe0", mask: "\xff\xe0", name: "MP3"},
	{offset: 4, magic: "ftyp", name: "MP4"},
}

// match says whether first begins with s, or still may (more).
func (s signature) match(first []byte) (yes, more bool) {
	for i := range len(s.magic) {
		at := s.offset + i
		if at >= len(first) {
			return false, true
		}
		mask := byte(0xff)
		if s.mask != "" {
			mask = s.mask[i]
		}
		if first[at]&mask != s.magic[i]&mask {
			return false, false
		}
	}
	return true, false
}

// Sniff tells a stream's encoding by its first bytes: codec.OggOpus,
// codec.WebMOpus or codec.WAV, or codec.Auto while it takes more bytes to tell
// (never more than SniffLen). Anything else gives codec.ErrUnsupported with
// what was seen: raw audio is not guessed.
func Sniff(first []byte) (codec.Encoding, error) {
	open := false
	for _, s := range signatures {
		yes, more := s.match(first)
		if yes && s.name != "" {
			return "", unsupported("%s", s.name)
		}
		if yes {
			return s.is, nil
		}
		open = open || more
	}
	if open || len(first) < SniffLen {
		return codec.Auto, nil
	}
	first = first[:min(len(first), SniffLen)]
	if bytes.IndexFunc(first, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return "", unsupported("unknown content that begins with the text %q", first)
	}
	return "", unsupported("unknown content that begins with the bytes % x", first)
}
