package serve

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"parley/cmd/internal/auth"
	"parley/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "a-long-enough-key"

func newServer(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		Name:   "parley/test",
		Listen: "127.0.0.1:0",
		Page: fstest.MapFS{
			"index.html": {Data: []byte("<!doctype html>page")},
			"js/app.js":  {Data: []byte("export {}")},
		},
		Metrics: prometheus.NewRegistry(),
		Drain:   time.Second,
		Log:     zerolog.Nop(),
	}
	if change != nil {
		change(&cfg)
	}
	return New(cfg)
}

func backend() *Backend {
	return &Backend{
		Stream:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		Info:    Info{Server: "parley/test", Model: Model{Name: "tiny", Languages: []string{"en"}}, Voices: []Voice{{ID: "a/b"}}, DefaultVoice: "a/b"},
		Devices: []Device{{Name: "CPU", Kind: "cpu"}},
		Slots:   2,
	}
}

func ask(s *Server, method, url string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost:8080"+url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func code(t *testing.T, r *http.Response) string {
	t.Helper()
	var p Problem
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		t.Errorf("body is no JSON: %v", err)
	}
	return string(p.Error.Code)
}

func TestRoutes(t *testing.T) {
	keys, err := auth.NewKeys([]string{key})
	if err != nil {
		t.Fatal(err)
	}
	open, keyed, loading := newServer(t, nil), newServer(t, func(c *Config) { c.Keys = keys }), newServer(t, nil)
	open.backend.Store(backend())
	keyed.backend.Store(backend())
	bearer := []string{"Authorization", "Bearer " + key}
	for _, c := range []struct {
		name        string
		server      *Server
		method, url string
		header      []string
		want        int
		code        string
	}{
		{"page", open, "GET", "/", nil, 200, ""},
		{"page head", open, "HEAD", "/", nil, 200, ""},
		{"script", open, "GET", "/js/app.js", nil, 200, ""},
		{"folder", open, "GET", "/js/", nil, 404, "not_found"},
		{"post to the page", open, "POST", "/", nil, 405, "method_not_allowed"},
		{"nothing there", open, "GET", "/v2/none", nil, 404, "not_found"},
		{"upwards", open, "GET", "/../secret", nil, 307, ""},
		{"health", loading, "GET", "/healthz", nil, 200, ""},
		{"ready", open, "GET", "/readyz", nil, 200, ""},
		{"loading", loading, "GET", "/readyz", nil, 503, ""},
		{"stream while loading", loading, "GET", "/v1/stream", nil, 503, "overloaded"},
		{"info while loading", loading, "GET", "/v1/info", nil, 503, "overloaded"},
		{"stream", open, "GET", "/v1/stream", nil, 418, ""},
		{"stream by post", open, "POST", "/v1/stream", nil, 405, "method_not_allowed"},
		{"info", open, "GET", "/v1/info", nil, 200, ""},
		{"metrics", open, "GET", "/metrics", nil, 200, ""},
		{"stream without key", keyed, "GET", "/v1/stream", nil, 401, "unauthorized"},
		{"info without key", keyed, "GET", "/v1/info", nil, 401, "unauthorized"},
		{"metrics without key", keyed, "GET", "/metrics", nil, 401, "unauthorized"},
		{"stream with key", keyed, "GET", "/v1/stream", bearer, 418, ""},
		{"health needs no key", keyed, "GET", "/readyz", nil, 200, ""},
		{"rebinding", open, "GET", "/v1/stream", []string{"Host", "evil.example:8080"}, 421, "forbidden"},
		{"rebinding the page", open, "GET", "/", []string{"Host", "127.0.0.1.evil.example"}, 421, "forbidden"},
		{"numbers", open, "GET", "/", []string{"Host", "127.0.0.1:8080"}, 200, ""},
		{"IPv6", open, "GET", "/", []string{"Host", "[::1]"}, 200, ""},
		{"any name with key", keyed, "GET", "/v1/stream", append([]string{"Host", "a.example"}, bearer...), 418, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ask(c.server, c.method, c.url, c.header...)
			if r.StatusCode != c.want {
				t.Fatalf("status %d, want %d", r.StatusCode, c.want)
			}
			if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Content-Security-Policy") != policy {
				t.Error("security headers are missing")
			}
			if c.code != "" && code(t, r) != c.code {
				t.Errorf("code is not %s", c.code)
			}
		})
	}
}

