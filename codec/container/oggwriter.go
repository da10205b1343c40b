package container

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"parley/codec"
)

// pageSpan is how much audio an OggWriter gathers before it writes a page.
const pageSpan = time.Second / 2

// OggWriter writes Opus packets as an Ogg Opus stream (RFC 7845).
type OggWriter struct {
	w       io.Writer
	page    page          // being gathered
	buf     []byte        // the bytes of one page
	preSkip int64         // samples at 48 kHz
	total   int64         // samples at 48 kHz in all packets
	media   time.Duration // what they cover
	span    time.Duration // media in the page
	closed  bool
}

// NewOggWriter writes the headers. preSkip is by how much the decoded signal
// lags behind (opus.Lookahead), rate the rate in Hz of the encoder's input, and
// serial tells this stream from others in the same file.
func NewOggWriter(w io.Writer, rate int, preSkip time.Duration, serial uint32) (*OggWriter, error) {
	o := &OggWriter{w: w, preSkip: int64(codec.Samples(preSkip, granuleRate)), page: page{serial: serial}}
	const vendor = "parley"
	tags := binary.LittleEndian.AppendUint32([]byte("OpusTags"), uint32(len(vendor)))
	tags = append(tags, vendor...)
	tags = binary.LittleEndian.AppendUint32(tags, 0)
	o.page.flags = 2
	for _, header := range [][]byte{opusHead{channels: 1, preSkip: int(o.preSkip), rate: rate}.append(nil), tags} {
		o.add(header)
		if err := o.write(0); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// WritePacket adds one packet. What is no Opus packet gives codec.ErrMalformed.
func (o *OggWriter) WritePacket(p codec.Packet) error {
	parsed, err := codec.ParseOpusPacket(p.Payload)
	if err != nil {
		return err
	}
	if o.span >= pageSpan || len(o.page.lacing)+len(p.Payload)/255+1 > 255 {
		if err := o.write(o.total); err != nil {
			return err
		}
	}
	o.add(p.Payload)
	o.total += int64(codec.Samples(parsed.Duration(), granuleRate))
	o.media += p.Duration
	o.span += parsed.Duration()
	return nil
}

func (o *OggWriter) add(packet []byte) {
	for n := len(packet); n >= 0; n -= 255 {
		o.page.lacing = append(o.page.lacing, byte(min(n, 255)))
	}
	o.page.body = append(o.page.body, packet...)
}

func (o *OggWriter) write(granule int64) error {
	o.page.granule = granule
	o.buf = o.page.append(o.buf[:0])
	if _, err := o.w.Write(o.buf); err != nil {
		return fmt.Errorf("Ogg page %d: %w", o.page.seq, err)
	}
	o.page.flags = 0
	o.page.seq++
	o.page.lacing, o.page.body = o.page.lacing[:0], o.page.body[:0]
	o.span = 0
	return nil
}

// Close writes the last page, which trims the padding off: as much audio comes
// back as the packets' durations sum up to. It does not close the writer; a
// second call does nothing.
func (o *OggWriter) Close() error {
	if o.closed {
		return nil
	}
	o.closed = true
	o.page.flags = 4
	return o.write(min(o.total, o.preSkip+int64(codec.Samples(o.media, granuleRate))))
}
