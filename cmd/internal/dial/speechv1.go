// Package dial speaks the protocols in which servers can be put under load: a
// load.Dialer each.
package dial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"parley/cmd/internal/load"
	"parley/stream"
	"parley/stream/native"
)

// SpeechV1 is Parley's own protocol over a WebSocket, docs/protocol.md.
type SpeechV1 struct {
	URL    string         // ws://HOST/v1/stream
	APIKey string         // "" for none
	Start  map[string]any // further fields of session.start
}

// Dial implements load.Dialer: it returns when the session has started.
func (d SpeechV1) Dial(ctx context.Context, _ load.Plan) (load.Conn, error) {
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	options := &websocket.DialOptions{Subprotocols: []string{native.Subprotocol}, HTTPHeader: bearer(d.APIKey)}
	conn, resp, err := websocket.Dial(opening, d.URL, options)
	if resp != nil && (resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests) {
		return nil, fmt.Errorf("%w: HTTP %s", load.ErrRefused, resp.Status)
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxMessage)
	c := &speechV1{conn: conn}
	if err := c.open(opening, d.Start); err != nil {
		return nil, errors.Join(err, ignoreClosed(conn.CloseNow()))
	}
	return c, nil
}

const (
	openTimeout = 30 * time.Second
	maxMessage  = 4 << 20
)

// bearer is the header of a key.
func bearer(key string) http.Header {
	if key == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + key}}
}

type speechV1 struct {
	conn  *websocket.Conn
	frame []byte
}

func (c *speechV1) open(ctx context.Context, more map[string]any) error {
	start := map[string]any{
		"type":  "session.start",
		"input": map[string]any{"codec": "opus", "rate": 48000, "channels": 1},
	}
	maps.Copy(start, more)
	if err := c.write(ctx, start); err != nil {
		return err
	}
	for {
		m, err := c.read(ctx)
		if err != nil || m.Type == "session.started" {
			return err
		}
	}
}

func (c *speechV1) write(ctx context.Context, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.conn.Write(ctx, websocket.MessageText, text)
}

// Send implements load.Conn.
func (c *speechV1) Send(ctx context.Context, f load.Frame) error {
	c.frame = native.AppendFrame(c.frame[:0], native.Frame{Kind: native.KindAudio, Seq: f.Seq, PTS: uint64(f.At.Microseconds()), Payload: f.Packet})
	return c.conn.Write(ctx, websocket.MessageBinary, c.frame)
}

// Finish implements load.Conn.
func (c *speechV1) Finish(ctx context.Context) error {
	return c.write(ctx, map[string]any{"type": "session.end"})
}

// message holds what a load test looks at of the server's messages.
type message struct {
	Type        string `json:"type"`
	Utt         string `json:"utt"`
	Stable      string `json:"stable"`
	Tail        string `json:"tail"`
	Text        string `json:"text"`
	StartUS     int64  `json:"start_us"`
	EndUS       int64  `json:"end_us"`
	Words       []word `json:"words"`
	StableWords int    `json:"stable_words"`
	Revised     bool   `json:"revised"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	Fatal       bool   `json:"fatal"`
	Reason      string `json:"reason"`
	Stats       struct {
		DroppedUS int64 `json:"dropped_us"`
	} `json:"stats"`
}

type word struct {
	W       string `json:"w"`
	StartUS int64  `json:"start_us"`
	EndUS   int64  `json:"end_us"`
}

// read takes the next message; an error that ends the session is one.
func (c *speechV1) read(ctx context.Context) (m message, err error) {
	kind, data, err := c.conn.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("a message that is no JSON: %w", err)
	}
	if m.Type != "error" || !m.Fatal {
		return m, nil
	}
	err = fmt.Errorf("%s: %s", m.Code, m.Message)
	if m.Code == string(stream.Overloaded) || m.Code == string(stream.RateLimited) || m.Code == string(stream.SessionLimit) {
		err = fmt.Errorf("%w: %w", load.ErrRefused, err)
	}
	return m, err
}

// Receive implements load.Conn.
func (c *speechV1) Receive(ctx context.Context) (load.Event, error) {
	m, err := c.read(ctx)
	if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
		return load.Event{}, io.EOF
	}
	if err != nil {
		return load.Event{}, err
	}
	return m.event(), nil
}

func (m message) event() load.Event {
	ev := load.Event{Utterance: m.Utt, Start: micros(m.StartUS), End: micros(m.EndUS), Revised: m.Revised}
	switch m.Type {
	case "transcript.partial":
		ev.Kind, ev.Stable, ev.Tail = load.Partial, m.Stable, m.Tail
		ev.StableWords = m.StableWords
	case "transcript.final":
		ev.Kind, ev.Stable = load.Final, m.Text
		ev.StableWords = len(m.Words)
	case "transcript.failed":
		ev.Kind = load.Failed
	case "session.ended":
		ev.Kind, ev.Dropped = load.Ended, micros(m.Stats.DroppedUS)
	}
	for _, w := range m.Words {
		ev.Words = append(ev.Words, load.Word{Text: w.W, Start: micros(w.StartUS), End: micros(w.EndUS)})
	}
	return ev
}

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

// Close implements load.Conn.
func (c *speechV1) Close() error { return ignoreClosed(c.conn.CloseNow()) }

// ignoreClosed: a connection that the server closed need not be closed again.
func ignoreClosed(err error) error {
	if err != nil && strings.Contains(err.Error(), "closed") {
		return nil
	}
	return err
}
