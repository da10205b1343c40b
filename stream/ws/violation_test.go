package ws

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/stream"
)

// TestViolations breaks RFC 6455 over TCP and reads the close code.
func TestViolations(t *testing.T) {
	join := func(frames ...[]byte) []byte {
		var all []byte
		for _, f := range frames {
			all = append(all, f...)
		}
		return all
	}
	unmasked := []byte{fin | opText, 2, 'h', 'i'}
	negative := []byte{fin | opBinary, masked | 127, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	for _, tc := range []struct {
		name string
		sent []byte
		want int
	}{
		{"unmasked frame", unmasked, 1002},
		{"reserved bit 1", frame(fin|0x40|opText, []byte("x")), 1002},
		{"reserved bit 2", frame(fin|0x20|opText, []byte("x")), 1002},
		{"reserved bit 3", frame(fin|0x10|opBinary, []byte("x")), 1002},
		{"reserved data opcode", frame(fin|0x3, nil), 1002},
		{"reserved control opcode", frame(fin|0xB, nil), 1002},
		{"control frame of 126 bytes", frame(fin|opPing, make([]byte, 126)), 1002},
		{"fragmented ping", frame(opPing, nil), 1002},
		{"continuation of nothing", frame(fin|opContinuation, []byte("x")), 1002},
		{"message inside a message", join(frame(opText, []byte("a")), frame(fin|opText, []byte("b"))), 1002},
		{"negative length", negative, 1002},
		{"text is not UTF-8", frame(fin|opText, []byte{0xc3, 0x28}), 1007},
		{"rune cut at the end", frame(fin|opText, []byte("\xe8\xaa")), 1007},
		{"surrogate in UTF-8", frame(fin|opText, []byte("\xed\xa0\x80")), 1007},
		{"not UTF-8 across fragments", join(frame(opText, []byte("\xe8")), frame(fin|opContinuation, []byte("\x28"))), 1007},
		{"close of one byte", frame(fin|opClose, []byte{3}), 1002},
		{"close code 999", frame(fin|opClose, []byte{0x03, 0xe7}), 1002},
		{"close code 1005", frame(fin|opClose, []byte{0x03, 0xed}), 1002},
		{"close code 5000", frame(fin|opClose, []byte{0x13, 0x88}), 1002},
		{"message too large", frame(fin|opBinary, make([]byte, 1001)), 4413},
		{"fragments too large", join(frame(opText, make([]byte, 600)), frame(fin|opContinuation, make([]byte, 600))), 4413},
		{"good close", frame(fin|opClose, []byte{0x03, 0xe8}), 1000},
		{"close of no code", frame(fin|opClose, nil), 1005},
	} {
		t.Run(tc.name, func(t *testing.T) {
			serve, ended := ending(echo)
			cfg := serving(serve)
			cfg.MaxMessage = 1000
			conn := shake(t, listen(t, cfg))
			if _, err := conn.Write(tc.sent); err != nil {
				t.Fatal(err)
			}
			if got := closeCode(t, conn); got != tc.want {
				t.Errorf("close code %d, want %d", got, tc.want)
			}
			_ = conn.Close()
			_, refused := errors.AsType[*stream.Error](<-ended)
			if want := tc.want != 1000 && tc.want != 1005; refused != want {
				t.Errorf("the session saw a *stream.Error: %v, want %v", refused, want)
			}
		})
	}
}

// TestControlFrames: pings are answered with their payload, also inside a message.
func TestControlFrames(t *testing.T) {
	conn := shake(t, listen(t, serving(echo)))
	for _, f := range [][]byte{
		frame(fin|opPing, nil),
		frame(opText, []byte("he")),
		frame(fin|opPing, []byte("between")),
		frame(fin|opPong, []byte("unasked")),
		frame(opContinuation, nil),
		frame(fin|opContinuation, []byte("llo")),
	} {
		if _, err := conn.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []struct {
		op   byte
		body string
	}{{opPong, ""}, {opPong, "between"}, {opText, "hello"}} {
		op, body, err := readFrame(conn)
		if err != nil || op != want.op || string(body) != want.body {
			t.Fatalf("got opcode %d %q (%v), want %d %q", op, body, err, want.op, want.body)
		}
	}
}

// shake connects over TCP by hand and returns the connection after the handshake.
func shake(t *testing.T, url string) net.Conn {
	t.Helper()
	host := strings.TrimPrefix(url, "ws://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // against a test that hangs
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", host)
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %+v, %v", res, err)
	}
	return buffered{conn, r}
}

type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }
