package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// published puts a file into the registry for one test, as the model "tiny.en",
// whose size is unknown, or "tiny" with a size.
func published(t *testing.T, name string, sized bool) (Model, []byte) {
	t.Helper()
	body := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	sum := sha256.Sum256(body)
	for i := range all {
		if all[i].Name == name {
			old := all[i]
			t.Cleanup(func() { all[i] = old })
			all[i].SHA256, all[i].Size = hex.EncodeToString(sum[:]), 0
			if sized {
				all[i].Size = int64(len(body))
			}
			return all[i], body
		}
	}
	t.Fatalf("no model %q", name)
	return Model{}, nil
}

// serve is a server of one file; handler nil serves it well. It counts requests.
func serve(t *testing.T, body []byte, handler func(n int, w http.ResponseWriter, r *http.Request) bool) (Store, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler != nil && handler(int(n.Add(1))-1, w, r) {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.Client().CloseIdleConnections)
	return Store{Dir: filepath.Join(t.TempDir(), "models"), Base: srv.URL, Client: srv.Client(), pause: time.Microsecond}, &n
}

// cutOff sends a part of the file and drops the connection.
func cutOff(w http.ResponseWriter, r *http.Request, body []byte, n int) {
	from := 0
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(body[from:min(from+n, len(body))])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func wantFile(t *testing.T, s Store, m Model, body []byte) {
	t.Helper()
	got, err := os.ReadFile(s.file(m))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("the file has %d bytes, want %d (%v)", len(got), len(body), err)
	}
	if _, err := os.Stat(s.partial(m)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the partial file is left: %v", err)
	}
}

func TestPull(t *testing.T) {
	for _, sized := range []bool{true, false} {
		m, body := published(t, "tiny", sized)
		s, _ := serve(t, body, nil)
		var last, total int64
		path, err := s.Pull(t.Context(), "tiny", func(done, of int64) {
			if done <= last || done > of {
				t.Errorf("progress went from %d to %d of %d", last, done, of)
			}
			last, total = done, of
		})
		if err != nil || path != s.file(m) || last != int64(len(body)) || total != last {
			t.Errorf("%s, %v, progress %d of %d", path, err, last, total)
		}
		wantFile(t, s, m, body)
		if err := s.Verify(t.Context(), "tiny"); err != nil {
			t.Error(err)
		}
		s.Base = "http://127.0.0.1:0" // a second pull asks nobody
		if _, err := s.Pull(t.Context(), "tiny", nil); err != nil {
			t.Error(err)
		}
	}
}

func TestPullGoesOnAfterCutOffs(t *testing.T) {
	m, body := published(t, "tiny", true)
	var ranges []string
	s, _ := serve(t, body, func(n int, w http.ResponseWriter, r *http.Request) bool {
		ranges = append(ranges, r.Header.Get("Range"))
		if n < 9 {
			cutOff(w, r, body, 100_000)
		}
		return false
	})
	if _, err := s.Pull(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, s, m, body)
	if len(ranges) != 10 || ranges[0] != "" || ranges[1] != "bytes=100000-" || ranges[9] != "bytes=900000-" {
		t.Errorf("asked for %q", ranges)
	}
}

func TestPullResumesAnEarlierDownload(t *testing.T) {
	for name, c := range map[string]struct {
		partial func(body []byte) []byte
		handler func(n int, w http.ResponseWriter, r *http.Request) bool
		want    error
	}{
		"the first half":            {partial: func(b []byte) []byte { return b[:len(b)/2] }},
		"all of it":                 {partial: func(b []byte) []byte { return b }},
		"more than all of it":       {partial: func(b []byte) []byte { return append(bytes.Clone(b), 'x') }},
		"something else":            {partial: func(b []byte) []byte { return bytes.Repeat([]byte("x"), 1000) }, want: ErrHash},
		"a server without ranges":   {partial: func(b []byte) []byte { return b[:1000] }, handler: noRange},
		"a server with wrong range": {partial: func(b []byte) []byte { return b[:1000] }, handler: wrongRange},
	} {
		for _, sized := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, sized %v", name, sized), func(t *testing.T) {
				m, body := published(t, "tiny", sized)
				s, _ := serve(t, body, c.handler)
				if err := os.MkdirAll(s.Dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(s.partial(m), c.partial(body), 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := s.Pull(t.Context(), "tiny", nil)
				if !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if err == nil {
					wantFile(t, s, m, body)
				} else if _, err := os.Stat(s.partial(m)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("a wrong partial file stays: %v", err)
				}
			})
		}
	}
}

func noRange(_ int, _ http.ResponseWriter, r *http.Request) bool {
	r.Header.Del("Range")
	return false
}

