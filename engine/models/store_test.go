package models

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	ranks := map[int]bool{}
	for _, m := range All() {
		sum, err := hex.DecodeString(m.SHA256)
		if err != nil || len(sum) != 32 || seen[m.SHA256] || seen[m.Name] || ranks[m.rank] {
			t.Errorf("%s: hash %q, rank %d", m.Name, m.SHA256, m.rank)
		}
		seen[m.Name], seen[m.SHA256], ranks[m.rank] = true, true, true
		if m.Description == "" || strings.ContainsAny(m.Description[:1], " 0123456789") || m.Licence != "MIT" || m.English() != strings.Contains(m.Name, ".en") {
			t.Errorf("%+v", m)
		}
	}
	if len(All()) != 18 {
		t.Errorf("%d models", len(All()))
	}
	m, _ := Find("base.en")
	if want := Base + "/ggml-base.en.bin"; m.URL(Base+"/") != want || m.Size != 147964211 {
		t.Errorf("%+v", m)
	}
}

func TestStore(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if _, err := s.Best(); !errors.Is(err, ErrMissing) {
		t.Errorf("best of nothing: %v", err)
	}
	if _, err := s.Path("base"); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if _, err := s.Path("x"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	m, body := published(t, "tiny.en", false)
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(s.Dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ggml-tiny.en.bin", body)
	write("ggml-large-v3.bin", []byte("cut off"))
	write("ggml-small.bin.partial", []byte("123"))
	best, err := s.Best()
	if err != nil || best.Name != "tiny.en" || best.Path != s.file(m) {
		t.Errorf("best is %+v, %v", best, err)
	}
	if err := s.Verify(t.Context(), "tiny.en"); err != nil {
		t.Error(err)
	}
	if got, err := Identify(t.Context(), s.file(m)); err != nil || got.Name != "tiny.en" {
		t.Errorf("identified as %+v, %v", got, err)
	}
	if err := s.Verify(t.Context(), "large-v3"); !errors.Is(err, ErrHash) {
		t.Errorf("a cut-off file: %v", err)
	}
	write("ggml-tiny.en.bin", body[1:])
	if err := s.Verify(t.Context(), "tiny.en"); !errors.Is(err, ErrHash) {
		t.Errorf("a changed file: %v", err)
	}
	if _, err := Identify(t.Context(), s.file(m)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a changed file was identified: %v", err)
	}
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if (e.Path != "") != (e.Name == "tiny.en" || e.Name == "large-v3") || (e.Partial == 3) != (e.Name == "small") {
			t.Errorf("%+v", e)
		}
	}
	if _, err := (Store{Dir: s.file(m)}).List(); err == nil {
		t.Error("a file was listed as a directory")
	}
}

func TestImport(t *testing.T) {
	m, body := published(t, "base", true)
	file := filepath.Join(t.TempDir(), "anything.bin")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Store{Dir: filepath.Join(t.TempDir(), "models")}
	for range 2 {
		got, path, err := s.Import(t.Context(), file)
		if err != nil || got.Name != "base" || path != s.file(m) {
			t.Fatalf("%+v, %s, %v", got, path, err)
		}
		wantFile(t, s, m, body)
	}
	if err := os.WriteFile(file, body[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Import(t.Context(), file); !errors.Is(err, ErrUnknown) {
		t.Errorf("a file that nobody published: %v", err)
	}
}
