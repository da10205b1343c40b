// Package vad cuts a stream of speech probabilities into utterances: start and
// end with pre-roll, hangover, minimum and maximum length. It owns no audio and
// no clock; positions are sample counts from the start of the stream at 16 kHz.
// It never imports a model runtime: the Detector it consumes is declared here.
package vad

// FrameSize is the number of samples at 16 kHz behind one probability (32 ms).
const FrameSize = 512

// Detector gives the probability that a frame holds speech. It keeps recurrent
// state, so each stream has its own; it is not safe for concurrent use.
type Detector interface {
	// Probability takes exactly FrameSize samples and answers in [0, 1].
	Probability(frame []float32) (float32, error)
	// Reset forgets the stream so far.
	Reset()
}
