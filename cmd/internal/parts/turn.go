package parts

import "parley/vad/smartturn"

// OpenTurn loads the end-of-turn model of a file; Close frees it.
func (h *Hearing) OpenTurn(path string) error {
	model, err := smartturn.Open(path)
	if err != nil {
		return err
	}
	h.Turn = model
	h.closers.add(model.Close)
	return nil
}
