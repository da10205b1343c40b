package main_test

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/stream/native"
)

// neighbour is a good session that goes on beside the bad ones.
type neighbour struct {
	*client
	audio []packet
	text  string
}

func newNeighbour(t *testing.T, s *server) *neighbour {
	t.Helper()
	n := &neighbour{client: session(t, s, opusIn(quiet))}
	n.audio = utter(t, s, "yes please", "flite/slt")
	n.undisturbed(t)
	return n
}

// goOn has the neighbour hear its sentence again and again until stop is called.
func (n *neighbour) goOn(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	rounds := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for last := false; !last; rounds++ { // once more after all is over
			last = ctx.Err() != nil
			n.undisturbed(t)
		}
	})
	return func() {
		cancel()
		wg.Wait()
		t.Logf("meanwhile the session beside it heard its sentence %d times", rounds)
	}
}

// undisturbed has the neighbour hear its sentence once more.
func (n *neighbour) undisturbed(t *testing.T) {
	t.Helper()
	n.client.t = t
	got := n.understand(n.audio)
	if n.text == "" {
		n.text = got
	}
	if got == "" || got != n.text {
		t.Errorf("the session beside it heard %q, before %q", got, n.text)
	}
}

// misdeed is something a client may not do, and what comes of it.
type misdeed struct {
	name   string
	do     func(*client)
	code   string               // of the error event
	status websocket.StatusCode // 0: the session lives
}

func input(codec string, more ...any) map[string]any {
	in := map[string]any{"codec": codec}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return map[string]any{"input": in}
}

// started begins a session before the misdeed.
func started(fields map[string]any, then func(*client)) func(*client) {
	return func(c *client) {
		c.start(fields)
		c.until("session.started")
		then(c)
	}
}

// wholeStream sends bytes as one input stream that ends there.
func wholeStream(data []byte) func(*client) {
	return func(c *client) {
		c.frame(native.Frame{Stream: 1, Payload: data, Flags: native.FlagEnd})
	}
}

// lie sends PCM whose time stamps say that it lasts four times as long.
func lie(c *client) {
	for i := range 200 {
		c.frame(native.Frame{Stream: 1, Seq: uint32(i), PTS: uint64(i) * 80_000, Payload: make([]byte, 640)})
	}
}

func files(t *testing.T) (wav, ogg []byte) {
	t.Helper()
	dir := t.TempDir()
	for _, ext := range []string{"wav", "ogg"} {
		parley(t, nil, "say", "one two three", "-o", dir+"/x."+ext).must(t)
	}
	wav, err := os.ReadFile(dir + "/x.wav")
	if err != nil {
		t.Fatal(err)
	}
	ogg, err = os.ReadFile(dir + "/x.ogg")
	if err != nil {
		t.Fatal(err)
	}
	return wav, ogg
}

// webm is the beginning of a WebM file: an EBML head and half a segment.
var webm = slices.Concat([]byte{0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86, 0x81, 1, 0x42, 0xf7, 0x81, 1, 0x42, 0xf2, 0x81, 4, 0x42, 0xf3, 0x81, 8,
	0x42, 0x82, 0x84}, []byte("webm"), []byte{0x42, 0x87, 0x81, 4, 0x42, 0x85, 0x81, 2, 0x18, 0x53, 0x80, 0x67, 0xff, 0x16, 0x54, 0xae, 0x6b, 0xbf})

func text(s string) func(*client) {
	return func(c *client) { c.raw(websocket.MessageText, []byte(s)) }
}

