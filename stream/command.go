package stream

import "time"

// Command is what a peer asks for. The set is sealed.
type Command interface{ command() }

// Request is embedded in every command: Ref is the client's own id for it,
// echoed in the answer.
type Request struct{ Ref string }

type (
	// Start opens the session; it must come first.
	Start struct {
		Request
		Patch    Patch
		Resuming bool // the client asked to resume an earlier session
	}
	// Update changes the configuration; absent fields stay.
	Update struct {
		Request
		Patch Patch
	}
	// Audio is one payload of an input stream.
	Audio struct {
		Stream        uint16
		Seq           uint32
		HasSeq        bool          // false where the dialect has no sequence numbers
		PTS           time.Duration // of the first sample, by the client's media clock
		Payload       []byte
		Discontinuity bool // audio is missing before this payload
		Silence       bool // DTX: the payload may be empty
		Last          bool // the stream ends after this payload
	}
	// Commit ends the current utterance now.
	Commit struct {
		Request
		Stream uint16
	}
	// Clear forgets the current utterance.
	Clear struct{ Request }
	// EndInput ends an input stream: what it still holds is finalised.
	EndInput struct {
		Request
		Stream uint16
	}
	// Speak says text, or a piece of it.
	Speak struct {
		Request
		Speech  string // the client's or the dialect's id of the speech
		Text    string
		More    bool // more pieces of the same speech follow
		Voice   string
		Speed   float64 // 0: as configured
		Replace bool    // cancel what is being said and queued first
	}
	// CancelSpeak stops a speech, or all of them where Speech is empty.
	CancelSpeak struct {
		Request
		Speech    string
		Played    time.Duration // what the client heard of it
		HasPlayed bool
	}
	// Played reports how much of a speech the client has heard.
	Played struct {
		Request
		Speech string
		At     time.Duration
	}
	// Ping keeps the session alive and is answered with Pong.
	Ping struct {
		Request
		T float64 // opaque, echoed
	}
	// End asks for an orderly end: promised finals and speech first.
	End struct{ Request }
)

func (Start) command()       {}
func (Update) command()      {}
func (Audio) command()       {}
func (Commit) command()      {}
func (Clear) command()       {}
func (EndInput) command()    {}
func (Speak) command()       {}
func (CancelSpeak) command() {}
func (Played) command()      {}
func (Ping) command()        {}
func (End) command()         {}

func (r Request) ref() string { return r.Ref }

// RefOf is the client's id of a command, where it has one.
func RefOf(cmd Command) string {
	if r, ok := cmd.(interface{ ref() string }); ok {
		return r.ref()
	}
	return ""
}
