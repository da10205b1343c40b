package container_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/codec/container"
)

// reader is either container of Opus packets.
type reader interface {
	Push(b []byte, emit func(container.Packet) error) error
	End() error
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read pushes b in pieces, all at once where rng is nil, and keeps the packets.
func read(r reader, b []byte, rng *rand.Rand) (packets []container.Packet, err error) {
	keep := func(p container.Packet) error {
		p.Payload = bytes.Clone(p.Payload)
		packets = append(packets, p)
		return nil
	}
	for len(b) > 0 && err == nil {
		n := len(b)
		if rng != nil {
			n = min(n, rng.IntN(1+rng.IntN(700)))
		}
		err = r.Push(b[:n], keep)
		b = b[n:]
	}
	if err == nil {
		err = r.End()
	}
	return packets, err
}

// samples is how much audio at 48 kHz the packets hold, without what is cut.
func samples(t testing.TB, packets []container.Packet) (n int) {
	t.Helper()
	for _, p := range packets {
		parsed, err := codec.ParseOpusPacket(p.Payload)
		if err != nil {
			t.Fatal(err)
		}
		n += codec.Samples(parsed.Duration(), 48000) - p.Skip - p.Trim
	}
	return n
}

// Files of other programs give as many samples as ffmpeg counts in them, however
// they are cut.
func TestReadersAgreeWithOthers(t *testing.T) {
	for _, tc := range []struct {
		file string
		new  func() reader
		want int
		skip int
	}{
		{"opusenc.opus", func() reader { return container.NewOgg() }, 112560, 312},
		{"ffmpeg.opus", func() reader { return container.NewOgg() }, 112560, 312},
		{"chrome.webm", func() reader { return container.NewWebM() }, 118080, 0},
		{"ffmpeg.webm", func() reader { return container.NewWebM() }, 112560, 312},
		{"live.webm", func() reader { return container.NewWebM() }, 112560, 312},
	} {
		t.Run(tc.file, func(t *testing.T) {
			b := load(t, tc.file)
			want, err := read(tc.new(), b, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := samples(t, want); n != tc.want {
				t.Errorf("%d samples, want %d", n, tc.want)
			}
			if !want[0].First || want[0].Skip != tc.skip || want[1].First || want[1].Skip != 0 || want[0].Gain != 1 {
				t.Errorf("begins with %+v", want[0])
			}
			rng := rand.New(rand.NewPCG(5, 5))
			for range 20 {
				got, err := read(tc.new(), b, rng)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(want, got) {
					t.Fatalf("differs when cut:\n%s", cmp.Diff(want, got))
				}
			}
		})
	}
}

// At many lengths a cut-off file gives a beginning of its packets and then
// says that it was cut off, unless it ends where a live stream may end.
func TestReadersReportTruncation(t *testing.T) {
	for _, tc := range []struct {
		file string
		new  func() reader
	}{
		{"opusenc.opus", func() reader { return container.NewOgg() }},
		{"chrome.webm", func() reader { return container.NewWebM() }},
		{"ffmpeg.webm", func() reader { return container.NewWebM() }},
	} {
		b := load(t, tc.file)
		whole := 0
		for n := 0; n < len(b); n += 5 {
			_, err := read(tc.new(), b[:n], nil)
			if err == nil {
				whole++
			} else if !errors.Is(err, codec.ErrTruncated) {
				t.Fatalf("%s cut at %d: error %v, want ErrTruncated", tc.file, n, err)
			}
		}
		if whole > 20 {
			t.Errorf("%s: %d of %d beginnings pass as whole", tc.file, whole, len(b)/5)
		}
	}
}

// oggFile writes packets of one byte of silence, 20 ms each.
func oggFile(t testing.TB, serial uint32, packets int, last time.Duration) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := container.NewOggWriter(&buf, 16000, 6500*time.Microsecond, serial)
	if err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		p := codec.Packet{Payload: []byte{1 << 3, byte(i)}, Duration: 20 * time.Millisecond}
		if i == packets-1 {
			p.Duration = last
		}
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func TestOggWriterIsReadBack(t *testing.T) {
	for _, n := range []int{1, 2, 24, 25, 26, 300} {
		got, err := read(container.NewOgg(), oggFile(t, 7, n, 5*time.Millisecond), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n {
			t.Fatalf("%d packets, want %d", len(got), n)
		}
		for i, p := range got {
			if !bytes.Equal(p.Payload, []byte{1 << 3, byte(i)}) {
				t.Fatalf("packet %d is % x", i, p.Payload)
			}
		}
		if want := (n-1)*960 + 240; samples(t, got) != want {
			t.Errorf("%d packets hold %d samples, want %d", n, samples(t, got), want)
		}
	}
}

func TestOggWriterTakesLargePackets(t *testing.T) {
	var buf bytes.Buffer
	w, err := container.NewOggWriter(&buf, 48000, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]byte
	for i := range 120 {
		p := append([]byte{1 << 3}, bytes.Repeat([]byte{byte(i)}, []int{254, 253, 255, 509, 1275, 0}[i%6])...)
		want = append(want, p)
		if err := w.WritePacket(codec.Packet{Payload: p, Duration: 20 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	packets, err := read(container.NewOgg(), buf.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		if !bytes.Equal(p.Payload, want[i]) {
			t.Fatalf("packet %d has %d bytes, want %d", i, len(p.Payload), len(want[i]))
		}
	}
	if len(packets) != len(want) {
		t.Errorf("%d packets, want %d", len(packets), len(want))
	}
}

func TestOggWriterRefusesWhatIsNoPacket(t *testing.T) {
	w, err := container.NewOggWriter(io.Discard, 48000, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WritePacket(codec.Packet{}); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("error %v, want ErrMalformed", err)
	}
}

func TestOggChainedStreams(t *testing.T) {
	b := append(oggFile(t, 1, 3, 20*time.Millisecond), oggFile(t, 2, 2, 20*time.Millisecond)...)
	got, err := read(container.NewOgg(), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	var first []int
	for i, p := range got {
		if p.First {
			first = append(first, i)
		}
	}
	if diff := cmp.Diff([]int{0, 3}, first); diff != "" || len(got) != 5 {
		t.Errorf("%d packets, streams begin at: %s", len(got), diff)
	}
}

// rawPage makes a page around packets of less than 255 bytes.
func rawPage(flags byte, granule int64, serial, seq uint32, packets ...[]byte) []byte {
	b := append([]byte("OggS\x00"), flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(granule))
	b = binary.LittleEndian.AppendUint32(b, serial)
	b = binary.LittleEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, byte(len(packets)))
	for _, p := range packets {
		b = append(b, byte(len(p)))
	}
	for _, p := range packets {
		b = append(b, p...)
	}
	return fixChecksum(b)
}

// fixChecksum is the slow, literal form of the checksum in RFC 3533.
func fixChecksum(b []byte) []byte {
	copy(b[22:26], []byte{0, 0, 0, 0})
	crc := uint32(0)
	for _, x := range b {
		crc ^= uint32(x) << 24
		for range 8 {
			if crc>>31 == 1 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(b[22:], crc)
	return b
}

func head(edit func([]byte)) []byte {
	b := []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	if edit != nil {
		edit(b)
	}
	return b
}

var (
	silence = []byte{1 << 3}
	tags    = []byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00")
)

func TestOggOddStreams(t *testing.T) {
	start := append(rawPage(2, 0, 9, 0, head(nil)), rawPage(0, 0, 9, 1, tags)...)
	for _, tc := range []struct {
		name string
		in   []byte
		want int // samples at 48 kHz
		err  error
		says string
	}{
		{"another stream between", append(append(bytes.Clone(start), rawPage(0, 50, 8, 4, []byte("?"))...), rawPage(4, 1960, 9, 2, silence, silence, silence)...), 1648, nil, ""},
		{"skeleton first", append(rawPage(2, 0, 3, 0, []byte("fishead\x00")), append(bytes.Clone(start), rawPage(4, 960, 9, 2, silence)...)...), 648, nil, ""},
		{"captured while live", append(bytes.Clone(start), append(rawPage(0, 960*100, 9, 2, silence), rawPage(4, 960*101-60, 9, 3, silence)...)...), 1548, nil, ""},
		{"a page is missing", append(bytes.Clone(start), rawPage(0, 960*5, 9, 6, silence)...), 648, nil, ""},
		{"trims more than there is", append(bytes.Clone(start), rawPage(4, 0, 9, 2, silence, silence)...), -312, nil, ""},
		{"Vorbis", rawPage(2, 0, 1, 0, []byte("\x01vorbis...")), 0, codec.ErrUnsupported, "Ogg with Vorbis"},
		{"unknown codec", rawPage(2, 0, 1, 0, []byte("what")), 0, codec.ErrUnsupported, "Ogg with an unknown codec"},
		{"version 1", fixChecksum(append([]byte("OggS\x01"), rawPage(2, 0, 1, 0, head(nil))[5:]...)), 0, codec.ErrUnsupported, "Ogg version 1"},
		{"middle first", rawPage(0, 0, 1, 5, silence), 0, codec.ErrMalformed, "in the middle"},
		{"not Ogg", []byte("OpgS"), 0, codec.ErrMalformed, "Ogg lost: 4f 70"},
		{"lost between pages", append(bytes.Clone(start), "garbage"...), 0, codec.ErrMalformed, "Ogg lost: 67"},
		{"no tags", append(rawPage(2, 0, 9, 0, head(nil)), rawPage(0, 0, 9, 1, silence)...), 0, codec.ErrMalformed, "without OpusTags"},
		{"bad packet", append(bytes.Clone(start), rawPage(0, 960, 9, 2, []byte{0xff, 0})...), 0, codec.ErrMalformed, "frame count 0"},
		{"empty packet", append(bytes.Clone(start), rawPage(0, 960, 9, 2, nil)...), 0, codec.ErrMalformed, "no bytes"},
		{"short head", rawPage(2, 0, 9, 0, head(nil)[:12]), 0, codec.ErrMalformed, "OpusHead of 12 bytes"},
		{"later version", rawPage(2, 0, 9, 0, head(func(b []byte) { b[8] = 16 })), 0, codec.ErrUnsupported, "OpusHead version 16"},
		{"surround", rawPage(2, 0, 9, 0, append(head(func(b []byte) { b[9], b[18] = 6, 1 }), 4, 2)), 0, codec.ErrUnsupported, "6 channels in several streams"},
		{"ambisonics", rawPage(2, 0, 9, 0, head(func(b []byte) { b[18] = 3 })), 0, codec.ErrUnsupported, "mapping family 3"},
		{"no channels", rawPage(2, 0, 9, 0, head(func(b []byte) { b[9] = 0 })), 0, codec.ErrMalformed, "0 channels"},
		{"only headers", start, 0, nil, ""},
		{"only a head", start[:47], 0, codec.ErrTruncated, "before its audio"},
		{"nothing", nil, 0, codec.ErrTruncated, "before its audio"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packets, err := read(container.NewOgg(), tc.in, nil)
			if !errors.Is(err, tc.err) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %v with %q", err, tc.err, tc.says)
			}
			if n := samples(t, packets); n != tc.want {
				t.Errorf("%d samples, want %d", n, tc.want)
			}
		})
	}
}

func TestOggVerifiesChecksums(t *testing.T) {
	b := load(t, "opusenc.opus")
	for _, at := range []int{30, 60, 200, len(b) / 2, len(b) - 1} {
		bad := bytes.Clone(b)
		bad[at] ^= 0x10
		if _, err := read(container.NewOgg(), bad, nil); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("byte %d flipped: error %v, want ErrMalformed", at, err)
		}
	}
}

func TestOggGain(t *testing.T) {
	b := rawPage(2, 0, 9, 0, head(func(b []byte) { binary.LittleEndian.PutUint16(b[16:], 0x10000-6*256) }))
	b = append(append(b, rawPage(0, 0, 9, 1, tags)...), rawPage(0, 960, 9, 2, silence)...)
	packets, err := read(container.NewOgg(), b, nil)
	if err != nil || len(packets) != 1 || packets[0].Gain < 0.5 || packets[0].Gain > 0.502 {
		t.Errorf("%+v, %v; want one with a gain of -6 dB", packets, err)
	}
}

// A comment header may be as long as it likes: it is not kept.
func TestOggPassesOverLongTags(t *testing.T) {
	b := rawPage(2, 0, 9, 0, head(nil))
	for seq := range uint32(50) {
		p := rawPage(1, -1, 9, seq+1)
		if seq == 0 {
			p[5] = 0
		}
		p[26] = 255
		p = append(p, bytes.Repeat([]byte{255}, 255)...)
		body := make([]byte, 255*255)
		if copy(body, tags); seq == 49 {
			p[len(p)-1] = 254
			body = body[1:]
		}
		b = append(b, fixChecksum(append(p, body...))...)
	}
	b = append(b, rawPage(4, 960, 9, 51, silence)...)
	packets, err := read(container.NewOgg(), b, nil)
	if err != nil || len(packets) != 1 {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

func TestReadersReturnTheErrorOfEmit(t *testing.T) {
	gone := errors.New("gone")
	for file, r := range map[string]reader{"opusenc.opus": container.NewOgg(), "chrome.webm": container.NewWebM()} {
		for range 2 {
			if err := r.Push(load(t, file), func(container.Packet) error { return gone }); err != gone {
				t.Errorf("%s: error %v, want %v", file, err, gone)
			}
		}
	}
}

func BenchmarkOgg(b *testing.B) {
	file := load(b, "opusenc.opus")
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if err := container.NewOgg().Push(file, func(container.Packet) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
