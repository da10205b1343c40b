package main_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/cmd/internal/wer"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSayThenTranscribe(t *testing.T) {
	t.Parallel()
	const said = "turn off the radio in the bedroom"
	dir := t.TempDir()
	wav, ogg := filepath.Join(dir, "a.wav"), filepath.Join(dir, "b.opus")
	parley(t, nil, "say", said, "-o", wav).must(t)
	parley(t, strings.NewReader(said), "say", "-", "--voice", "rms", "--speed", "0.9", "-o", ogg).must(t)
	piped := parley(t, nil, "say", said, "-o", "-").must(t)

	out := parley(t, nil, "transcribe", "--model", "bundled", wav, ogg).must(t)
	for line := range strings.Lines(out) {
		if c := wer.Compare(said, line); c.Rate() > 0.3 {
			t.Errorf("said %q, heard %q", said, line)
		}
	}
	if strings.Count(out, "\n") != 2 {
		t.Errorf("two files gave %q", out)
	}
	var doc struct {
		Text       string `json:"text"`
		DurationMS int    `json:"duration_ms"`
		Segments   []struct {
			StartMS int `json:"start_ms"`
			Words   []struct {
				W string `json:"w"`
			} `json:"words"`
		} `json:"segments"`
	}
	text := parley(t, strings.NewReader(piped), "transcribe", "--model", "bundled", "--format", "json", "--language", "en", "-").must(t)
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Text == "" || doc.DurationMS < 1000 || len(doc.Segments) == 0 || len(doc.Segments[0].Words) < 3 {
		t.Errorf("JSON: %s", text)
	}
	parley(t, nil, "transcribe", "--model", "bundled", "--format", "srt", "-o", dir, wav, ogg).must(t)
	for _, name := range []string{"a.wav.srt", "b.opus.srt"} {
		srt, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(srt), " --> ") {
			t.Errorf("%s: %q, %v", name, srt, err)
		}
	}
	vtt := parley(t, nil, "transcribe", "--model", "bundled", "--format", "vtt", wav).must(t)
	if !strings.HasPrefix(vtt, "WEBVTT\n\n00:00:0") {
		t.Errorf("VTT: %q", vtt)
	}
}

func TestFailuresOfTools(t *testing.T) {
	t.Parallel()
	noise, empty := write(t, "noise.bin.wav", "this is no audio, whatever its name says"), write(t, "empty.wav", "")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no command", nil, 2, "expected"},
		{"unknown command", []string{"sing"}, 2, "sing"},
		{"unknown flag", []string{"serve", "--lissen", "x"}, 2, "--lissen"},
		{"open address", []string{"serve", "--listen", "0.0.0.0:0"}, 2, "--api-key"},
		{"short key", []string{"serve", "--listen", "127.0.0.1:0", "--api-key", "k3y"}, 1, "key 1"},
		{"no such file", []string{"transcribe", "--model", "bundled", "/no/such.wav"}, 1, "/no/such.wav: no such file"},
		{"a folder", []string{"transcribe", "--model", "bundled", "/"}, 1, "folder"},
		{"no audio", []string{"transcribe", "--model", "bundled", noise}, 1, "unsupported"},
		{"an empty file", []string{"transcribe", "--model", "bundled", empty}, 1, empty},
		{"unknown language", []string{"transcribe", "--model", "bundled", "--language", "xx", noise}, 1, "asr.language"},
		{"unknown model", []string{"transcribe", "--model", "huge", noise}, 1, "large-v3"},
		{"no model file", []string{"transcribe", "--model", "/no/such.bin", noise}, 1, "/no/such.bin"},
		{"model that is none", []string{"transcribe", "--model", write(t, "x.bin", "junk"), noise}, 1, "not a usable model"},
		{"model that may not be pulled", []string{"transcribe", "--model", "tiny", "--pull", "never", noise}, 1, "models pull tiny"},
		{"output is no folder", []string{"transcribe", "--model", "bundled", "-o", "/no/where", "a", "b"}, 1, "--output"},
		{"format of say", []string{"say", "yes", "-o", "x.mp3"}, 1, ".mp3"},
		{"voice", []string{"say", "yes", "-o", "x.wav", "--voice", "nobody"}, 1, "--voice"},
		{"language nobody speaks", []string{"say", "yes", "-o", "x.wav", "--language", "xx"}, 1, "--language"},
		{"speed", []string{"say", "yes", "-o", "x.wav", "--speed", "9"}, 1, "--speed"},
		{"nothing to say", []string{"say", "  ", "-o", "x.wav"}, 1, "no text"},
		{"say without file", []string{"say", "yes"}, 2, "--output"},
		{"unknown model to pull", []string{"models", "pull", "gigantic"}, 1, "gigantic"},
		{"model that is not there", []string{"models", "path", "base.en"}, 1, "not present"},
		{"wrong value", []string{"transcribe", "--format", "xml", noise}, 2, "see: parley transcribe --help"},
		{"wrong number", []string{"serve", "--slots", "999"}, 2, "see: parley serve --help"},
		{"too many words", []string{"say", "-o", "x.wav", "yes", "please"}, 2, "see: parley say --help"},
		{"no model named", []string{"models", "pull"}, 2, "see: parley models pull --help"},
		{"captions of two files as one", []string{"transcribe", "--format", "srt", noise, empty}, 1, "--output"},
		{"two files of one name", []string{"transcribe", "-o", t.TempDir(), "/a/x.wav", "/b/x.wav"}, 1, "/b/x.wav"},
		{"no folder for the transcript", []string{"transcribe", "-o", "/no/where.txt", noise}, 1, "/no/where.txt: no such file"},
		{"no folder for the speech", []string{"say", "yes", "-o", "/no/where.wav"}, 1, "/no/where.wav: no such file"},
		{"nobody listens", []string{"healthcheck", "--listen", "127.0.0.1:1"}, 1, "not ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parley(t, nil, c.args...)
			if o.code != c.code || !strings.Contains(o.errout, c.want) {
				t.Errorf("exit code %d, %q; want %d and %q", o.code, o.errout, c.code, c.want)
			}
			for line := range strings.Lines(o.errout) {
				if !strings.HasPrefix(line, "parley: ") && !strings.HasPrefix(line, "see: parley ") && !strings.HasPrefix(line, "{") {
					t.Errorf("said %q", line)
				}
			}
		})
	}
}

func TestWhatATruncatedFileHoldsIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole, cut := filepath.Join(dir, "whole.wav"), filepath.Join(dir, "cut.wav")
	parley(t, nil, "say", "yes please", "-o", whole).must(t)
	audio, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, audio[:len(audio)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	o := parley(t, nil, "transcribe", "--model", "bundled", cut)
	if o.code != 1 || strings.TrimSpace(o.out) == "" || !strings.Contains(o.errout, "cut.wav: truncated audio") {
		t.Errorf("exit code %d, output %q, %s", o.code, o.out, o.errout)
	}
}

func TestAFailedFileDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "good.wav")
	parley(t, nil, "say", "yes please", "-o", good).must(t)
	o := parley(t, nil, "transcribe", "--model", "bundled", "/no/such.wav", good)
	if o.code != 1 || strings.TrimSpace(o.out) == "" {
		t.Errorf("exit code %d, output %q", o.code, o.out)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := parley(t, nil, "models").must(t)
	for _, name := range []string{"base.en", "large-v3-turbo", "MIT"} {
		if !strings.Contains(list, name) {
			t.Errorf("%s is not listed", name)
		}
	}
	if path := parley(t, nil, "models", "path", "--models-dir", dir).must(t); path != dir+"\n" {
		t.Errorf("path %q", path)
	}
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("not the model"))
	}))
	defer wrong.Close()
	o := parleyEnv(t, nil, []string{"PARLEY_MODELS_URL=" + wrong.URL}, "models", "pull", "tiny.en-q5_1", "--models-dir", dir)
	if o.code != 1 || !strings.Contains(o.errout, "SHA-256") {
		t.Errorf("a wrong file: exit code %d, %s", o.code, o.errout)
	}
	if err := os.WriteFile(filepath.Join(dir, "ggml-tiny.en.bin"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := parley(t, nil, "models", "verify", "--models-dir", dir); o.code != 1 || !strings.Contains(o.errout, "SHA-256") {
		t.Errorf("a damaged file: exit code %d, %s", o.code, o.errout)
	}
}

func TestWithoutNetworkTheBundledModelIsUsed(t *testing.T) {
	t.Parallel()
	wav := filepath.Join(t.TempDir(), "x.wav")
	parley(t, nil, "say", "yes please", "-o", wav).must(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	o := parleyEnv(t, nil, []string{"PARLEY_MODELS_URL=" + url}, "transcribe", wav)
	if o.code != 0 || o.out == "" {
		t.Fatalf("exit code %d, %s", o.code, o.errout)
	}
	for _, part := range []string{"base.en cannot be fetched", "bundled model", "parley models pull base.en"} {
		if !strings.Contains(o.errout, part) {
			t.Errorf("the notice %q does not tell %q", o.errout, part)
		}
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	type finding struct{ Check, State, Detail, Advice string }
	doctor := func(env []string, args ...string) (list []finding, code int) {
		o := parleyEnv(t, nil, env, append([]string{"doctor", "--json", "--listen", "127.0.0.1:0"}, args...)...)
		if err := json.Unmarshal([]byte(o.out), &list); err != nil {
			t.Fatalf("%v in %q", err, o.out)
		}
		return list, o.code
	}
	list, code := doctor(nil)
	if code != 0 {
		t.Errorf("exit code %d: %+v", code, list)
	}
	list, code = doctor([]string{"PARLEY_NATIVE_DIR=/no/where", "PARLEY_GGML_BACKENDS=/no/where"})
	bad := 0
	for _, f := range list {
		if f.State != "bad" {
			continue
		}
		bad++
		if f.Advice == "" {
			t.Errorf("%s is bad (%s), and no advice", f.Check, f.Detail)
		}
	}
	if code != 1 || bad < 2 {
		t.Errorf("without libraries: exit code %d, %+v", code, list)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if o := parley(t, nil, "doctor", "--listen", l.Addr().String()); o.code != 1 || !strings.Contains(o.out, "BAD address") {
		t.Errorf("a used port: exit code %d, %s", o.code, o.out)
	}
}

func TestVoicesAndVersion(t *testing.T) {
	t.Parallel()
	if out := parley(t, nil, "voices", "--language", "en").must(t); !strings.Contains(out, "flite/slt") {
		t.Errorf("voices: %s", out)
	}
	for _, arg := range []string{"version", "--version"} {
		if out := parley(t, nil, arg).must(t); !strings.HasPrefix(out, "parley 0.") {
			t.Errorf("%s: %s", arg, out)
		}
	}
}
