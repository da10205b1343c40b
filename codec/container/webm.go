package container

import (
	"slices"
	"strings"
	"time"

	"parley/codec"
)

// Bounds of what a WebM reader holds.
const (
	maxBlock  = 64 << 10 // a block of Opus packets
	maxHeader = 4 << 10  // a leaf of the headers
	maxAlien  = 1 << 20  // an element among the audio that means nothing to us
	maxTracks = 64
)

// WebM reads the first Opus track of a WebM or Matroska stream (RFC 9559), as
// MediaRecorder makes it: Segment and Cluster may be of unknown size. Other
// tracks beside it are passed over. Pre-skip, discard padding and all four
// kinds of lacing are honoured. Files may follow one another.
type WebM struct {
	pos    int64      // bytes read
	open   []element  // the elements around pos, outermost first
	head   []byte     // of the element that begins, at most 12 bytes
	leaf   element    // being collected
	held   []byte     // its bytes
	need   int        // how many of them
	skip   int64      // bytes to pass over
	track  webmTrack  // being read
	seen   []string   // the codecs of all tracks
	ours   *webmTrack // the one whose blocks count
	cut    cut        //
	group  []byte     // the block of the open BlockGroup
	trim   int        // samples at 48 kHz to drop at its end
	emit   func(Packet) error
	broken error
}

// element is an open element and the position of its end: where its own size
// is unknown, that of the element around it, or unknownSize.
type element struct {
	id    uint32
	end   int64
	known bool
}

// webmTrack is what a TrackEntry tells.
type webmTrack struct {
	number  uint64
	codec   string
	private []byte
	delay   uint64 // ns
	coded   bool   // compressed or encrypted
}

// NewWebM reads a stream from its first byte.
func NewWebM() *WebM { return &WebM{} }

// Push calls emit for each packet of the blocks that b completes. After any
// error every call repeats it; an error of emit is returned as it is.
func (w *WebM) Push(b []byte, emit func(Packet) error) error {
	w.emit = emit
	for len(b) > 0 && w.broken == nil {
		n := 0
		switch {
		case w.skip > 0:
			n = int(min(w.skip, int64(len(b))))
			w.skip -= int64(n)
			w.pos += int64(n)
		case w.need > 0:
			n = min(w.need-len(w.held), len(b))
			w.held = append(w.held, b[:n]...)
			w.pos += int64(n)
			if len(w.held) == w.need {
				w.broken = w.close(w.leaf.id, w.held)
			}
		default:
			n = 1
			w.head = append(w.head, b[0])
			w.pos++
			w.broken = w.begin()
		}
		b = b[n:]
		if w.broken == nil && w.skip == 0 && w.need == 0 && len(w.head) == 0 {
			w.broken = w.leave()
		}
	}
	return w.broken
}

// End reports codec.ErrTruncated where the stream stopped inside an element or
// before its audio.
func (w *WebM) End() error {
	switch {
	case w.broken != nil:
		return w.broken
	case w.skip > 0 || w.need > 0 || len(w.head) > 0:
		return truncated("WebM ends inside an element")
	case w.ours == nil:
		return truncated("WebM ends before its audio")
	}
	for _, e := range w.open {
		if e.known {
			return truncated("WebM ends %d bytes short of the size of its element %X", e.end-w.pos, e.id)
		}
	}
	return nil
}

// begin acts on an element's header once it is whole.
func (w *WebM) begin() error {
	id, size, n, err := elementHeader(w.head)
	if err != nil || n == 0 {
		return err
	}
	w.head = w.head[:0]
	if w.pos == int64(n) && id != idEBML {
		return malformed("WebM begins with element %X", id)
	}
	for len(w.open) > 0 && !w.top().known && ends(w.top().id, id) {
		if err := w.pop(); err != nil {
			return err
		}
	}
	e := element{id: id, end: w.pos + size, known: size != unknownSize}
	limit := w.top().end
	switch {
	case !e.known && id != idSegment && id != idCluster:
		return malformed("WebM element %X of unknown size", id)
	case !e.known:
		e.end = limit
	case limit != unknownSize && e.end > limit:
		return malformed("WebM element %X of %d bytes does not fit into %X", id, size, w.top().id)
	}
	if parent, wanted := parents[id]; !wanted || parent != w.top().id {
		return w.pass(id, size)
	}
	return w.enter(e, size)
}

// top is the innermost open element; around all is one without end.
func (w *WebM) top() element {
	if len(w.open) == 0 {
		return element{end: unknownSize}
	}
	return w.open[len(w.open)-1]
}

// pass skips an element; among blocks and between files only a small one, since
// there a large one means that the stream is lost.
func (w *WebM) pass(id uint32, size int64) error {
	switch at := w.top().id; {
	case size == unknownSize:
		return malformed("WebM element %X of unknown size in %X", id, at)
	case at != idCluster && at != idBlockGroup && at != 0:
	case size > maxAlien || at == 0 && id != idVoid:
		return malformed("WebM lost: element %X of %d bytes in %X", id, size, at)
	}
	w.skip = size
	return nil
}

// enter opens an element that is looked into.
func (w *WebM) enter(e element, size int64) error {
	if isMaster(e.id) {
		w.open = append(w.open, e)
		return w.entered(e.id)
	}
	w.leaf, w.held, w.need = e, w.held[:0], int(min(size, maxBlock))
	switch {
	case e.id == idEncodings:
		w.track.coded = true
		w.need, w.skip = 0, size
		return nil
	case e.id == idCodecPrivate && size > maxHeader: // no OpusHead
		w.need, w.skip = 0, size
		return nil
	case e.id == idSimpleBlock || e.id == idBlock:
		if size > maxBlock { // perhaps another track's: its number tells
			w.need = 8
		}
	case size > maxHeader:
		return malformed("WebM element %X of %d bytes", e.id, size)
	}
	if size == 0 {
		return w.close(e.id, nil)
	}
	return nil
}

func (w *WebM) entered(id uint32) error {
	switch id {
	case idEBML:
		w.ours, w.seen = nil, nil
	case idTrackEntry:
		w.track = webmTrack{}
	case idCluster:
		if w.ours == nil {
			return malformed("WebM with audio before its tracks")
		}
	case idBlockGroup:
		w.group, w.trim = w.group[:0], 0
	}
	return nil
}

// leave closes the elements that end here.
func (w *WebM) leave() error {
	for len(w.open) > 0 && w.top().end == w.pos {
		if err := w.pop(); err != nil {
			return err
		}
	}
	return nil
}

// pop closes the innermost element.
func (w *WebM) pop() error {
	id := w.top().id
	w.open = w.open[:len(w.open)-1]
	switch id {
	case idTrackEntry:
		return w.addTrack(w.track)
	case idTracks:
		if w.ours == nil {
			return unsupported("WebM with %s, want A_OPUS", strings.Join(w.seen, ", "))
		}
	case idBlockGroup:
		return w.block(w.group, w.trim)
	}
	return nil
}

// addTrack chooses the first Opus track.
func (w *WebM) addTrack(t webmTrack) error {
	if len(w.seen) == maxTracks {
		return malformed("WebM with more than %d tracks", maxTracks)
	}
	w.seen = append(w.seen, t.codec)
	if w.ours != nil || t.codec != "A_OPUS" {
		return nil
	}
	if t.coded {
		return unsupported("WebM with a compressed or encrypted track")
	}
	head := opusHead{preSkip: int(min(t.delay, 1e9) * granuleRate / 1e9), gain: 1}
	if len(t.private) > 0 {
		var err error
		if head, err = parseOpusHead(t.private); err != nil {
			return err
		}
	}
	w.ours, w.cut = &t, newCut(head)
	return nil
}

// close acts on a leaf.
func (w *WebM) close(id uint32, b []byte) error {
	w.need = 0
	switch id {
	case idDocType:
		if name := strings.TrimRight(string(b), "\x00"); name != "webm" && name != "matroska" {
			return unsupported("EBML document %q", name)
		}
	case idTrackNumber:
		w.track.number = ebmlUint(b)
	case idCodecID:
		w.track.codec = strings.TrimRight(string(b[:min(len(b), 64)]), "\x00")
	case idCodecPrivate:
		w.track.private = slices.Clone(b)
	case idCodecDelay:
		w.track.delay = ebmlUint(b)
	case idDiscardPadding:
		unused := 64 - 8*min(len(b), 8)
		ns := int64(ebmlUint(b)) << unused >> unused
		w.trim = codec.Samples(min(max(time.Duration(ns), 0), codec.MaxOpusDuration), granuleRate)
	case idBlock:
		if w.rest() {
			return w.foreign(b)
		}
		w.group = append(w.group[:0], b...)
	case idSimpleBlock:
		if w.rest() {
			return w.foreign(b)
		}
		return w.block(b, 0)
	}
	return nil
}

// rest says whether the leaf goes on behind what was collected, and then
// passes over that.
func (w *WebM) rest() bool {
	w.skip = w.leaf.end - w.pos
	return w.skip > 0
}

// foreign checks that a block too large for Opus is another track's.
func (w *WebM) foreign(b []byte) error {
	if number, _ := vint(b); w.ours != nil && uint64(number) == w.ours.number {
		return malformed("WebM block of more than %d bytes", maxBlock)
	}
	return nil
}
