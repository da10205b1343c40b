package doctor

import (
	"errors"
	"fmt"
	"path/filepath"

	"parley/vad/onnx"
	"parley/vad/smartturn"
)

// turn loads the end-of-turn model, which tries it.
func turn(c Config) Finding {
	const check = "end-of-turn model"
	switch {
	case c.Turn == "":
		return Finding{Check: check, State: Missing, Detail: "none: silence and words decide where a turn ends",
			Advice: fmt.Sprintf("for one that listens put smart-turn-v3.2-cpu.onnx (8 MB, published as pipecat-ai/smart-turn-v3) into %s, or name a file with --turn-model (PARLEY_TURN_MODEL)", c.Store.Dir)}
	case c.Paths.ONNXRuntime == "":
		return Finding{Check: check, State: Missing, Detail: filepath.Base(c.Turn) + " is there, but no onnxruntime to run it"}
	}
	if err := tryTurn(c.Paths.ONNXRuntime, c.Turn); err != nil {
		return bad(check, "take the published file again, or choose --turn-model off", err)
	}
	return good(check, "%s answers", c.Turn)
}

func tryTurn(library, path string) (err error) {
	if err := onnx.Initialize(library); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, onnx.Shutdown()) }()
	model, err := smartturn.Open(path)
	if err != nil {
		return err
	}
	return model.Close()
}