func wrongRange(n int, w http.ResponseWriter, r *http.Request) bool {
	if n > 0 {
		return false
	}
	w.Header().Set("Content-Range", "bytes 7-8/9")
	w.WriteHeader(http.StatusPartialContent)
	return true
}

func TestPullRefusals(t *testing.T) {
	status := func(code int) func(int, http.ResponseWriter, *http.Request) bool {
		return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}
	}
	for name, c := range map[string]struct {
		handler  func(n int, w http.ResponseWriter, r *http.Request) bool
		want     error
		text     string
		requests int32
	}{
		"not found":  {status(404), ErrGone, "404 Not Found", 1},
		"forbidden":  {status(403), ErrGone, "403", 1},
		"overloaded": {status(503), nil, "gave up after 6 tries: the server answered 503", 6},
		"another size": {func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, "short")
			return true
		}, ErrHash, "the server has 5 bytes", 1},
		"nothing but cut-offs": {func(_ int, w http.ResponseWriter, r *http.Request) bool {
			cutOff(w, r, make([]byte, 1_600_000), 0)
			return true
		}, nil, "gave up", 6},
		"endless": {func(_ int, w http.ResponseWriter, r *http.Request) bool {
			_ = http.NewResponseController(w).Flush() // chunked: no length
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 100_000)); err != nil {
					break
				}
			}
			return true
		}, ErrHash, "more than 1600000 bytes", 1},
	} {
		t.Run(name, func(t *testing.T) {
			m, body := published(t, "tiny", true)
			s, n := serve(t, body, c.handler)
			_, err := s.Pull(t.Context(), "tiny", nil)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || n.Load() != c.requests {
				t.Errorf("after %d requests: %v", n.Load(), err)
			}
			if _, err := os.Stat(s.file(m)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file is there: %v", err)
			}
		})
	}
	if _, err := (Store{}).Pull(t.Context(), "gigantic", nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown model: %v", err)
	}
}

func TestPullWrongHash(t *testing.T) {
	m, body := published(t, "tiny.en", false)
	evil := bytes.Clone(body)
	evil[12345] ^= 1
	s, _ := serve(t, evil, nil)
	if _, err := s.Pull(t.Context(), "tiny.en", nil); !errors.Is(err, ErrHash) {
		t.Errorf("got %v", err)
	}
	for _, path := range []string{s.file(m), s.partial(m)} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s stays: %v", path, err)
		}
	}
}

func TestPullStalledServer(t *testing.T) {
	m, body := published(t, "tiny", true)
	s, _ := serve(t, body, func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
		return n == 0
	})
	s.stall = 100 * time.Millisecond
	if _, err := s.Pull(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, s, m, body)
}

func TestPullCancelled(t *testing.T) {
	_, body := published(t, "tiny", true)
	s, _ := serve(t, body, nil)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := s.Pull(ctx, "tiny", func(int64, int64) { cancel(cause) })
	if !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// small is a file on a disk with room for so many bytes.
type small struct {
	sink
	room *int
}

func (s small) Write(p []byte) (int, error) {
	n := min(len(p), *s.room)
	*s.room -= n
	if _, err := s.sink.Write(p[:n]); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func TestPullFullDisk(t *testing.T) {
	m, body := published(t, "tiny", true)
	s, n := serve(t, body, func(int, http.ResponseWriter, *http.Request) bool { return false })
	s.space = func(string) (uint64, error) { return reserve, nil }
	if _, err := s.Pull(t.Context(), "tiny", nil); !errors.Is(err, ErrSpace) {
		t.Errorf("a disk that is too small: %v", err)
	}
	s.space = nil
	room := 1_000_001
	s.create = func(path string) (sink, error) {
		f, err := appendTo(path)
		return small{f, &room}, err
	}
	if _, err := s.Pull(t.Context(), "tiny", nil); !errors.Is(err, ErrSpace) || n.Load() != 2 {
		t.Errorf("a disk that filled up: %v after %d requests", err, n.Load())
	}
	s.create = nil
	if _, err := s.Pull(t.Context(), "tiny", nil); err != nil {
		t.Errorf("after making room: %v", err)
	}
	wantFile(t, s, m, body)
}

func TestPullTwiceAtOnce(t *testing.T) {
	m, body := published(t, "tiny", true)
	s, n := serve(t, body, func(int, http.ResponseWriter, *http.Request) bool { return false })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := s.Pull(context.Background(), "tiny", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantFile(t, s, m, body)
	if n.Load() != 1 {
		t.Errorf("%d downloads of one file", n.Load())
	}
}
