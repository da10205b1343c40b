package container

// Kinds of lacing in a block's flags (RFC 9559 section 10.3).
const (
	laceXiph  = 0x02
	laceFixed = 0x04
	laceEBML  = 0x06
	laceMask  = 0x06
)

// block gives the packets of one block, of which trim samples at the end of the
// last do not count. Blocks of other tracks and empty groups are passed over.
func (w *WebM) block(b []byte, trim int) error {
	if len(b) == 0 {
		return nil
	}
	number, n := vint(b)
	if n <= 0 || len(b) < n+3 {
		return malformed("WebM block of %d bytes", len(b))
	}
	if uint64(number) != w.ours.number {
		return nil
	}
	flags, body := b[n+2], b[n+3:]
	sizes, body, err := laces(flags&laceMask, body)
	if err != nil {
		return err
	}
	for i, size := range sizes {
		p, samples, err := w.cut.next(body[:size])
		if err != nil {
			return err
		}
		if i == len(sizes)-1 {
			p.Trim = min(trim, samples)
		}
		if err := w.emit(p); err != nil {
			return err
		}
		body = body[size:]
	}
	return nil
}

// laces gives the sizes of the frames in a block, which then fill rest.
func laces(kind byte, b []byte) (sizes []int, rest []byte, err error) {
	if kind == 0 {
		return []int{len(b)}, b, nil
	}
	if len(b) == 0 {
		return nil, nil, malformed("WebM block without a frame count")
	}
	count, b := int(b[0])+1, b[1:]
	ok := true
	switch kind {
	case laceXiph:
		sizes, b, ok = xiphSizes(count-1, b)
	case laceEBML:
		sizes, b, ok = ebmlSizes(count-1, b)
	case laceFixed:
		if len(b)%count != 0 {
			return nil, nil, malformed("WebM block with %d equal frames in %d bytes", count, len(b))
		}
		for range count - 1 {
			sizes = append(sizes, len(b)/count)
		}
	}
	sum := 0
	for _, size := range sizes {
		sum += size
	}
	if !ok || sum > len(b) {
		return nil, nil, malformed("WebM block with %d frames of more than its %d bytes", count, len(b))
	}
	return append(sizes, len(b)-sum), b, nil
}

func xiphSizes(n int, b []byte) (sizes []int, rest []byte, ok bool) {
	for range n {
		size := 0
		for {
			if len(b) == 0 {
				return nil, nil, false
			}
			x := b[0]
			b = b[1:]
			size += int(x)
			if x < 255 {
				break
			}
		}
		sizes = append(sizes, size)
	}
	return sizes, b, true
}

// ebmlSizes reads a first size and then differences with a bias that makes them
// signed.
func ebmlSizes(n int, b []byte) (sizes []int, rest []byte, ok bool) {
	size := 0
	for i := range n {
		v, used := rawVint(b)
		if used <= 0 || used > 4 {
			return nil, nil, false
		}
		b = b[used:]
		if i == 0 {
			size = int(v)
		} else {
			size += int(v) - (1<<(7*used-1) - 1)
		}
		if size < 0 || size > maxBlock {
			return nil, nil, false
		}
		sizes = append(sizes, size)
	}
	return sizes, b, true
}

// rawVint is vint for numbers in which all bits set mean nothing special.
func rawVint(b []byte) (int64, int) {
	v, n := vint(b)
	if v == unknownSize && n > 0 {
		v = 1<<(7*n) - 1
	}
	return v, n
}
