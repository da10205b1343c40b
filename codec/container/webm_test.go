package container_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/codec/container"
)

// el makes an EBML element with a size of 8 bytes; live makes one of unknown size.
func el(id uint32, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.BigEndian.AppendUint64(elID(id), uint64(len(body))|1<<56)
	return append(b, body...)
}

func live(id uint32, parts ...[]byte) []byte {
	return append(append(elID(id), 1, 255, 255, 255, 255, 255, 255, 255), bytes.Join(parts, nil)...)
}

func elID(id uint32) []byte {
	return bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
}

func ebmlHead(docType string) []byte { return el(0x1A45DFA3, el(0x4282, []byte(docType))) }

func track(number byte, codecID string, more ...[]byte) []byte {
	return el(0xAE, append([][]byte{el(0xD7, []byte{number}), el(0x86, []byte(codecID))}, more...)...)
}

func opusTrack(more ...[]byte) []byte {
	return track(1, "A_OPUS", append(more, el(0x63A2, head(nil)))...)
}

func tracks(entries ...[]byte) []byte { return el(0x1654AE6B, entries...) }

func block(number, flags byte, body ...byte) []byte {
	return append([]byte{0x80 | number, 0, 0, flags}, body...)
}

func simple(number, flags byte, body ...byte) []byte { return el(0xA3, block(number, flags, body...)) }

const (
	segment  = 0x18538067
	cluster  = 0x1F43B675
	cues     = 0x1C53BB6B
	blockGrp = 0xA0
)

func file(segmentParts ...[]byte) []byte {
	return append(ebmlHead("webm"), live(segment, segmentParts...)...)
}

