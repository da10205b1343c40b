package load

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Network is what lies between a microphone and the server.
type Network struct {
	// Jitter is the longest stall. One frame in fifty, about one a second, meets a
	// stall of up to that; what comes after it queues behind and arrives in a
	// burst, in order.
	Jitter time.Duration
	// Loss is the share of frames that never arrive, each by itself, 0 to 0.5.
	Loss float64
}

// Validate names what cannot be.
func (n Network) Validate() error {
	switch {
	case n.Jitter < 0 || n.Jitter > 10*time.Second:
		return fmt.Errorf("--jitter: %d is outside 0 to 10000 ms", n.Jitter.Milliseconds())
	case !(n.Loss >= 0 && n.Loss <= 0.5):
		return fmt.Errorf("--loss: %g is outside 0 to 50 %%", 100*n.Loss)
	}
	return nil
}

// stalls is how often a frame meets one.
const stalls = 0.02

// path is the way of one session's frames. The same draws are made for each frame
// whatever the settings are, so that the same seed loses the same frames.
type path struct {
	network Network
	random  *rand.Rand
	last    time.Duration // when the frame before it left
}

func newPath(n Network, seed uint64, session int) *path {
	return &path{network: n, random: rand.New(rand.NewPCG(seed^0x6e6574, uint64(session)))}
}

// next says when the frame that is due at a time goes out, or that it is lost.
func (p *path) next(due time.Duration) (at time.Duration, lost bool) {
	luck, hold, lose := p.random.Float64(), p.random.Float64(), p.random.Float64()
	if luck < stalls {
		due += time.Duration(hold * float64(p.network.Jitter))
	}
	p.last = max(p.last, due)
	return p.last, lose < p.network.Loss
}