func TestReadinessTellsWhatRuns(t *testing.T) {
	s := newServer(t, nil)
	b := backend()
	b.Devices = append(b.Devices, Device{Name: "Vulkan0", Kind: "gpu"})
	s.backend.Store(b)
	var got Readiness
	if err := json.NewDecoder(ask(s, "GET", "/readyz").Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := Readiness{Ready: true, Status: "ready", Server: "parley/test", Model: "tiny", GPU: true, Devices: b.Devices, Voices: 1, Slots: 2}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAnAllowedOriginBringsItsHost(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Origins = []string{"https://app.example:8443"} })
	if r := ask(s, "GET", "/", "Host", "APP.example:8443"); r.StatusCode != 200 {
		t.Errorf("status %d", r.StatusCode)
	}
}

// run starts a server and gives its address, and what Run returned.
func run(t *testing.T, s *Server, load func(context.Context) (*Backend, error)) (base string, stop func(), done chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	addr := make(chan net.Addr, 1)
	done = make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(a net.Addr) error { addr <- a; return nil }, load)
	}()
	return "http://" + (<-addr).String(), cancel, done
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return r.StatusCode, string(body)
}

func TestItListensBeforeItIsReady(t *testing.T) {
	s := newServer(t, nil)
	loaded := make(chan struct{})
	base, stop, done := run(t, s, func(context.Context) (*Backend, error) {
		<-loaded
		return backend(), nil
	})
	if status, body := get(t, base+"/readyz"); status != 503 || !strings.Contains(body, "starting") {
		t.Errorf("%d %s", status, body)
	}
	close(loaded)
	for s.backend.Load() == nil {
		if status, _ := get(t, base+"/healthz"); status != 200 {
			t.Fatalf("health %d", status)
		}
	}
	if status, _ := get(t, base+"/readyz"); status != 200 {
		t.Errorf("ready %d", status)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownDrainsThenCloses(t *testing.T) {
	s := newServer(t, nil)
	var order []string
	base, stop, done := run(t, s, func(context.Context) (*Backend, error) {
		b := backend()
		b.Drain = func(ctx context.Context) error {
			r := ask(s, "GET", "/v1/stream")
			if r.StatusCode != 503 || code(t, r) != string(stream.Overloaded) {
				t.Errorf("a new session during the drain got %d", r.StatusCode)
			}
			order = append(order, "drain")
			if len(order) == 1 {
				return context.DeadlineExceeded // a session that would not end
			}
			if end, ok := ctx.Deadline(); !ok || time.Until(end) < 11*time.Second {
				t.Errorf("a client that does not read has until %v to be closed", end)
			}
			return nil
		}
		b.Close = func() error { order = append(order, "close"); return nil }
		return b, nil
	})
	for s.backend.Load() == nil {
		get(t, base+"/healthz")
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("cut sessions are no failure: %v", err)
	}
	if d := cmp.Diff([]string{"drain", "drain", "close"}, order); d != "" {
		t.Error(d)
	}
}

func TestFailures(t *testing.T) {
	broken := errors.New("no model")
	_, stop, done := run(t, newServer(t, nil), func(context.Context) (*Backend, error) { return nil, broken })
	defer stop()
	if err := <-done; !errors.Is(err, broken) {
		t.Errorf("a failed load gave %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newServer(t, func(c *Config) { c.Listen = l.Addr().String() })
	err = s.Run(t.Context(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "--listen (PARLEY_LISTEN)") {
		t.Errorf("a used port gave %v", err)
	}
}

func TestASignalWhileLoadingIsNoFailure(t *testing.T) {
	_, stop, done := run(t, newServer(t, nil), func(ctx context.Context) (*Backend, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