func TestWebMStreams(t *testing.T) {
	one := simple(1, 0, silence...)
	long := bytes.Repeat([]byte{7}, 300)
	lace := func(kind byte, head []byte, frames ...[]byte) []byte {
		return simple(1, kind, append(head, bytes.Join(frames, nil)...)...)
	}
	frame := func(n int) []byte { return append([]byte{1 << 3}, long[:n-1]...) }
	for _, tc := range []struct {
		name string
		in   []byte
		want []int // sizes of the packets
	}{
		{"all sizes known", append(ebmlHead("webm"), el(segment, tracks(opusTrack()), el(cluster, one, one))...), []int{1, 1}},
		{"sizes unknown", file(tracks(opusTrack()), live(cluster, one), live(cluster, one)), []int{1, 1}},
		{"clusters known in an unknown segment", file(tracks(opusTrack()), el(cluster, el(0xE7, []byte{0}), one), el(cluster, one)), []int{1, 1}},
		{"cues after an unknown cluster", file(tracks(opusTrack()), live(cluster, one), el(cues, make([]byte, 2<<20)), live(cluster, one)), []int{1, 1}},
		{"matroska", append(ebmlHead("matroska"), live(segment, tracks(opusTrack()), live(cluster, one))...), []int{1}},
		{"voids", append(append(ebmlHead("webm"), el(0xEC, make([]byte, 100))...), live(segment, el(0xEC), tracks(opusTrack()), live(cluster, el(0xEC, []byte{0}), one))...), []int{1}},
		{"video beside", file(tracks(track(2, "V_VP9", el(0x63A2, make([]byte, 9999))), opusTrack()), live(cluster, simple(2, 0, make([]byte, 200000)...), one, el(blockGrp, el(0xA1, block(2, 0, make([]byte, 100000)...))))), []int{1}},
		{"block group", file(tracks(opusTrack()), live(cluster, el(blockGrp, el(0x9B, []byte{20}), el(0xA1, block(1, 0, silence...))))), []int{1}},
		{"empty block group", file(tracks(opusTrack()), live(cluster, el(blockGrp), one)), []int{1}},
		{"xiph lacing", file(tracks(opusTrack()), live(cluster, lace(0x02, []byte{2, 255, 0, 3}, frame(255), frame(3), frame(4)))), []int{255, 3, 4}},
		{"fixed lacing", file(tracks(opusTrack()), live(cluster, lace(0x04, []byte{2}, frame(5), frame(5), frame(5)))), []int{5, 5, 5}},
		{"EBML lacing", file(tracks(opusTrack()), live(cluster, lace(0x06, []byte{3, 0x41, 0x2c, 0x80, 0x60, 2}, frame(300), frame(237), frame(240), frame(9)))), []int{300, 237, 240, 9}},
		{"lacing of one", file(tracks(opusTrack()), live(cluster, lace(0x06, []byte{0}, frame(9)))), []int{9}},
		{"two recordings", append(file(tracks(opusTrack()), live(cluster, one)), file(tracks(opusTrack()), live(cluster, one))...), []int{1, 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packets, err := read(container.NewWebM(), tc.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, p := range packets {
				got = append(got, len(p.Payload))
				if p.Payload[0] != 1<<3 {
					t.Errorf("packet begins with %#x", p.Payload[0])
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWebMCuts(t *testing.T) {
	group := el(blockGrp, el(0xA1, block(1, 0, silence...)), el(0x75A2, []byte{0x4c, 0x4b, 0x40})) // 5 ms
	negative := el(blockGrp, el(0xA1, block(1, 0, silence...)), el(0x75A2, []byte{0xff}))
	for _, tc := range []struct {
		name string
		in   []byte
		want int // samples at 48 kHz
	}{
		{"pre-skip of OpusHead", file(tracks(opusTrack()), live(cluster, simple(1, 0, silence...))), 960 - 312},
		{"delay without OpusHead", file(tracks(track(1, "A_OPUS", el(0x56AA, []byte{0x4c, 0x4b, 0x40}))), live(cluster, simple(1, 0, silence...))), 960 - 240},
		{"discard padding", file(tracks(opusTrack()), live(cluster, group)), 960 - 312 - 240},
		{"padding of the block before", file(tracks(opusTrack()), live(cluster, group, simple(1, 0, silence...))), 2*960 - 312 - 240},
		{"padding at the start", file(tracks(opusTrack()), live(cluster, negative)), 960 - 312},
		{"two recordings", append(file(tracks(opusTrack()), live(cluster, simple(1, 0, silence...))), file(tracks(opusTrack()), live(cluster, simple(1, 0, silence...)))...), 2 * (960 - 312)},
	} {
		packets, err := read(container.NewWebM(), tc.in, nil)
		if n := samples(t, packets); err != nil || n != tc.want {
			t.Errorf("%s: %d samples, %v; want %d", tc.name, n, err, tc.want)
		}
	}
}

func TestWebMRefuses(t *testing.T) {
	one := simple(1, 0, silence...)
	for _, tc := range []struct {
		name string
		in   []byte
		err  error
		says string
	}{
		{"nothing", nil, codec.ErrTruncated, "before its audio"},
		{"not EBML", []byte("OggS"), codec.ErrMalformed, "begins with element"},
		{"no element", []byte{0, 1, 2}, codec.ErrMalformed, "WebM lost: 00"},
		{"long identifier", append(ebmlHead("webm"), 8, 1, 2), codec.ErrMalformed, "WebM lost: 08"},
		{"another document", ebmlHead("other"), codec.ErrUnsupported, `document "other"`},
		{"Vorbis only", file(tracks(track(1, "A_VORBIS")), live(cluster, one)), codec.ErrUnsupported, "A_VORBIS, want A_OPUS"},
		{"video and AAC", file(tracks(track(1, "V_VP8"), track(2, "A_AAC")), live(cluster, one)), codec.ErrUnsupported, "V_VP8, A_AAC, want A_OPUS"},
		{"encrypted", file(tracks(opusTrack(el(0x6D80, make([]byte, 9))))), codec.ErrUnsupported, "compressed or encrypted"},
		{"many tracks", file(tracks(bytes.Repeat(track(1, "A_AAC"), 65))), codec.ErrMalformed, "more than 64 tracks"},
		{"audio before tracks", file(live(cluster, one)), codec.ErrMalformed, "before its tracks"},
		{"bad OpusHead", file(tracks(track(1, "A_OPUS", el(0x63A2, []byte("OpusHead"))))), codec.ErrMalformed, "OpusHead of 8 bytes"},
		{"unknown size of a block", file(tracks(opusTrack()), live(cluster, live(0xA3))), codec.ErrMalformed, "element A3 of unknown size"},
		{"unknown size of what is unknown", file(live(0x4242)), codec.ErrMalformed, "element 4242 of unknown size"},
		{"unknown cluster in a group", file(tracks(opusTrack()), live(cluster, el(blockGrp, live(cluster)))), codec.ErrMalformed, "unknown size in A0"},
		{"child beyond its parent", file(el(0x1654AE6B, []byte{0xAE, 0x85})), codec.ErrMalformed, "does not fit into 1654AE6B"},
		{"long codec name", file(tracks(track(1, strings.Repeat("A", 5000)))), codec.ErrMalformed, "element 86 of 5000 bytes"},
		{"huge block", file(tracks(opusTrack()), live(cluster, simple(1, 0, make([]byte, 100000)...))), codec.ErrMalformed, "more than 65536 bytes"},
		{"lost in a cluster", file(tracks(opusTrack()), live(cluster, one, el(0x4F67, make([]byte, 2<<20)))), codec.ErrMalformed, "lost: element 4F67"},
		{"lost between files", append(ebmlHead("webm"), el(0x4F67)...), codec.ErrMalformed, "lost: element 4F67"},
		{"short block", file(tracks(opusTrack()), live(cluster, el(0xA3, []byte{0x81, 0}))), codec.ErrMalformed, "block of 2 bytes"},
		{"empty packet", file(tracks(opusTrack()), live(cluster, simple(1, 0))), codec.ErrMalformed, "no bytes"},
		{"bad packet", file(tracks(opusTrack()), live(cluster, simple(1, 0, 0xff, 0))), codec.ErrMalformed, "frame count 0"},
		{"lacing without count", file(tracks(opusTrack()), live(cluster, simple(1, 2))), codec.ErrMalformed, "without a frame count"},
		{"xiph lacing cut", file(tracks(opusTrack()), live(cluster, simple(1, 2, 2, 255))), codec.ErrMalformed, "3 frames of more"},
		{"xiph lacing beyond", file(tracks(opusTrack()), live(cluster, simple(1, 2, 1, 9, 8))), codec.ErrMalformed, "2 frames of more"},
		{"fixed lacing unequal", file(tracks(opusTrack()), live(cluster, simple(1, 4, 1, 8, 8, 8))), codec.ErrMalformed, "2 equal frames in 3"},
		{"EBML lacing negative", file(tracks(opusTrack()), live(cluster, simple(1, 6, 2, 0x81, 0x80, 8))), codec.ErrMalformed, "3 frames of more"},
		{"EBML lacing cut", file(tracks(opusTrack()), live(cluster, simple(1, 6, 2))), codec.ErrMalformed, "3 frames of more"},
		{"segment cut", append(ebmlHead("webm"), el(segment, tracks(opusTrack()), el(cluster, one), one)[:100]...), codec.ErrTruncated, "inside an element"},
		{"segment cut between", bytes.TrimSuffix(append(ebmlHead("webm"), el(segment, tracks(opusTrack()), el(cluster, one), one)...), one), codec.ErrTruncated, "14 bytes short"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := read(container.NewWebM(), tc.in, nil); !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v with %q", err, tc.err, tc.says)
			}
		})
	}
}

func BenchmarkWebM(b *testing.B) {
	in := load(b, "chrome.webm")
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if err := container.NewWebM().Push(in, func(container.Packet) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
