package stream

import (
	"time"

	"parley/codec"
	"parley/engine"
)

// Event is what the core tells a peer. The set is sealed. All times are media
// time from the first input sample of the session; those of a speech are from
// the speech's first sample. Utterances and output streams are numbered from 1
// in the session; dialects turn the numbers into ids of their own.
type Event interface{ event() }

type (
	// Started answers Start.
	Started struct {
		Ref     string
		Session string
		Config  Config
		Limits  Limits
	}
	// Updated answers Update with the whole effective configuration.
	Updated struct {
		Ref    string
		Config Config
	}
	// SpeechStarted: an utterance began.
	SpeechStarted struct {
		Utterance int
		At        time.Duration
	}
	// Partial replaces the utterance's previous partial. Stable only grows.
	Partial struct {
		Utterance    int
		Rev          int
		Stable, Tail string
		StableWords  []engine.Word // nil unless words were asked for
		TailWords    []engine.Word
		Start, End   time.Duration
	}
	// SpeechStopped: the speaker fell silent or the utterance was cut.
	SpeechStopped struct {
		Utterance int
		At        time.Duration
	}
	// Final is an utterance's transcript; its text begins with the last stable
	// text unless it says that it is revised.
	Final struct {
		Utterance  int
		Text       string
		Language   string
		Confidence float32
		Words      []engine.Word // nil unless asked for; times are media time
		Start, End time.Duration
		Reason     string // vad, commit, max_len, end
		Revised    bool   // it does not begin with the last stable text; only where Config.Final is FinalBest
	}
	// TurnEager: the speaker fell silent and has probably said what they wanted to.
	// A Final or a TurnResumed of the utterance follows.
	TurnEager struct {
		Utterance   int
		Text        string // what the final would be now
		Probability float64
		At          time.Duration // where speech ended
	}
	// TurnResumed: speech went on after a TurnEager.
	TurnResumed struct {
		Utterance int
		At        time.Duration
	}
	// Failed ends an utterance that could not be transcribed.
	Failed struct {
		Utterance int
		Err       *Error
	}
	// Cleared ends an utterance the client asked to forget.
	Cleared struct {
		Ref       string
		Utterance int // 0 where there was none
	}
	// Ack tells how much of an input stream has been taken in.
	Ack struct {
		Stream  uint16
		Seq     uint32
		PTS     time.Duration // media time reached
		Backlog time.Duration // heard but not yet final
	}
	// Flow tells whether input keeps up: ok, slow, dropping.
	Flow struct {
		Stream uint16
		State  string
	}
	// SpeakStarted opens the output stream of a speech.
	SpeakStarted struct {
		Ref    string // of the Speak that began it
		Speech string
		Stream int // numbered from 1 in the session
		Format codec.Format
	}
	// SpeakAudio is one payload of a speech.
	SpeakAudio struct {
		Speech  string
		Stream  int
		Payload []byte
		PTS     time.Duration
	}
	// SpeakMark: these characters (runes of the whole speech's text) sound from At.
	SpeakMark struct {
		Speech   string
		From, To int
		At       time.Duration
	}
	// SpeakSent: all audio of the speech is on the wire.
	SpeakSent struct {
		Speech string
		Stream int
		PTS    time.Duration
	}
	// SpeakDone ends a speech: it was heard, cancelled, or failed.
	SpeakDone struct {
		Speech      string
		Reason      string        // complete, cancelled, failed
		Duration    time.Duration // heard
		SpokenChars int           // runes heard
		Err         *Error        // where Reason is failed
	}
	// Pong answers Ping.
	Pong struct {
		Ref string
		T   float64
		At  time.Duration // since the session began
	}
	// Warning tells of something mended or ignored.
	Warning struct{ Code, Message string }
	// ErrorEvent carries an Error to the client.
	ErrorEvent struct{ Err *Error }
	// Ended is the last event of a session.
	Ended struct {
		Reason Code
		Stats  Stats
	}
)

// Stats is what a session did.
type Stats struct {
	Audio      time.Duration // input taken in
	Concealed  time.Duration // of it made up for lost packets
	Dropped    time.Duration // input refused because the backlog was full
	Utterances int
	Speeches   int
	Spoken     time.Duration // output sent
}

func (Started) event()       {}
func (Updated) event()       {}
func (SpeechStarted) event() {}
func (Partial) event()       {}
func (SpeechStopped) event() {}
func (Final) event()         {}
func (TurnEager) event()     {}
func (TurnResumed) event()   {}
func (Failed) event()        {}
func (Cleared) event()       {}
func (Ack) event()           {}
func (Flow) event()          {}
func (SpeakStarted) event()  {}
func (SpeakAudio) event()    {}
func (SpeakMark) event()     {}
func (SpeakSent) event()     {}
func (SpeakDone) event()     {}
func (Pong) event()          {}
func (Warning) event()       {}
func (ErrorEvent) event()    {}
func (Ended) event()         {}
