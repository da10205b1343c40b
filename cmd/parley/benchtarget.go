package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parley/cmd/internal/dial"
	"parley/cmd/internal/load"
	"parley/cmd/internal/measure"
	"parley/cmd/internal/serve"
)

// target is a server under load.
type target struct {
	name   string // where there are several
	model  string // what it says it runs
	dialer load.Dialer
	meter  measure.Meter // nil: nobody knows what it uses
	own    *ownServer    // nil: somebody else's
}

// alive reports a server of our own that has ended.
func (t *target) alive() error {
	if t.own == nil {
		return nil
	}
	return t.own.alive()
}

// open finds or starts the servers.
func (b *bench) open(ctx context.Context) error {
	specs := b.Compare
	if len(specs) == 0 {
		specs = []string{""}
		if b.URL != "" {
			specs[0] = b.Protocol + "=" + b.URL
		}
	}
	for i, spec := range specs {
		t, err := b.target(ctx, spec)
		if err != nil {
			return err
		}
		b.targets = append(b.targets, t)
		switch {
		case len(specs) == 1:
		case spec == "":
			t.name = "default"
		default:
			t.name = spec
		}
		if i > 0 && t.name == b.targets[0].name {
			t.name += " (again)"
		}
	}
	return nil
}

func (b *bench) close() (err error) {
	for _, t := range b.targets {
		if t.own != nil {
			err = errors.Join(err, t.own.stop())
		}
	}
	return err
}

// target makes sense of "[PROTOCOL=]URL" or of arguments for a server.
func (b *bench) target(ctx context.Context, spec string) (*target, error) {
	protocol, address := b.Protocol, spec
	for _, p := range []string{speechV1, whisperServer} {
		if rest, ok := strings.CutPrefix(spec, p+"="); ok {
			protocol, address = p, rest
		}
	}
	if before, _, ok := strings.Cut(address, "://"); !ok || strings.ContainsAny(before, " -\"'") {
		own, err := startOwn(ctx, slices.Max(b.Sessions), append(slices.Clone(b.Serve), spec)...)
		if err != nil {
			return nil, err
		}
		t, err := b.reach(ctx, speechV1, "http://"+own.address)
		if err != nil {
			return nil, errors.Join(err, own.stop())
		}
		t.own = own
		return t, nil
	}
	return b.reach(ctx, protocol, address)
}

const (
	speechV1      = "speech.v1"
	whisperServer = "whisper-server"
)

// reach speaks to a server that runs.
func (b *bench) reach(ctx context.Context, protocol, address string) (*target, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) {
		return nil, fmt.Errorf("%s is no address such as http://127.0.0.1:8080", address)
	}
	web, socket := *u, *u
	web.Scheme, socket.Scheme = strings.Replace(u.Scheme, "ws", "http", 1), strings.Replace(u.Scheme, "http", "ws", 1)
	web.Path, web.Fragment, socket.Fragment = "", "", ""
	t := &target{}
	if protocol == whisperServer {
		t.dialer = dial.WhisperServer{URL: web.String(), Interval: b.Interval}
	} else {
		if socket.Path == "" || socket.Path == "/" {
			socket.Path = "/v1/stream"
		}
		start, err := b.start()
		if err != nil {
			return nil, err
		}
		t.dialer = dial.SpeechV1{URL: socket.String(), APIKey: b.key(), Start: start}
		t.model = modelOf(ctx, web.JoinPath("/v1/info").String(), b.key())
	}
	t.meter, err = b.meter(ctx, u, web.JoinPath("/metrics").String())
	return t, err
}

// key is the first that is not only a hash of one.
func (b *bench) key() string {
	for _, k := range b.APIKeys {
		if !strings.HasPrefix(k, "sha256:") {
			return k
		}
	}
	return ""
}

// meter finds out what a server uses: of a process of this machine where the
// address ends in #pid=N, else from its metrics.
func (b *bench) meter(ctx context.Context, u *url.URL, metrics string) (measure.Meter, error) {
	var m measure.Meter = measure.MetricsMeter{URL: metrics, APIKey: b.key()}
	pid, named := strings.CutPrefix(u.Fragment, "pid=")
	if named {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no process", u, pid)
		}
		m = measure.ProcessMeter{PID: n}
	}
	_, err := m.Read(ctx)
	if err != nil && !named && errors.Is(err, measure.ErrNoMetrics) {
		b.notice("%v: what the server uses is not known", err)
		return nil, nil
	}
	return m, err
}

// modelOf asks a server what it runs; "" where it does not say.
func modelOf(ctx context.Context, address, key string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return ""
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var info serve.Info
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return info.Model.Name
}

// ownServer is a parley serve of our own.
type ownServer struct {
	address string
	dir     string
	cmd     *exec.Cmd
	log     *tail
	done    chan struct{} // closed when it has ended
	ended   error         // valid then
}

// startOwn runs this program as a server and waits until it is ready.
func startOwn(ctx context.Context, sessions int, args ...string) (*ownServer, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "address")
	line := []string{"serve", "--listen", "127.0.0.1:0", "--addr-file", file, "--log-level", "warn", "--log-format", "console",
		"--max-sessions", strconv.Itoa(max(64, sessions+1)), "--drain", "5s"}
	for _, a := range args {
		words, err := splitArgs(a)
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		line = append(line, words...)
	}
	s := &ownServer{dir: dir, cmd: exec.Command(program, line...), log: &tail{}, done: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() { // joined by stop
		s.ended = s.cmd.Wait()
		close(s.done)
	}()
	if err := s.await(ctx, file); err != nil {
		_ = s.stop() // what is wrong is known already
		return nil, err
	}
	return s, nil
}

// await polls until the server is ready or gone.
func (s *ownServer) await(ctx context.Context, file string) error {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.done:
			return fmt.Errorf("the server ended: %w\n%s", s.ended, s.log)
		case <-poll.C:
		}
		if s.address == "" {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			s.address = strings.TrimSpace(string(text))
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
}

func (s *ownServer) alive() error {
	select {
	case <-s.done:
		return fmt.Errorf("the server ended: %w\n%s", s.ended, s.log)
	default:
		return nil
	}
}

// stop ends the server, with grace if it can.
func (s *ownServer) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	return os.RemoveAll(s.dir)
}
