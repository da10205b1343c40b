package models

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestVocabulary(t *testing.T) {
	words, err := Vocabulary(bundled)
	if err != nil || len(words) != 50256 || words[0] != "!" || words[220] != " " || words[50255] != " gazed" {
		t.Errorf("%d words, %v", len(words), err)
	}
	if _, err := Vocabulary(t.TempDir()); !errors.Is(err, ErrFormat) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Vocabulary(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file was read")
	}
}
