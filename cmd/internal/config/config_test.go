package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

type testCLI struct {
	File
	Log
	Serve struct {
		Recognition
		Server
	} `cmd:""`
	Other struct {
		Format string `default:"txt"`
	} `cmd:""`
}

func parseTest(t *testing.T, yaml string, args ...string) (testCLI, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if yaml != "" {
		if err := os.WriteFile("parley.yaml", []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var cli testCLI
	_, err := Parse(&cli, args, kong.Exit(func(int) { t.Fatal("kong wants to exit") }))
	return cli, err
}

func TestPrecedence(t *testing.T) {
	const yaml = "slots: 2\nthreads: 3\nlog:\n  level: debug\nmodel: small\nidle: 12s\napi-key: [one, two]\ninsecure: true\n"
	t.Setenv("PARLEY_THREADS", "5")
	t.Setenv("PARLEY_MODEL", "medium")
	cli, err := parseTest(t, yaml, "serve", "--model", "tiny")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{cli.Serve.Model, cli.Serve.Threads, cli.Serve.Slots, cli.Serve.MaxSessions, cli.Level, cli.Serve.Limits.Idle, cli.Serve.Insecure, cli.Serve.APIKeys}
	want := []any{"tiny", 5, 2, 64, "debug", 12 * time.Second, true, []string{"one", "two"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("flag, environment, file, default: %s", d)
	}
}

func TestKeysFromTheEnvironment(t *testing.T) {
	t.Setenv("PARLEY_API_KEYS", "a,b")
	cli, err := parseTest(t, "", "serve", "--listen", "0.0.0.0:80")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b"}, cli.Serve.APIKeys); d != "" {
		t.Error(d)
	}
}

func TestMessagesNameTheSetting(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		args       []string
		want       []string
	}{
		{"open address", "", []string{"serve", "--listen", "0.0.0.0:8080"}, []string{"--listen", "PARLEY_LISTEN", "--api-key", "--insecure"}},
		{"all addresses", "", []string{"serve", "--listen", ":8080"}, []string{"--insecure"}},
		{"no port", "", []string{"serve", "--listen", "localhost"}, []string{"--listen", "port"}},
		{"bad port", "", []string{"serve", "--listen", "localhost:99999"}, []string{"--listen", "99999"}},
		{"slots", "", []string{"serve", "--slots", "65"}, []string{"--slots", "PARLEY_SLOTS", "65"}},
		{"threads", "threads: -1", []string{"serve"}, []string{"--threads", "-1"}},
		{"sessions", "max-sessions: 0", []string{"serve"}, []string{"--max-sessions"}},
		{"origin", "", []string{"serve", "--allow-origin", "https://a.example/path"}, []string{"--allow-origin", "a.example/path"}},
		{"limit", "", []string{"serve", "--max-frame", "10"}, []string{"--max-frame", "10"}},
		{"duration", "", []string{"serve", "--idle", "1ms"}, []string{"--idle", "1ms"}},
		{"drain", "", []string{"serve", "--drain", "2h"}, []string{"--drain"}},
		{"model", "", []string{"serve", "--model", ""}, []string{"--model", "empty"}},
		{"level", "", []string{"serve", "--log-level", "loud"}, []string{"--log-level", "loud"}},
		{"pull", "pull: maybe", []string{"serve"}, []string{"--pull", "maybe"}},
		{"unknown keys", "lisen: x\nlog: {colour: 1}", []string{"serve"}, []string{"parley.yaml", "unknown", "lisen", "log-colour"}},
		{"key twice", "log: {level: info}\nlog-level: warn", []string{"serve"}, []string{"log-level", "twice"}},
		{"no YAML", "a: [", []string{"serve"}, []string{"parley.yaml"}},
		{"no such file", "", []string{"serve", "--config", "/no/such/file.yaml"}, []string{"--config", "PARLEY_CONFIG", "no/such/file.yaml"}},
		{"wrong type", "slots: many", []string{"serve"}, []string{"--slots", "many"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseTest(t, c.yaml, c.args...)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not name %q", err, part)
				}
			}
		})
	}
}

func TestAFileForOneCommandSuitsAll(t *testing.T) {
	if _, err := parseTest(t, "listen: localhost:9\nslots: 3", "other"); err != nil {
		t.Error(err)
	}
}

func TestConfigFileByEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(file, []byte("slots: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARLEY_CONFIG", file)
	cli, err := parseTest(t, "slots: 3", "serve")
	if err != nil || cli.Serve.Slots != 7 {
		t.Errorf("slots %d, %v", cli.Serve.Slots, err)
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct{ slots, threads, cores, wantSlots, wantThreads int }{
		{0, 0, 1, 1, 1}, {0, 0, 2, 2, 1}, {0, 0, 16, 4, 2}, {2, 0, 16, 2, 4}, {3, 5, 2, 3, 5}, {8, 0, 2, 8, 1},
	} {
		s, n := Recognition{Slots: c.slots, Threads: c.threads}.Share(c.cores)
		if s != c.wantSlots || n != c.wantThreads {
			t.Errorf("%+v gave %d slots of %d threads", c, s, n)
		}
	}
}

func TestModelsPath(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/data")
	if got := (Models{}).Path(); got != filepath.Join("/data", "parley", "models") {
		t.Errorf("XDG_DATA_HOME gave %s", got)
	}
	t.Setenv("XDG_DATA_HOME", "relative")
	t.Setenv("HOME", "/home/x")
	if got := (Models{}).Path(); got != "/home/x/.local/share/parley/models" {
		t.Errorf("HOME gave %s", got)
	}
	if got := (Models{Dir: "/m"}).Path(); got != "/m" {
		t.Errorf("--models-dir gave %s", got)
	}
}

func TestLimitsFillTheCore(t *testing.T) {
	cli, err := parseTest(t, "", "serve", "--max-text", "77")
	if err != nil {
		t.Fatal(err)
	}
	l, err := cli.Serve.Limits.Stream()
	if err != nil || l.MaxText != 77 || l.Idle != 30*time.Second {
		t.Errorf("%+v, %v", l, err)
	}
}
