package container_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/codec/container"
)

// known reports whether err is one that a caller can branch on.
func known(err error) bool {
	return err == nil || errors.Is(err, codec.ErrMalformed) || errors.Is(err, codec.ErrUnsupported) || errors.Is(err, codec.ErrTruncated)
}

// fuzzPackets: any bytes give the same packets and the same verdict whole and in
// pieces, and every packet given is one.
func fuzzPackets(f *testing.F, fresh func() reader) {
	f.Fuzz(func(t *testing.T, b []byte, step uint16) {
		want, wantErr := read(fresh(), b, nil)
		if !known(wantErr) {
			t.Fatalf("error %v of no kind", wantErr)
		}
		for _, p := range want {
			if _, err := codec.ParseOpusPacket(p.Payload); err != nil || p.Skip < 0 || p.Trim < 0 {
				t.Fatalf("%v: %+v", err, p)
			}
		}
		var got []container.Packet
		r, size := fresh(), int(step)+1
		var err error
		for rest := b; len(rest) > 0 && err == nil; rest = rest[min(size, len(rest)):] {
			err = r.Push(rest[:min(size, len(rest))], func(p container.Packet) error {
				p.Payload = bytes.Clone(p.Payload)
				got = append(got, p)
				return nil
			})
		}
		if err == nil {
			err = r.End()
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("differs in pieces of %d:\n%s", size, cmp.Diff(want, got))
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v whole, %v in pieces of %d", wantErr, err, size)
		}
	})
}

func FuzzOgg(f *testing.F) {
	f.Add(rawPage(2, 0, 9, 0, head(nil)), uint16(3))
	fuzzPackets(f, func() reader { return container.NewOgg() })
}

// FuzzOggPages mends the checksums, so that what lies behind them is reached.
func FuzzOggPages(f *testing.F) {
	f.Add(append(rawPage(2, 0, 9, 0, head(nil)), rawPage(0, 0, 9, 1, tags)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for from := 0; len(b)-from >= 27; {
			n := 27 + int(b[from+26])
			if len(b)-from < n {
				break
			}
			for _, size := range b[from+27 : from+n] {
				n += int(size)
			}
			if len(b)-from < n {
				break
			}
			fixChecksum(b[from : from+n])
			from += n
		}
		packets, err := read(container.NewOgg(), b, nil)
		if !known(err) {
			t.Fatalf("error %v of no kind", err)
		}
		for _, p := range packets {
			if parsed, err := codec.ParseOpusPacket(p.Payload); err != nil || p.Trim > codec.Samples(parsed.Duration(), 48000) {
				t.Fatalf("%v: %+v", err, p)
			}
		}
	})
}

func FuzzWebM(f *testing.F) {
	f.Add(file(tracks(opusTrack()), live(cluster, simple(1, 0, silence...))), uint16(3))
	fuzzPackets(f, func() reader { return container.NewWebM() })
}

func FuzzWAV(f *testing.F) {
	f.Add(riff(fmtChunk(1, 1, 16000, 16), chunk("data", []byte{1, 2})), uint16(3))
	f.Fuzz(func(t *testing.T, b []byte, step uint16) {
		want, rate, wantErr := readWAV(b, nil)
		if !known(wantErr) || len(want) > len(b) || rate != 0 && (rate < codec.MinRate || rate > codec.MaxRate) {
			t.Fatalf("%d bytes gave %d samples at %d Hz, error %v", len(b), len(want), rate, wantErr)
		}
		w, size := container.NewWAV(), int(step)+1
		var got []float32
		var err error
		for rest := b; len(rest) > 0 && err == nil; rest = rest[min(size, len(rest)):] {
			got, err = w.Push(got, rest[:min(size, len(rest))])
		}
		if err == nil {
			err = w.End()
		}
		if !slices.Equal(want, got) || (err == nil) != (wantErr == nil) {
			t.Fatalf("%d samples, error %v whole; %d, %v in pieces of %d", len(want), wantErr, len(got), err, size)
		}
	})
}

// FuzzSniff: more bytes may decide what was open, never change what was decided,
// and SniffLen bytes always decide.
func FuzzSniff(f *testing.F) {
	f.Add([]byte("RIFF\x24\x00\x00\x00WAVE"))
	f.Fuzz(func(t *testing.T, b []byte) {
		decided := codec.Auto
		for n := range len(b) + 1 {
			got, err := container.Sniff(b[:n])
			if !known(err) || (err != nil) != (got == "") {
				t.Fatalf("%d bytes: %q, %v", n, got, err)
			}
			if decided != codec.Auto && got != decided || got == codec.Auto && n >= container.SniffLen {
				t.Fatalf("%d bytes: %q after %q", n, got, decided)
			}
			decided = got
		}
	})
}
