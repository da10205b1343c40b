package native

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"parley/stream"
)

// TestSchemaAgreesWithServer: what the published schema of session.start lets
// pass is what the server takes in, to the last value of each range.
func TestSchemaAgreesWithServer(t *testing.T) {
	schema := compile(t, schemaFiles(t))["session.start"]
	var starts []string
	try := func(format string, values ...any) {
		for _, v := range values {
			starts = append(starts, fmt.Sprintf(`{"type":"session.start",`+format+`}`, v))
		}
	}
	try(`"input":{"codec":%q}`, "opus", "pcm_s16le", "pcm_f32le", "mulaw", "alaw", "ogg_opus", "webm_opus", "wav", "auto", "mp3", "OPUS", "")
	try(`"input":{"codec":"pcm_s16le","rate":%d}`, 7999, 8000, 48000, 48001)
	try(`"input":{"codec":"pcm_s16le","channels":%d}`, 0, 1, 2, 3)
	try(`"input":{"framing":%q}`, "header", "bare", "none", "")
	try(`"output":{"codec":%q}`, "opus", "pcm_s16le", "mulaw", "alaw", "wav")
	try(`"output":{"codec":"pcm_s16le","rate":%d}`, 7999, 8000, 48000, 48001)
	try(`"output":{"lead_ms":%d}`, 99, 100, 60000, 60001)
	try(`"asr":{"task":%q}`, "transcribe", "translate", "summarise", "")
	try(`"asr":{"partials":%q}`, "off", "stable", "full", "on")
	try(`"asr":{"final":%q}`, "stable", "best", "any", "")
	try(`"asr":{"language":%q}`, strings.Repeat("x", 128), strings.Repeat("x", 129))
	try(`"asr":{"words":%s}`, "true", "false", "1")
	try(`"asr":{"keywords":%s}`, `[]`, `["a"]`, `[1]`, `"a"`)
	try(`"vad":{"mode":%q}`, "server", "manual", "client")
	try(`"vad":{"threshold":%g}`, 0.009, 0.01, 0.99, 0.991)
	try(`"vad":{"prefix_ms":%d}`, -1, 0, 5000, 5001)
	try(`"vad":{"silence_ms":%d}`, 9, 10, 10000, 10001)
	try(`"vad":{"eager":%s}`, "0", "0.5", "1", "1.01", "-0.01", `"high"`, `{"prob":0.5}`)
	try(`"vad":{"patience_ms":%s}`, "0", "5000", "5001", "-1", "0.5", `"long"`)
	try(`"vad":{"max_utterance_ms":%d}`, 4999, 5000, 90000, 90001)
	try(`"tts":{"speed":%g}`, 0.24, 0.25, 4.0, 4.01)
	try(`"tts":{"voice":%s}`, `"a"`, `5`)
	try(`"interrupt":%q`, "auto", "none", "always")
	try(`"resume":%s`, `{"session":"s","token":"t","seq":1}`, `"s"`)
	try(`"id":%q`, strings.Repeat("é", 64), strings.Repeat("é", 65))
	for _, start := range starts {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(start))
		if err != nil {
			t.Fatalf("%s: %v", start, err)
		}
		published, served := schema.Validate(v), serves(t, start)
		if (published == nil) != (served == nil) {
			t.Errorf("%s\nschema: %v\nserver: %v", start, published, served)
		}
	}
}

// serves is what a server without any model says of a session.start.
func serves(t *testing.T, start string) error {
	t.Helper()
	cmds, err := newDialect().Decode(text(start))
	if err != nil {
		return err
	}
	if e := stream.DefaultConfig().With(cmds[0].(stream.Start).Patch).Validate(); e != nil {
		return e
	}
	return nil
}

// TestDocumentedSession: the session on the page for client authors is one that
// this dialect understands and whose answers follow the schemas.
func TestDocumentedSession(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```transcript\n")
	session, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/protocol.md has no transcript")
	}
	strict := strictSchemas(t)
	d := newDialect()
	var seq uint64
	for line := range strings.Lines(session) {
		who, message := line[:2], strings.TrimSpace(line[2:])
		switch {
		case strings.HasPrefix(message, "["):
			head := strings.ReplaceAll(strings.Split(message[1:], ",")[0], " ", "")
			if len(head) != 2*HeaderSize {
				t.Errorf("%s: the header has %d digits", message, len(head))
			}
		case who == "> ":
			validate(t, strict, []byte(message))
			if cmds, err := d.Decode(text(message)); err != nil || len(cmds) != 1 {
				t.Errorf("%s: %d commands, %v", message, len(cmds), err)
			}
		case who == "< ":
			seq++
			if got := validate(t, strict, []byte(message)).Seq; got != seq {
				t.Errorf("%s: seq %d, want %d", message, got, seq)
			}
		default:
			t.Errorf("whose line is %q?", line)
		}
	}
	if seq == 0 {
		t.Error("the server says nothing")
	}
	for name := range schemaFiles(t) {
		if name != "common" && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/protocol.md does not name %s", name)
		}
	}
	api, _ := readAPI(t)
	for code, status := range api.CloseCodes {
		if !strings.Contains(string(page), "`"+code+"`") || (code != "resume_expired" && !strings.Contains(string(page), fmt.Sprintf("| %d |", status))) {
			t.Errorf("docs/protocol.md does not tell of %s (%d)", code, status)
		}
	}
}
