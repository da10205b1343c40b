package main_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestKeysAreCheckedBeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	const key = "a-key-nobody-guesses"
	s := startServer(t, "--api-key", key)
	dialWith := func(header http.Header) (int, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		conn, resp, err := websocket.Dial(ctx, "ws://"+s.addr+"/v1/stream",
			&websocket.DialOptions{Subprotocols: []string{"speech.v1"}, HTTPHeader: header})
		if conn != nil {
			_ = conn.CloseNow()
		}
		if resp == nil {
			return 0, err
		}
		return resp.StatusCode, err
	}
	for _, c := range []struct {
		header http.Header
		want   int
	}{
		{nil, http.StatusUnauthorized},
		{http.Header{"Authorization": {"Bearer wrong-wrong-wrong"}}, http.StatusUnauthorized},
		{http.Header{"Authorization": {"Bearer " + key}}, http.StatusSwitchingProtocols},
		{http.Header{"Authorization": {"Bearer " + key}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
	} {
		if got, err := dialWith(c.header); got != c.want {
			t.Errorf("%v gave %d (%v), want %d", c.header, got, err, c.want)
		}
	}
	resp := s.get(t, "/v1/info")
	var problem struct {
		Error struct{ Code, Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Error.Code != "unauthorized" {
		t.Errorf("%+v, %v", problem, err)
	}
	if strings.Contains(s.log.String(), key) {
		t.Error("the key is in the log")
	}
}

func TestThePageAndWhatItAsks(t *testing.T) {
	t.Parallel()
	s := commonServer(t)
	page := s.get(t, "/")
	if page.StatusCode != 200 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") ||
		!strings.Contains(page.Header.Get("Content-Security-Policy"), "script-src 'self';") {
		t.Errorf("the page: %d %v", page.StatusCode, page.Header)
	}
	var info struct {
		Model struct {
			Name, Notice string
			Languages    []string
		}
		Voices       []struct{ ID string }
		DefaultVoice string `json:"default_voice"`
		Limits       map[string]int64
	}
	if err := json.NewDecoder(s.get(t, "/v1/info").Body).Decode(&info); err != nil {
		t.Fatal(err)
	}
	if info.Model.Notice == "" || len(info.Model.Languages) != 1 || len(info.Voices) < 5 || info.DefaultVoice != "flite/slt" || info.Limits["max_frame"] != 1<<20 {
		t.Errorf("%+v", info)
	}
	if r := s.get(t, "/nowhere"); r.StatusCode != 404 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		t.Errorf("nowhere: %d", r.StatusCode)
	}
	if out := parley(t, nil, "healthcheck", "--listen", s.addr).must(t); !strings.HasPrefix(out, "ready") {
		t.Errorf("healthcheck: %s", out)
	}
}

func TestAnEndWithGrace(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	audio := utter(t, s, "set a timer for ten minutes", "flite/slt")
	c := session(t, s, opusIn(quiet))
	c.play(audio[:len(audio)-1], false) // the end of the stream is still to come
	c.until("vad.start")
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it drains", func() bool { return strings.Contains(s.log.String(), "draining") })
	c.send(map[string]any{"type": "input.commit"})
	all, status := c.drain()
	finals := 0
	for _, ev := range all {
		if ev.Type == "transcript.final" && ev.Text != "" {
			finals++
		}
	}
	last := all[len(all)-1]
	if finals != 1 || status != websocket.StatusGoingAway || last.Type != "session.ended" || last.Reason != "draining" {
		t.Errorf("%d finals, closed with %d after %s %s", finals, status, last.Type, last.Reason)
	}
	if err := <-s.done; err != nil {
		t.Errorf("exit: %v\n%s", err, s.log.String())
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--drain", "10m")
	c := session(t, s, opusIn(quiet))
	audio := utter(t, s, "one two three four five six seven eight nine", "flite/slt")
	c.play(audio[:len(audio)-10], false)
	c.until("vad.start")
	for range 2 {
		if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it drains", func() bool { return strings.Contains(s.log.String(), "draining") })
	}
	if err := <-s.done; err == nil {
		t.Error("a server cut off ended as if all was well")
	}
}

func TestThePrivacyOfTheLog(t *testing.T) {
	s := startServer(t)
	const said = "remind me to call Alice on Thursday"
	c := session(t, s, opusIn(nil))
	heard := c.understand(c.speak(said, "flite/slt"))
	c.send(map[string]any{"type": "session.end"})
	c.drain()
	eventually(t, "the end is in the log", func() bool { return strings.Contains(s.log.String(), "session closed") })
	log := s.log.String()
	for _, secret := range []string{said, heard, "Alice", "Thursday"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
