package tinymodel_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"parley/engine/whisper/tinymodel"
)

func TestFile(t *testing.T) {
	b, err := os.ReadFile(tinymodel.FileName)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if hex.EncodeToString(sum[:]) != tinymodel.SHA256 || len(b) != tinymodel.Size {
		t.Errorf("%d bytes, SHA-256 %x", len(b), sum)
	}
	if n := tinymodel.Notice(); !strings.Contains(n, "timers") || !strings.Contains(n, "models pull") {
		t.Errorf("notice: %s", n)
	}
}