func misdeeds(t *testing.T) []misdeed {
	pcm := input("pcm_s16le", "rate", 16000, "channels", 1)
	wav, ogg := files(t)
	nothing := func(*client) {}
	return []misdeed{
		{"text where binary is due", started(pcm, text("\x00\x01 audio as text")), "bad_request", 4400},
		{"JSON that is no object", started(pcm, text("[1]")), "bad_request", 4400},
		{"JSON without type", started(pcm, text(`{"id":"x"}`)), "bad_request", 4400},
		{"audio before start", func(c *client) { c.frame(native.Frame{Stream: 1, Payload: make([]byte, 640)}) }, "bad_request", 4400},
		{"command before start", func(c *client) { c.send(map[string]any{"type": "input.commit"}) }, "bad_request", 4400},
		{"start twice", started(pcm, func(c *client) { c.start(pcm) }), "bad_request", 0},
		{"short header", started(pcm, func(c *client) { c.raw(websocket.MessageBinary, make([]byte, 15)) }), "bad_request", 4400},
		{"empty message", started(pcm, func(c *client) { c.raw(websocket.MessageBinary, nil) }), "bad_request", 4400},
		{"kind that is not audio", started(pcm, func(c *client) {
			c.raw(websocket.MessageBinary, native.AppendFrame(nil, native.Frame{Kind: 9, Stream: 1, Payload: make([]byte, 64)}))
		}), "bad_request", 0},
		{"stream of the server", started(pcm, func(c *client) { c.frame(native.Frame{Stream: 0x8001, Payload: make([]byte, 64)}) }), "bad_request", 0},
		{"unknown codec", func(c *client) { c.start(input("mp3")) }, "unsupported_codec", 4415},
		{"rate out of range", func(c *client) { c.start(input("pcm_s16le", "rate", 4000, "channels", 1)) }, "unsupported_codec", 4415},
		{"channels out of range", func(c *client) { c.start(input("pcm_s16le", "rate", 16000, "channels", 7)) }, "unsupported_codec", 4415},
		{"unknown model", func(c *client) { c.start(map[string]any{"asr": map[string]any{"model": "nope"}}) }, "unknown_model", 4404},
		{"language the model lacks", func(c *client) { c.start(map[string]any{"asr": map[string]any{"language": "de"}}) }, "bad_request", 4400},
		{"unknown voice", func(c *client) { c.start(map[string]any{"tts": map[string]any{"voice": "nobody"}}) }, "bad_request", 4400},
		{"field of the wrong type", func(c *client) { c.start(map[string]any{"input": "opus"}) }, "bad_request", 4400},
		{"rate lies", started(pcm, lie), "bad_request", 0},
		{"1 MiB and one more frame", started(pcm, func(c *client) {
			c.frame(native.Frame{Stream: 1, Payload: make([]byte, 1<<20)})
			c.frame(native.Frame{Stream: 1, Seq: 1, Payload: make([]byte, 1<<20+2)})
		}), "frame_too_large", 4413},
		{"truncated Ogg", started(input("ogg_opus"), wholeStream(ogg[:len(ogg)/2+7])), "bad_request", 0},
		{"truncated WAV head", started(input("wav"), wholeStream(wav[:30])), "bad_request", 0},
		{"truncated WebM", started(input("webm_opus"), wholeStream(webm)), "bad_request", 0},
		{"Ogg that is none", started(input("ogg_opus"), wholeStream(wav)), "bad_request", 4400},
		{"content nobody knows", started(input("auto"), wholeStream([]byte("hello, this is no audio at all"))), "unsupported_codec", 4415},
		{"invalid UTF-8", started(pcm, text("{\"type\":\"ping\xff\"}")), "bad_request", websocket.StatusInvalidFramePayloadData},
		{"stream that has ended", started(pcm, func(c *client) {
			c.frame(native.Frame{Stream: 1, Payload: make([]byte, 640), Flags: native.FlagEnd})
			c.frame(native.Frame{Stream: 1, Seq: 1, Payload: make([]byte, 640)})
		}), "bad_request", 0},
		{"resuming", func(c *client) {
			c.start(map[string]any{"resume": map[string]any{"session": "sess_x", "token": "y", "seq": 1}})
		}, "resume_expired", 0},
		{"too much text", started(pcm, func(c *client) {
			c.send(map[string]any{"type": "speak", "text": strings.Repeat("word ", 1000)})
		}), "bad_request", 0},
		{"unknown fields and types", started(map[string]any{"colour": "red", "input": map[string]any{"codec": "opus", "shape": 3}}, func(c *client) {
			c.send(map[string]any{"type": "input.levitate"})
			c.send(map[string]any{"type": "ping", "t": 1, "mood": "good"})
		}), "", 0},
		{"a client that only looks", nothing, "", 0},
	}
}

