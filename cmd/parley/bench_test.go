package main_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/container"
)

// benchmark reads the lines of a CSV file by their columns.
func benchmark(t *testing.T, path string) (runs []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) < 2 {
		t.Fatalf("%s has %d lines: %v", path, len(lines), err)
	}
	for _, line := range lines[1:] {
		run := map[string]string{}
		for i, name := range lines[0] {
			run[name] = line[i]
		}
		runs = append(runs, run)
	}
	return runs
}

// figure is a column that must be known.
func figure(t *testing.T, run map[string]string, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(run[name], 64)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return v
}

func TestBenchWithAServerOfItsOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	table, plot := filepath.Join(dir, "b.csv"), filepath.Join(dir, "b.svg")
	o := parley(t, nil, "bench", "--sessions", "2", "--duration", "4s", "--talk", "0.6", "--jitter", "60", "--loss", "0.5",
		"--serve", "--model bundled --slots 2", "--csv", table, "--plot", plot)
	out := o.must(t)
	t.Log(out, o.errout)
	if !strings.Contains(out, "end of speech to final") || !strings.Contains(out, "2 sessions") {
		t.Errorf("no table: %s", out)
	}
	run := benchmark(t, table)[0]
	for name, want := range map[string]float64{"sessions": 2, "refused": 0, "broken": 0, "unheard": 0, "failed": 0, "retracted": 0, "dropped_s": 0} {
		if got := figure(t, run, name); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	for _, name := range []string{"utterances", "words", "audio_s", "speech_s", "first_p50_ms", "commit_p50_ms", "final_p99_ms", "cpu_s", "rss_mb", "frames_lost", "generator_cpu_s"} {
		if got := figure(t, run, name); got <= 0 {
			t.Errorf("%s is %g", name, got)
		}
	}
	svg, err := os.Open(plot)
	if err != nil {
		t.Fatal(err)
	}
	defer svg.Close()
	for dec := xml.NewDecoder(svg); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot: %v", err)
		}
	}
}

// Recordings without a text, two servers, one of them somebody else's.
func TestBenchComparesServers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dir := t.TempDir()
	var file bytes.Buffer
	w, err := container.NewWAVWriter(&file, codec.SpeechRate)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(codectest.Speech(t)[:2*codec.SpeechRate]); err != nil {
		t.Fatal(err)
	}
	wav := filepath.Join(dir, "speech.wav")
	if err := os.WriteFile(wav, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := parley(t, nil, "bench", "--sessions", "1", "--duration", "2s", "--rounds", "1", "--files", wav, "--json",
		"--compare", "speech.v1=http://"+s.addr, "--compare", "--model bundled --policy naive").must(t)
	var result struct {
		Runs []struct {
			Server string
			Values map[string]*float64
		}
		Ratios []struct{ Sessions int }
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(result.Runs) != 2 || len(result.Ratios) != 1 || !strings.HasSuffix(result.Runs[0].Server, s.addr) || result.Runs[1].Server != "--model bundled --policy naive" {
		t.Fatalf("%+v", result)
	}
	for _, run := range result.Runs {
		if run.Values["wer_final"] != nil || run.Values["utterances"] == nil || *run.Values["unheard"] != 0 || *run.Values["retracted"] != 0 {
			t.Errorf("%s: %v", run.Server, run.Values)
		}
	}
}

func TestBenchNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string // parted by |
		want string
	}{
		{"--sessions|0", "--sessions: 0"},
		{"--sessions|two", "--sessions"},
		{"--duration|10ms", "--duration: 10ms"},
		{"--talk|0.95", "--talk: 0.95"},
		{"--jitter=-5", "--jitter: -5"},
		{"--loss|51", "--loss: 51"},
		{"--sentences|0", "--sentences: 0"},
		{"--rounds=-1", "--rounds: -1"},
		{"--late|0s", "--late: 0s"},
		{"--protocol|speech.v9", "--protocol"},
		{"--start|{", "--start"},
		{"--plot|a.png", "--plot: "},
		{"--plot|/nowhere/a.svg", "--plot: /nowhere/a.svg"},
		{"--csv|/nowhere/a.csv", "--csv: /nowhere/a.csv"},
		{"--compare|--slots 1", "--compare: give it twice"},
		{"http://a|--compare|b|--compare|c", "leave the URL out"},
		{"--compare", "missing"},
		{"--files|/nowhere/a.wav", "--files: /nowhere/a.wav"},
		{"--voices|nobody", "--voices: "},
		{"--serve|--model 'bundled", "a quote is not closed"},
		{"--serve|--model bundled --slots 100", "--slots (PARLEY_SLOTS): 100"},
		{"ftp://127.0.0.1", "ftp://127.0.0.1 is no address"},
		{"http://127.0.0.1:1", "127.0.0.1:1"},
		{"http://127.0.0.1:1#pid=me", `"me" is no process`},
	} {
		o := parley(t, nil, append([]string{"bench", "--duration", "1s", "--sentences", "1"}, strings.Split(c.args, "|")...)...)
		if o.code == 0 || !strings.Contains(o.errout, c.want) || strings.Contains(o.errout, "panic") {
			t.Errorf("%s: exit code %d, want %q: %s", c.args, o.code, c.want, o.errout)
		}
	}
}
