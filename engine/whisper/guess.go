//go:build cgo

package whisper

// ending is why a greedy decode stopped; the values are those of C.
type ending int

const (
	ended  ending = iota // the decoder said so
	looped               // it only repeated itself; the repetitions are left out
	cut                  // it made as many tokens as were asked for
)

// guess is one greedy decode and what came of it.
type guess struct {
	pcm            []float32 // not empty
	spectrum       *spectrum // of pcm as far as it is known; nil: the library makes its own
	encoder        int       // length; 0 for the model's own
	threads        int
	language       int // id, -1 to detect; the one used afterwards
	translate      bool
	before, prefix []int32   // tokens
	most           int       // new tokens
	again          bool      // pcm is still encoded
	logits         []float32 // where those of each step are copied to, or nil

	likely  float32 // probability of the language, set where it is detected
	ids     []int32 // the new tokens
	stopped ending
}
