package formats

import "parley/codec"

// NewCentredDecoder is NewDecoder with a codec.Blocker behind it: speech as
// recognition wants it, round zero. Nothing else is changed.
func NewCentredDecoder(f codec.Format, rate int) (codec.Decoder, error) {
	dec, err := NewDecoder(f, rate)
	if err != nil {
		return nil, err
	}
	return &centred{in: dec, blocker: codec.NewBlocker(rate)}, nil
}

type centred struct {
	in      codec.Decoder
	blocker *codec.Blocker
}

func (c *centred) Decode(dst []float32, payload []byte) ([]float32, error) {
	out, err := c.in.Decode(dst, payload)
	c.blocker.Process(out[len(dst):])
	return out, err
}

func (c *centred) Conceal(dst []float32, n int, next []byte) ([]float32, error) {
	out, err := c.in.Conceal(dst, n, next)
	c.blocker.Process(out[len(dst):])
	return out, err
}

func (c *centred) Flush(dst []float32) ([]float32, error) {
	out, err := c.in.Flush(dst)
	c.blocker.Process(out[len(dst):])
	return out, err
}
