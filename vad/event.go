package vad

// Kind is what happened to an utterance.
type Kind uint8

// The kinds, in the order an utterance sees them: one Start, any number of
// Pause and Resume in turn, one End.
const (
	Start  Kind = iota + 1 // speech began
	Pause                  // 64 ms of silence: the utterance may be about to end
	Resume                 // speech went on after a Pause
	End                    // the utterance is over
)

// String names the kind for logs and test output.
func (k Kind) String() string {
	return [...]string{"none", "start", "pause", "resume", "end"}[min(k, End)]
}

// Reason is why an utterance ended.
type Reason string

// The reasons, spelled as on the wire. After ByMaxLen the next utterance goes
// on at the very sample where this one was cut.
const (
	ByVAD    Reason = "vad"
	ByCommit Reason = "commit"
	ByMaxLen Reason = "max_len"
	ByEnd    Reason = "end"
	ByClear  Reason = "clear" // dropped: not to be decoded
)

// Event is one step of an utterance. Positions are samples at 16 kHz from the
// start of the stream.
type Event struct {
	Kind     Kind
	Reason   Reason // of End only
	At       int64  // Start, Resume: where speech begins; Pause, End: where speech last ended
	From, To int64  // the audio of the utterance so far, half open, with pre-roll and tail
	Voiced   int64  // samples of [From, To) that are speech
}
