package dial

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/cmd/internal/load"
	"parley/cmd/internal/material"
	"parley/codec"
	"parley/codec/container"
)

// WhisperServer is whisper.cpp's own whisper-server, which takes one file a
// request. Captions are what its users make of it: while somebody speaks, the
// whole utterance so far is sent again and again, one request at a time and
// always the latest audio, and once more when it has ended, which takes the
// place of a partial still under way. The client finds the end of speech: it is
// told the truth and waits for the same silence after it as Parley does, so that
// only recognition is compared.
type WhisperServer struct {
	URL      string        // http://HOST
	Interval time.Duration // of new audio between two requests for partials
}

// What Parley keeps before speech and waits for after it, where nobody says
// otherwise.
const (
	preRoll  = 300 * time.Millisecond
	hangover = 500 * time.Millisecond
)

// Dial implements load.Dialer.
func (d WhisperServer) Dial(ctx context.Context, p load.Plan) (load.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &whisperServer{server: d, plan: p, cancel: cancel, box: newBox(), events: make(chan outcome), done: make(chan struct{})}
	go func() { // joined by Close
		defer close(c.done)
		defer close(c.events)
		c.work(ctx)
	}()
	return c, nil
}

// whisperServer is one session: the caller hands its audio in, a worker makes
// requests of it.
type whisperServer struct {
	server WhisperServer
	plan   load.Plan
	cancel context.CancelFunc
	box    *box
	events chan outcome
	done   chan struct{}

	at    int           // the utterance that is spoken or comes next
	from  time.Duration // media time of audio
	audio []float32
	tried int // samples of it in the last request for a partial
}

type outcome struct {
	event load.Event
	err   error
}

// Send implements load.Conn.
func (c *whisperServer) Send(_ context.Context, f load.Frame) error {
	if c.at >= len(c.plan.Utterances) {
		return nil
	}
	u := c.plan.Utterances[c.at]
	if f.At < u.Start-preRoll {
		return nil
	}
	if len(c.audio) == 0 {
		c.from = f.At
	}
	c.audio = append(c.audio, make([]float32, codec.Samples(f.At-c.from, codec.SpeechRate)-len(c.audio))...) // lost
	c.audio = append(c.audio, f.PCM...)
	c.audio = append(c.audio, make([]float32, material.FrameSamples-len(f.PCM))...)
	now := c.from + codec.Duration(len(c.audio), codec.SpeechRate)
	switch {
	case now >= u.End+hangover:
		c.box.put(c.request(true))
		c.at++
		c.audio, c.tried = nil, 0
	case codec.Duration(len(c.audio)-c.tried, codec.SpeechRate) >= c.server.Interval:
		c.tried = len(c.audio)
		c.box.put(c.request(false))
	}
	return nil
}

func (c *whisperServer) request(final bool) request {
	return request{utterance: c.at, audio: c.audio[:len(c.audio):len(c.audio)], from: c.from, final: final}
}

// Finish implements load.Conn.
func (c *whisperServer) Finish(context.Context) error {
	if len(c.audio) > 0 {
		c.box.put(c.request(true))
	}
	c.box.close()
	return nil
}

// Receive implements load.Conn.
func (c *whisperServer) Receive(ctx context.Context) (load.Event, error) {
	select {
	case o, ok := <-c.events:
		if !ok {
			return load.Event{}, io.EOF
		}
		return o.event, o.err
	case <-ctx.Done():
		return load.Event{}, context.Cause(ctx)
	}
}

// Close implements load.Conn.
func (c *whisperServer) Close() error {
	c.cancel()
	<-c.done
	return nil
}

// work makes requests until there are none any more.
func (c *whisperServer) work(ctx context.Context) {
	for {
		r, ok := c.box.take(ctx)
		if !ok {
			return
		}
		text, err := c.server.transcribe(r.ctx, r)
		overtaken := r.ctx.Err() != nil && ctx.Err() == nil
		r.over()
		if overtaken {
			continue
		}
		select {
		case c.events <- outcome{r.event(text), err}:
		case <-ctx.Done():
			return
		}
	}
}

// transcribe asks for the text of one file.
func (d WhisperServer) transcribe(ctx context.Context, r request) (string, error) {
	body, kind, err := r.form()
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(d.URL, "/")+"/inference", body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if err != nil {
		return "", err
	}
	var said struct {
		Text, Error string
	}
	switch err := json.Unmarshal(answer, &said); {
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("whisper-server: HTTP %s", resp.Status)
	case err != nil:
		return "", fmt.Errorf("whisper-server: %w", err)
	case said.Error != "":
		return "", fmt.Errorf("whisper-server: %s", said.Error)
	}
	return strings.Join(strings.Fields(said.Text), " "), nil
}

// request is one file to be transcribed.
type request struct {
	utterance int
	audio     []float32
	from      time.Duration
	final     bool
	ctx       context.Context // done when another one takes its place
	over      context.CancelFunc
}

// form is the request as multipart/form-data. Partials are not decoded again
// where the decoder doubts itself; the next one comes anyway.
func (r request) form() (*bytes.Buffer, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := [][2]string{{"response_format", "json"}, {"temperature", "0.0"}, {"suppress_nst", "true"}}
	if !r.final {
		fields = append(fields, [2]string{"temperature_inc", "0.0"})
	}
	for _, f := range fields {
		if err := form.WriteField(f[0], f[1]); err != nil {
			return nil, "", err
		}
	}
	part, err := form.CreateFormFile("file", "utterance.wav")
	if err != nil {
		return nil, "", err
	}
	file, err := wav(r.audio)
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(file); err != nil {
		return nil, "", err
	}
	return &body, form.FormDataContentType(), form.Close()
}

// wav is a file that tells its length, which this server wants.
func wav(pcm []float32) ([]byte, error) {
	var file bytes.Buffer
	w, err := container.NewWAVWriter(&file, codec.SpeechRate)
	if err != nil {
		return nil, err
	}
	if err := w.Write(pcm); err != nil {
		return nil, err
	}
	b := file.Bytes()
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	binary.LittleEndian.PutUint32(b[40:], uint32(2*len(pcm)))
	return b, nil
}

func (r request) event(text string) load.Event {
	ev := load.Event{Kind: load.Partial, Tail: text, Utterance: strconv.Itoa(r.utterance),
		Start: r.from, End: r.from + codec.Duration(len(r.audio), codec.SpeechRate)}
	if r.final {
		ev.Kind, ev.Stable, ev.Tail = load.Final, text, ""
	}
	return ev
}
