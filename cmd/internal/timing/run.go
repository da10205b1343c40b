package timing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/cmd/internal/cputime"
	"parley/engine"
	"parley/engine/whisper"
)

// single measures all that one slot does.
func (c Config) single(ctx context.Context, s *whisper.Slot, r *Report, tell func(string)) error {
	for _, length := range c.Windows {
		tell(fmt.Sprintf("partials of %v", length))
		d, err := c.decode(ctx, s, length)
		if err != nil {
			return err
		}
		r.Decodes = append(r.Decodes, d)
	}
	tell("a final")
	r.FinalOf = together
	w := c.window(together)
	var err error
	r.Final, err = c.median(func() error {
		_, err := s.Final(ctx, w, nil)
		return err
	})
	return err
}

// decode measures partials of one length.
func (c Config) decode(ctx context.Context, s *whisper.Slot, length time.Duration) (Decode, error) {
	w := c.window(length)
	heard, prefix, err := ask(ctx, s, w)
	if err != nil {
		return Decode{}, err
	}
	d := Decode{Audio: length, Words: len(heard), Forced: len(prefix)}
	d.Free, err = c.median(func() error { return partial(ctx, s, w, nil) })
	if err != nil {
		return d, err
	}
	d.Forces, err = c.median(func() error { return partial(ctx, s, w, prefix) })
	return d, err
}

// left is how many words a forced partial is left to say, at most: the last one is
// always held back, and a second of speech brings two or three.
const left = 4

// ask decodes once and says what is forced from then on.
func ask(ctx context.Context, s *whisper.Slot, w engine.Window) ([]engine.Word, engine.Prefix, error) {
	h, err := s.Partial(ctx, w, nil)
	if err != nil {
		return nil, nil, err
	}
	if len(h.Words) == 0 {
		return nil, nil, errors.New("timing: the model hears no words in the speech")
	}
	return h.Words, engine.Prefix(h.Words[:max(len(h.Words)/2, len(h.Words)-left)]), nil
}

func partial(ctx context.Context, s *whisper.Slot, w engine.Window, p engine.Prefix) error {
	_, err := s.Partial(ctx, w, p)
	return err
}

// median runs a call and gives the middle of the times it took, each by itself.
func (c Config) median(call func() error) (Took, error) {
	var wall, cpu []time.Duration
	for range c.Runs {
		begun, used := time.Now(), cputime.Used()
		if err := call(); err != nil {
			return Took{}, err
		}
		wall, cpu = append(wall, time.Since(begun)), append(cpu, cputime.Used()-used)
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return Took{wall[len(wall)/2], cpu[len(cpu)/2]}, nil
}

// busy keeps slots busy with forced partials.
func (c Config) busy(ctx context.Context, slots []*whisper.Slot) (Throughput, error) {
	type client struct {
		window engine.Window
		prefix engine.Prefix
		done   int
		err    error
	}
	clients := make([]client, len(slots))
	for i, s := range slots {
		w := c.window(together)
		_, prefix, err := ask(ctx, s, w)
		if err != nil {
			return Throughput{}, err
		}
		clients[i] = client{window: w, prefix: prefix}
	}
	begun, used := time.Now(), cputime.Used()
	var wg sync.WaitGroup
	for i, s := range slots {
		wg.Go(func() {
			for k := &clients[i]; k.err == nil && time.Since(begun) < c.Busy; k.done++ {
				k.err = partial(ctx, s, k.window, k.prefix)
			}
		})
	}
	wg.Wait()
	took := time.Since(begun).Seconds()
	t := Throughput{Slots: len(slots), CPU: (cputime.Used() - used).Seconds() / took}
	var err error
	for _, k := range clients {
		t.Partials += float64(k.done) / took
		err = errors.Join(err, k.err)
	}
	return t, err
}
