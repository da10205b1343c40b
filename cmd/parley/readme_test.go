package main_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fences are the code blocks of a Markdown file, by language.
func fences(t *testing.T, path string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	return blocks
}

// documents are the files whose commands are tested.
func documents(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(docs, filepath.Join(root(t), "README.md"))
}

func TestCommandsOfTheDocumentsExist(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(root(t), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, path := range documents(t) {
		for _, block := range fences(t, path)["sh"] {
			for line := range strings.Lines(block) {
				line, _, _ = strings.Cut(line, "#")
				for _, part := range strings.FieldsFunc(line, func(r rune) bool { return r == '|' || r == '&' || r == ';' }) {
					words := commandWords(part)
					if len(words) < 2 {
						continue
					}
					switch filepath.Base(words[0]) {
					case "make":
						seen++
						if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(words[1]) + `:`).Match(makefile) {
							t.Errorf("%s: make has no target %q", path, words[1])
						}
					case "parley":
						seen++
						checkFlags(t, path, words[1:])
					}
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d commands found", seen)
	}
}

// commandWords are the words of a command without variables before it.
func commandWords(line string) []string {
	words := strings.Fields(line)
	for len(words) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(words[0]) {
		words = words[1:]
	}
	return words
}

// checkFlags asks the program's help for the subcommand and each flag.
func checkFlags(t *testing.T, path string, words []string) {
	t.Helper()
	sub := []string{words[0]}
	if words[0] == "models" && len(words) > 1 && !strings.HasPrefix(words[1], "-") {
		sub = append(sub, words[1])
	}
	o := parley(t, nil, append(sub, "--help")...)
	if o.code != 0 {
		t.Errorf("%s: parley %s: %s", path, strings.Join(sub, " "), o.errout)
	}
	for _, w := range words {
		flag, _, _ := strings.Cut(w, "=")
		if strings.HasPrefix(flag, "-") && flag != "-" && !regexp.MustCompile(`[ ,]`+regexp.QuoteMeta(flag)+`[\s=,\[]`).MatchString(o.out) {
			t.Errorf("%s: parley %s has no flag %s", path, strings.Join(sub, " "), flag)
		}
	}
}

func TestTheConfigurationTable(t *testing.T) {
	t.Parallel()
	help := parley(t, nil, "serve", "--help").must(t)
	readme, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`--([a-z-]+)[=\s]`).FindAllStringSubmatch(help, -1) {
		if flag := m[1]; flag != "help" && !strings.Contains(string(readme), "`--"+flag+"`") {
			t.Errorf("README.md does not name --%s", flag)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` ").FindAllStringSubmatch(string(readme), -1) {
		if !strings.Contains(help, "--"+m[1]) {
			t.Errorf("README.md names --%s, which serve does not have", m[1])
		}
	}
}

func TestTheMetricsTable(t *testing.T) {
	t.Parallel()
	text, err := io.ReadAll(commonServer(t).get(t, "/metrics").Body)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile(filepath.Join(root(t), "docs", "capacity.md"))
	if err != nil {
		t.Fatal(err)
	}
	help := regexp.MustCompile("(?m)^# HELP (parley_[a-z_]+) ").FindAllStringSubmatch(string(text), -1)
	if len(help) < 10 {
		t.Fatalf("only %d metrics are told", len(help))
	}
	for _, m := range help {
		if !strings.Contains(string(docs), "`"+m[1]+"`") {
			t.Errorf("docs/capacity.md does not name %s", m[1])
		}
	}
}

// TestTheClientOfTheReadme runs the example against a server as it is printed.
func TestTheClientOfTheReadme(t *testing.T) {
	t.Parallel()
	blocks := fences(t, filepath.Join(root(t), "README.md"))["go"]
	if len(blocks) != 1 {
		t.Fatalf("README.md has %d Go programs, want 1", len(blocks))
	}
	if n := strings.Count(blocks[0], "\n"); n > 45 {
		t.Errorf("the example has %d lines", n)
	}
	s, dir := commonServer(t), t.TempDir()
	wav := filepath.Join(dir, "a.wav")
	parley(t, nil, "say", "turn off the radio in the bedroom", "-o", wav).must(t)
	main := filepath.Join(dir, "main.go") // run from here, so that the module knows its imports
	if err := os.WriteFile(main, []byte(blocks[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	audio, err := os.Open(wav)
	if err != nil {
		t.Fatal(err)
	}
	defer audio.Close()
	cmd := exec.CommandContext(ctx, "go", "run", main, "ws://"+s.addr+"/v1/stream")
	cmd.Stdin = audio
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "radio in the bedroom") {
		t.Errorf("%v: %s", err, out)
	}
}