func TestBadInput(t *testing.T) {
	s := commonServer(t)
	bad := misdeeds(t)
	defer newNeighbour(t, s).goOn(t)()
	for _, m := range bad {
		t.Run(m.name, func(t *testing.T) {
			c := dial(t, s)
			m.do(c)
			if m.code != "" {
				checkRefusal(t, c, m)
			}
			if m.status == 0 {
				c.send(map[string]any{"type": "ping", "t": 77})
				for ev := c.until("pong"); ev.T != 77; ev = c.until("pong") {
				}
			}
		})
	}
}

func checkRefusal(t *testing.T, c *client, m misdeed) {
	t.Helper()
	for {
		ev, ok := c.next()
		if !ok {
			t.Fatalf("closed with %d without an error", c.status)
		}
		if ev.Type != "error" {
			continue
		}
		if ev.Code != m.code || ev.Fatal != (m.status != 0) || ev.Message == "" {
			t.Errorf("error %s, fatal %v (%s); want %s", ev.Code, ev.Fatal, ev.Message, m.code)
		}
		break
	}
	if m.status == 0 {
		return
	}
	if _, status := c.drain(); status != m.status {
		t.Errorf("closed with %d, want %d", status, m.status)
	}
}

func TestAClientThatVanishes(t *testing.T) {
	s := commonServer(t)
	beside := newNeighbour(t, s)
	before := s.metric(t, "parley_sessions")
	c := session(t, s, opusIn(nil))
	c.play(beside.audio[:len(beside.audio)/2], true)
	if err := c.conn.CloseNow(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its session is gone", func() bool { return s.metric(t, "parley_sessions") == before })
	beside.undisturbed(t)
}

// TestAClientThatNeverReads has megabytes of speech sent to a socket that nobody
// reads: the session must end, whatever the kernel still holds.
func TestAClientThatNeverReads(t *testing.T) {
	s := commonServer(t)
	beside := newNeighbour(t, s)
	before := s.metric(t, "parley_sessions")
	conn := shake(t, s.addr)
	writeText(t, conn, `{"type":"session.start","output":{"codec":"pcm_s16le","rate":48000,"lead_ms":60000}}`)
	text := strings.Repeat("one two three four five six seven eight nine zero. ", 70)
	for range 4 {
		writeText(t, conn, `{"type":"speak","speech":"long","more":true,"text":"`+text+`"}`)
	}
	eventually(t, "it has a session", func() bool { return s.metric(t, "parley_sessions") == before+1 })
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); s.metric(t, "parley_sessions") > before; {
		select {
		case <-tick.C: // it claims to hear everything, so everything may be sent
			_, _ = conn.Write(masked(1, []byte(`{"type":"playback","speech":"long","played_us":3600000000}`)))
		case <-deadline:
			t.Fatal("the session goes on")
		}
	}
	beside.undisturbed(t)
}

// shake makes a WebSocket of a TCP connection with a small receive buffer.
func shake(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Write([]byte("GET /v1/stream HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: speech.v1\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := conn.Read(answer); err != nil || string(answer) != "HTTP/1.1 101" {
		t.Fatalf("%q, %v", answer, err)
	}
	return conn
}

func writeText(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write(masked(1, []byte(text))); err != nil {
		t.Fatal(err)
	}
}

// masked is a whole WebSocket message of a client (RFC 6455 §5.2), with a mask of zeros.
func masked(opcode byte, payload []byte) []byte {
	frame := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	default:
		frame = append(frame, 0x80|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(n))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}
