package container

import "math/bits"

// EBML and Matroska element identifiers (RFC 8794, RFC 9559).
const (
	idEBML           = 0x1A45DFA3
	idDocType        = 0x4282
	idVoid           = 0xEC
	idCRC32          = 0xBF
	idSegment        = 0x18538067
	idSeekHead       = 0x114D9B74
	idInfo           = 0x1549A966
	idTracks         = 0x1654AE6B
	idCues           = 0x1C53BB6B
	idAttachments    = 0x1941A469
	idChapters       = 0x1043A770
	idTags           = 0x1254C367
	idTrackEntry     = 0xAE
	idTrackNumber    = 0xD7
	idCodecID        = 0x86
	idCodecPrivate   = 0x63A2
	idCodecDelay     = 0x56AA
	idEncodings      = 0x6D80
	idCluster        = 0x1F43B675
	idSimpleBlock    = 0xA3
	idBlockGroup     = 0xA0
	idBlock          = 0xA1
	idDiscardPadding = 0x75A2
)

// parents says in which element those stand that are looked into; 0 is the
// top. All others are passed over.
var parents = map[uint32]uint32{
	idEBML: 0, idSegment: 0,
	idDocType: idEBML,
	idTracks:  idSegment, idCluster: idSegment,
	idTrackEntry:  idTracks,
	idTrackNumber: idTrackEntry, idCodecID: idTrackEntry,
	idCodecPrivate: idTrackEntry, idCodecDelay: idTrackEntry, idEncodings: idTrackEntry,
	idSimpleBlock: idCluster, idBlockGroup: idCluster,
	idBlock: idBlockGroup, idDiscardPadding: idBlockGroup,
}

func isMaster(id uint32) bool {
	switch id {
	case idEBML, idSegment, idTracks, idTrackEntry, idCluster, idBlockGroup:
		return true
	}
	return false
}

// ends says whether id ends an open element of unknown size: what stands in a
// Segment ends a Cluster, and a new file ends both.
func ends(open, id uint32) bool {
	switch id {
	case idEBML, idSegment:
		return true
	case idSeekHead, idInfo, idTracks, idCluster, idCues, idAttachments, idChapters, idTags:
		return open == idCluster
	}
	return false
}

// unknownSize stands for a size with all bits set.
const unknownSize = -1

// vint reads a variable-size integer (RFC 8794 section 4) without its marker.
// Its length is 0 where b is too short, and -1 where b begins none.
func vint(b []byte) (value int64, length int) {
	if len(b) == 0 {
		return 0, 0
	}
	n := bits.LeadingZeros8(b[0]) + 1
	if n > 8 {
		return 0, -1
	}
	if len(b) < n {
		return 0, 0
	}
	value = int64(b[0]) & (1<<(8-n) - 1)
	for _, x := range b[1:n] {
		value = value<<8 | int64(x)
	}
	if value == 1<<(7*n)-1 {
		value = unknownSize
	}
	return value, n
}

// elementHeader reads an identifier, which keeps its marker, and a size. Its
// length is 0 where b is too short.
func elementHeader(b []byte) (id uint32, size int64, length int, err error) {
	_, n := vint(b)
	if n < 0 || n > 4 {
		return 0, 0, 0, malformed("WebM lost: % x where an element begins", b)
	}
	if n == 0 {
		if len(b) > 0 && b[0] < 0x10 {
			return 0, 0, 0, malformed("WebM lost: % x where an element begins", b)
		}
		return 0, 0, 0, nil
	}
	for _, x := range b[:n] {
		id = id<<8 | uint32(x)
	}
	size, m := vint(b[n:])
	switch {
	case m < 0:
		return 0, 0, 0, malformed("WebM element %X without a size", id)
	case m == 0:
		return 0, 0, 0, nil
	}
	return id, size, n + m, nil
}

// ebmlUint reads an unsigned integer of at most 8 bytes; no bytes are zero.
func ebmlUint(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}
