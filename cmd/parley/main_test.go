package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the file under test, built once.
var program string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "bin", "parley")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building parley (make test sets what that needs):", err)
		return 1
	}
	code := m.Run()
	shared.stop()
	return code
}

// root is the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// environment is that of a program of its own: nothing of the developer's
// settings, a home that is empty, and the parts of this checkout.
func environment(t testing.TB, home string, more ...string) []string {
	t.Helper()
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PARLEY_") && !strings.HasPrefix(kv, "XDG_") && !strings.HasPrefix(kv, "HOME=") {
			env = append(env, kv)
		}
	}
	nativeDir := os.Getenv("PARLEY_NATIVE_DIR")
	if nativeDir == "" {
		nativeDir = filepath.Join(root(t), ".native")
	}
	env = append(env, "HOME="+home, "PARLEY_NATIVE_DIR="+nativeDir,
		"PARLEY_BUNDLED_MODEL="+filepath.Join(root(t), "engine", "whisper", "tinymodel", "commands.en-q5_0.bin"))
	return append(env, more...)
}

// outcome is how a run of the program ended.
type outcome struct {
	code        int
	out, errout string
}

// parley runs the program to its end.
func parley(t testing.TB, stdin io.Reader, args ...string) outcome {
	t.Helper()
	return parleyEnv(t, stdin, nil, args...)
}

func parleyEnv(t testing.TB, stdin io.Reader, env []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = environment(t, home, env...), home, stdin
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("parley %v: %v", args, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errout.String()}
}

// must fails the test unless the program succeeded, and returns its output.
func (o outcome) must(t testing.TB) string {
	t.Helper()
	if o.code != 0 {
		t.Fatalf("exit code %d\n%s%s", o.code, o.out, o.errout)
	}
	return o.out
}

// server is a running parley serve.
type server struct {
	addr string
	cmd  *exec.Cmd
	log  *record
	done chan error
}

// record is a log that can be read while it is written.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// start runs parley serve with the bundled model until it is ready.
func start(dir string, env []string, args ...string) (*server, error) {
	s := &server{log: &record{}, done: make(chan error, 1)}
	file := filepath.Join(dir, "address")
	s.cmd = exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0", "--addr-file", file,
		"--model", "bundled", "--log-level", "debug", "--log-format", "json"}, args...)...)
	s.cmd.Env, s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = env, dir, s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.done <- s.cmd.Wait(); close(s.done) }()
	if err := s.await(file); err != nil {
		return nil, errors.Join(err, s.cmd.Process.Kill(), errors.New(s.log.String()))
	}
	return s, nil
}

// await polls until the server is ready or gone.
func (s *server) await(file string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for {
		select {
		case err := <-s.done:
			return fmt.Errorf("the server ended: %w", err)
		case <-deadline:
			return errors.New("the server is not ready after two minutes")
		case <-tick.C:
		}
		if s.addr == "" {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			s.addr = strings.TrimSpace(string(text))
		}
		resp, err := http.Get("http://" + s.addr + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// terminate asks the server to end and returns what it ended with.
func (s *server) terminate() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-time.After(time.Minute):
		return errors.Join(errors.New("it does not end"), s.cmd.Process.Kill())
	}
}

// startServer is start for one test.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	dir := t.TempDir()
	s, err := start(dir, environment(t, dir), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
	})
	return s
}

// common is one server for all tests that need nothing special.
type common struct {
	once sync.Once
	dir  string
	*server
	err error
}

var shared common

// commonServer starts the shared server with the first test that wants it.
func commonServer(t *testing.T) *server {
	t.Helper()
	shared.once.Do(func() {
		shared.dir, shared.err = os.MkdirTemp("", "parley-server-")
		if shared.err == nil {
			shared.server, shared.err = start(shared.dir, environment(t, shared.dir), "--slots", "2", "--max-sessions", "32")
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

func (c *common) stop() {
	if c.server != nil {
		if err := c.terminate(); err != nil {
			fmt.Fprintln(os.Stderr, "the shared server:", err)
		}
	}
	_ = os.RemoveAll(c.dir)
}

// metric reads one plain value of /metrics.
func (s *server) metric(t *testing.T, name string) float64 {
	t.Helper()
	resp, err := http.Get("http://" + s.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var v float64
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(rest, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
