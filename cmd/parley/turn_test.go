package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/codec"
	"parley/vad/onnx/onnxtest"
)

// TestTheTurnModel: one that lies among the models is loaded, told and heard with.
func TestTheTurnModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const name = "smart-turn-v3.2-cpu.onnx"
	if err := os.WriteFile(filepath.Join(dir, name), onnxtest.Turn().Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	model := func(s *server) string {
		var info struct {
			TurnModel string `json:"turn_model"`
		}
		if err := json.NewDecoder(s.get(t, "/v1/info").Body).Decode(&info); err != nil {
			t.Fatal(err)
		}
		return info.TurnModel
	}
	s := startServer(t, "--models-dir", dir)
	if got := model(s); got != name {
		t.Errorf("the server tells of %q", got)
	}
	c := session(t, s, opusIn(nil))
	if heard := c.understand(c.speak("turn off the radio in the bedroom", "flite/slt")); heard == "" {
		t.Error("nothing was heard")
	}
	prob := eagerTurn(t, s)
	if prob < 0.5 || prob > 0.75 { // the logistic of features between 0 and 1
		t.Errorf("the turn is over with %g, which is not the model's word", prob)
	}
	if err := s.terminate(); err != nil {
		t.Errorf("exit: %v\n%s", err, s.log.String())
	}
	if got := model(commonServer(t)); got != "" {
		t.Errorf("a server without one tells of %q", got)
	}
	doctor := parley(t, nil, "doctor", "--models-dir", dir, "--listen", "127.0.0.1:0")
	if !strings.Contains(doctor.out, "ok  end-of-turn model: "+filepath.Join(dir, name)) {
		t.Errorf("doctor does not tell:\n%s%s", doctor.out, doctor.errout)
	}
	doctor = parley(t, nil, "doctor", "--models-dir", dir, "--listen", "127.0.0.1:0", "--turn-model", "off")
	if !strings.Contains(doctor.out, "-   end-of-turn model: none") {
		t.Errorf("doctor tells of one that is off:\n%s%s", doctor.out, doctor.errout)
	}
}

// eagerTurn says a sentence in real time and returns how sure the server was, while
// it waited for more silence, that it was all.
func eagerTurn(t *testing.T, s *server) float64 {
	t.Helper()
	pcm := append(spoken(t, "turn off the radio in the bedroom"), make([]float32, 3*codec.SpeechRate)...)
	c := session(t, s, opusIn(map[string]any{"vad": map[string]any{"eager": 0.3, "silence_ms": 2000}}))
	var wg sync.WaitGroup
	wg.Go(func() { c.play(encode(t, pcm), true) })
	defer wg.Wait()
	eager := c.until("turn.eager")
	final := c.until("transcript.final")
	if eager.Text == "" || eager.Text != final.Text || eager.Utt != final.Utt || final.Reason != "vad" {
		t.Errorf("eager %+v\nfinal %+v", eager, final)
	}
	return eager.Prob
}

// TestTurnsWithoutAModel: the words tell, and the bundled model writes full stops.
func TestTurnsWithoutAModel(t *testing.T) {
	t.Parallel()
	if prob := eagerTurn(t, commonServer(t)); prob != 0.9 {
		t.Errorf("a whole sentence is over with %g", prob)
	}
}

func TestTurnModelsThatAreNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := onnxtest.Turn()
	other.Inputs[0].Dims[2] = 3000
	for path, says := range map[string]string{
		filepath.Join(dir, "none.onnx"):                "no such file",
		write("garbage.onnx", []byte("RIFF of a WAV")): "not a network",
		write("other.onnx", other.Bytes()):             "input_features float32 [n 80 3000]",
	} {
		got := parley(t, nil, "serve", "--listen", "127.0.0.1:0", "--model", "bundled", "--turn-model", path)
		if got.code == 0 || !strings.Contains(got.errout, says) || !strings.Contains(got.errout, "PARLEY_TURN_MODEL") || !strings.Contains(got.errout, path) {
			t.Errorf("%s: exit code %d\n%s", path, got.code, got.errout)
		}
	}
	if got := parley(t, nil, "doctor", "--turn-model", filepath.Join(dir, "garbage.onnx"), "--listen", "127.0.0.1:0"); got.code == 0 ||
		!strings.Contains(got.out, "BAD end-of-turn model") {
		t.Errorf("doctor: exit code %d\n%s", got.code, got.out)
	}
}
