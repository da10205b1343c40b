package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/stream"
)

func TestHandshake(t *testing.T) {
	c := serving(echo)
	c.Origins = []string{"*.example.org", "https://app.example.net"}
	url := listen(t, c)
	host := strings.TrimPrefix(url, "ws://")
	for _, tc := range []struct {
		name   string
		offer  []string
		origin string
		status int
		chosen string
		says   string // in the refusal
	}{
		{name: "speech.v1", offer: []string{"speech.v1"}, status: 101, chosen: "speech.v1"},
		{name: "among others", offer: []string{"speech.v9", "speech.v1"}, status: 101, chosen: "speech.v1"},
		{name: "none offered", status: 101},
		{name: "unknown", offer: []string{"speech.v9"}, status: 400, says: "offer speech.v1"},
		{name: "ticket alone", offer: []string{"ticket.abc"}, status: 400, says: "offer speech.v1"},
		{name: "same origin", origin: "http://" + host, status: 101},
		{name: "pattern", origin: "https://a.example.org", status: 101},
		{name: "pattern with scheme", origin: "https://app.example.net", status: 101},
		{name: "wrong scheme", origin: "http://app.example.net", status: 403, says: "Origin"},
		{name: "foreign", origin: "https://evil.test", status: 403, says: "evil.test"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			head := http.Header{}
			if tc.origin != "" {
				head.Set("Origin", tc.origin)
			}
			conn, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: tc.offer, HTTPHeader: head})
			if res == nil || res.StatusCode != tc.status {
				t.Fatalf("answer %+v (%v), want status %d", res, err, tc.status)
			}
			if tc.status == http.StatusSwitchingProtocols {
				if got := conn.Subprotocol(); got != tc.chosen {
					t.Errorf("subprotocol %q, want %q", got, tc.chosen)
				}
				if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
					t.Error(err)
				}
				return
			}
			assertRefusal(t, res.Body, tc.says)
		})
	}
}

func assertRefusal(t *testing.T, body io.Reader, says string) {
	t.Helper()
	var answer struct {
		Error struct{ Code, Message string }
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		t.Fatalf("refusal is not JSON: %v", err)
	}
	if answer.Error.Code == "" || !strings.Contains(answer.Error.Message, says) {
		t.Errorf("refusal %+v does not say %q", answer, says)
	}
}

func TestNotAWebSocket(t *testing.T) {
	url := "http" + strings.TrimPrefix(listen(t, serving(echo)), "ws")
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("status %d, want 426", res.StatusCode)
	}
	assertRefusal(t, res.Body, "Upgrade")
	http.DefaultClient.CloseIdleConnections()
}

func TestTicketsAreReserved(t *testing.T) {
	url := listen(t, serving(func(context.Context, stream.Peer) error {
		t.Error("a session was served")
		return nil
	}))
	for name, dialing := range map[string]struct {
		url   string
		offer []string
	}{
		"subprotocol": {url, []string{"speech.v1", "ticket.abc"}},
		"query":       {url + "?ticket=abc", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, dialing.url, &websocket.DialOptions{Subprotocols: dialing.offer})
			_, b, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var e stream.Error
			if err := json.Unmarshal(b, &e); err != nil || e.Code != stream.Unauthorized || !e.Fatal {
				t.Errorf("event %s (%v), want a fatal unauthorized", b, err)
			}
			if _, _, err = c.Read(t.Context()); websocket.CloseStatus(err) != 4401 {
				t.Errorf("ended with %v, want close code 4401", err)
			}
		})
	}
}

func TestNeverCompresses(t *testing.T) {
	url := listen(t, serving(echo))
	conn, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if got := res.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("extension %q was agreed on", got)
	}
}

func TestServeReturnsWithoutClose(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want websocket.StatusCode
	}{
		"nothing wrong": {nil, 1000},
		"a code":        {errors.Join(&stream.Error{Code: stream.Overloaded}, errors.New("x")), 4503},
		"no code":       {errors.New("x"), 4500},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, listen(t, serving(func(context.Context, stream.Peer) error { return tc.err })), nil)
			if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != tc.want {
				t.Errorf("ended with %v, want close code %d", err, tc.want)
			}
		})
	}
}

func TestServePanics(t *testing.T) {
	var logged bytes.Buffer
	over := make(chan struct{})
	h := Handler(serving(func(context.Context, stream.Peer) error { panic("at the session") }))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		h.ServeHTTP(w, r)
	}))
	srv.Config.ErrorLog = log.New(&logged, "", 0)
	srv.Start()
	defer srv.Close()
	c := dial(t, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != 4500 {
		t.Errorf("ended with %v, want close code 4500", err)
	}
	<-over
}

// TestServerStops shows that sessions end with the server's base context and
// that every handler can be waited for.
func TestServerStops(t *testing.T) {
	base, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	h := Handler(serving(func(ctx context.Context, p stream.Peer) error {
		_, err := p.Read(ctx)
		return errors.Join(err, p.Close(stream.Draining, "server stopping"))
	}))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		h.ServeHTTP(w, r)
	}))
	srv.Config.BaseContext = func(net.Listener) context.Context { return base }
	srv.Start()
	defer srv.Close()
	c := dial(t, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	stop()
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != 1001 {
		t.Errorf("ended with %v, want close code 1001", err)
	}
	<-over
}
