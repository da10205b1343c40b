package ws

import (
	"context"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"parley/stream"
)

// TestCloseCodes shows each code on the wire and holds the table against the
// published one.
func TestCloseCodes(t *testing.T) {
	raw, err := os.ReadFile("../../api/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		CloseCodes map[stream.Code]websocket.StatusCode `yaml:"x-close-codes"`
	}
	if err := yaml.Unmarshal(raw, &api); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(api.CloseCodes, statuses); diff != "" {
		t.Errorf("x-close-codes of api/asyncapi.yaml and the table differ (-api +go):\n%s", diff)
	}
	for code, want := range statuses {
		url := listen(t, serving(func(_ context.Context, p stream.Peer) error { return p.Close(code, "why") }))
		_, _, err := dial(t, url, nil).Read(t.Context())
		if websocket.CloseStatus(err) != want {
			t.Errorf("%s closed with %v, want %d", code, err, want)
		}
	}
	if got := statusOf("unheard of"); got != 4500 {
		t.Errorf("an unknown code closes with %d, want 4500", got)
	}
}

func TestClipReason(t *testing.T) {
	for _, s := range []string{"", strings.Repeat("a", 123), strings.Repeat("a", 124), strings.Repeat("語", 50), "a" + strings.Repeat("😀", 31)} {
		got := clipReason(s)
		if len(got) > maxReason || !strings.HasPrefix(s, got) || !utf8.ValidString(got) || len(got) < min(len(s), maxReason-3) {
			t.Errorf("%q was cut to %q", s, got)
		}
	}
	if got := clipReason(strings.Repeat("\x80", 200)); got != "" {
		t.Errorf("a reason that is not UTF-8 was cut to %q, want nothing", got)
	}
}
