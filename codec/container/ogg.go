package container

import (
	"bytes"
	"slices"

	"parley/codec"
)

// Ogg reads an Ogg Opus stream (RFC 3533, RFC 7845) page by page: checksums are
// verified, the pre-skip and the end trimming are told with each packet, and
// chained streams follow one another. Logical streams of other kinds beside
// the Opus one are passed over.
type Ogg struct {
	page   []byte // the page being collected, at most maxPage bytes
	serial uint32 // of the stream being read
	live   bool   // between its first and its last page
	seq    uint32 // page number expected next
	stage  oggStage
	packet []byte // the part of a packet that earlier pages held
	whole  [][]byte
	within bool // a packet goes on in the next page
	ended  bool // the last page of a stream was read
	cut    cut
	total  int64 // samples at 48 kHz given so far
	start  int64 // granule position at which the stream began
	broken error
}

type oggStage uint8

const (
	oggHead  oggStage = iota // the identification header comes next
	oggTags                  // the comment header, of any length, is passed over
	oggAudio                 // packets
)

// NewOgg reads a stream from its first byte.
func NewOgg() *Ogg { return &Ogg{} }

// Push calls emit for each packet of the pages that b completes. After any
// error every call repeats it; an error of emit is returned as it is.
func (o *Ogg) Push(b []byte, emit func(Packet) error) error {
	for len(b) > 0 && o.broken == nil {
		need, err := pageLen(o.page)
		if err != nil {
			o.broken = err
			break
		}
		n := min(need-len(o.page), len(b))
		o.page = append(o.page, b[:n]...)
		b = b[n:]
		if need, err = pageLen(o.page); err == nil && len(o.page) == need {
			err = o.take(o.page, emit)
			o.page = o.page[:0]
		}
		o.broken = err
	}
	return o.broken
}

// End reports codec.ErrTruncated where the stream stopped inside a page, a
// packet or its headers. A missing last page is no fault: live streams just stop.
func (o *Ogg) End() error {
	switch {
	case o.broken != nil:
		return o.broken
	case len(o.page) > 0:
		return truncated("Ogg ends inside a page")
	case o.within:
		return truncated("Ogg ends inside a packet")
	case o.stage != oggAudio && !o.ended:
		return truncated("Ogg ends before its audio")
	}
	return nil
}

// take reads one whole page.
func (o *Ogg) take(raw []byte, emit func(Packet) error) error {
	p, err := parsePage(raw)
	if err != nil {
		return err
	}
	switch {
	case p.first():
		ours, err := o.begin(p)
		if err != nil || !ours {
			return err
		}
	case !o.live && !o.ended:
		return malformed("Ogg begins in the middle of a stream")
	case p.serial != o.serial || !o.live:
		return nil // a stream of another kind, or after its end
	}
	if p.seq != o.seq {
		o.packet, o.within = o.packet[:0], false // pages are missing
	}
	o.seq = p.seq + 1
	err = o.packets(p, emit)
	if p.last() {
		o.live, o.ended = false, true
		if err == nil && o.within {
			err = malformed("Ogg stream ends inside a packet")
		}
	}
	return err
}

// begin decides whether a first page starts the stream to be read.
func (o *Ogg) begin(p page) (ours bool, err error) {
	switch {
	case bytes.HasPrefix(p.body, []byte(opusMagic)):
		if o.live && o.stage != oggAudio {
			return false, nil // a second Opus stream beside the first
		}
	case o.live || o.ended || bytes.HasPrefix(p.body, []byte("fishead\x00")):
		return false, nil
	default:
		return false, unsupported("Ogg with %s", oggCodec(p.body))
	}
	*o = Ogg{page: o.page, packet: o.packet[:0], whole: o.whole, serial: p.serial, live: true, seq: p.seq}
	return true, nil
}

// oggCodec names what a first page begins.
func oggCodec(body []byte) string {
	for magic, name := range map[string]string{
		"\x01vorbis": "Vorbis", "\x7fFLAC": "FLAC", "Speex   ": "Speex", "\x80theora": "Theora", "OVP80": "VP8",
	} {
		if bytes.HasPrefix(body, []byte(magic)) {
			return name
		}
	}
	return "an unknown codec"
}

// packets acts on what a page holds. RFC 7845 gives each header pages of its own.
func (o *Ogg) packets(p page, emit func(Packet) error) error {
	switch o.stage {
	case oggHead:
		head, err := parseOpusHead(p.body)
		if err != nil {
			return err
		}
		o.cut, o.stage = newCut(head), oggTags
		return nil
	case oggTags:
		if !p.continued() && !bytes.HasPrefix(p.body, []byte("OpusTags")) {
			return malformed("Ogg Opus without OpusTags")
		}
		if p.ends() {
			o.stage = oggAudio
		}
		return nil
	}
	whole, err := o.split(p)
	if err != nil {
		return err
	}
	return o.deliver(p, whole, emit)
}

// split gives the packets that end in p and keeps the part of one that does not.
func (o *Ogg) split(p page) ([][]byte, error) {
	known := !p.continued() || o.within // else the first packet's beginning is lost
	if !p.continued() {
		o.packet = o.packet[:0]
	}
	o.within = false
	whole, body, size := o.whole[:0], p.body, 0
	for i, n := range p.lacing {
		size += int(n)
		if n == 255 && i < len(p.lacing)-1 {
			continue
		}
		part := body[:size]
		body, size = body[size:], 0
		if len(o.packet)+len(part) > codec.MaxOpusPacket {
			return nil, malformed("Ogg packet of more than %d bytes", codec.MaxOpusPacket)
		}
		o.within = n == 255
		switch {
		case !known:
		case o.within:
			o.packet = append(o.packet, part...)
		case len(o.packet) > 0: // only the first of a page has such a beginning
			whole = append(whole, slices.Concat(o.packet, part))
			o.packet = o.packet[:0]
		default:
			whole = append(whole, part)
		}
		known = known || !o.within
	}
	o.within = o.within && known
	o.whole = whole
	return whole, nil
}

// deliver gives the packets that end in p. Of the last page only so much counts
// as its granule position says (RFC 7845 section 4.4).
func (o *Ogg) deliver(p page, whole [][]byte, emit func(Packet) error) error {
	inside := int64(0)
	for _, payload := range whole {
		parsed, err := codec.ParseOpusPacket(payload)
		if err != nil {
			return err
		}
		inside += int64(codec.Samples(parsed.Duration(), granuleRate))
	}
	if o.total == 0 && !p.last() && len(whole) > 0 {
		o.start = max(p.granule-inside, 0)
	}
	trim := int64(0)
	if p.last() && p.granule >= 0 {
		trim = max(o.start+o.total+inside-p.granule, 0)
	}
	o.total += inside
	for _, payload := range whole {
		out, n, err := o.cut.next(payload)
		if err != nil {
			return err
		}
		inside -= int64(n)
		out.Trim = int(min(max(trim-inside, 0), int64(n)))
		if err := emit(out); err != nil {
			return err
		}
	}
	return nil
}
