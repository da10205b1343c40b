package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitArgs(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"  ", nil},
		{"--slots 2", []string{"--slots", "2"}},
		{" --model  'a file.bin'\t--voice=\"flite/slt\"\n", []string{"--model", "a file.bin", "--voice=flite/slt"}},
		{`--model ''`, []string{"--model", ""}},
		{`--model "it's"`, []string{"--model", "it's"}},
		{"--policy naïve", []string{"--policy", "naïve"}},
	} {
		got, err := splitArgs(c.line)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q became %q, %v", c.line, got, err)
		}
	}
	for _, bad := range []string{`'`, `a "b`, `a'b"`} {
		if got, err := splitArgs(bad); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var log tail
	for range 1000 {
		if _, err := log.Write([]byte("0123456789\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Write([]byte(strings.Repeat("x", 3*mostTail) + "the end\n")); err != nil {
		t.Fatal(err)
	}
	if s := log.String(); len(s) > mostTail || !strings.HasSuffix(s, "xthe end") {
		t.Errorf("%d bytes that end in %q", len(s), s[max(0, len(s)-20):])
	}
}
