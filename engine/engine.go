// Package engine says what recognition and synthesis are: requests, results and
// errors; Pool shares recognition slots between sessions; Live turns successive
// hypotheses of one utterance into a stable prefix and a tail. It knows no word
// of any model: tokens and their timestamps stay inside the backends.
package engine

import (
	"context"
	"errors"
	"time"
)

// Errors that callers branch on.
var (
	// ErrBusy: the queue is full; nothing was computed, the caller may retry.
	ErrBusy = errors.New("engine busy")
	// ErrPreempted: a partial gave its place to a final; the caller tries again later.
	ErrPreempted = errors.New("preempted by a final")
	// ErrUnavailable: the backend, its library or its model is not on this machine.
	ErrUnavailable = errors.New("engine unavailable")
	// ErrUnknownVoice: no synthesiser has the voice asked for.
	ErrUnknownVoice = errors.New("unknown voice")
	// ErrUnknownLanguage: the model or voice does not know the language.
	ErrUnknownLanguage = errors.New("unknown language")
)

// Word is one recognised word. Times are from the start of the window.
type Word struct {
	Text       string // as spoken, with its punctuation, without blanks round it
	Start, End time.Duration
	P          float32 // mean probability of its tokens, 0 to 1
	Joined     bool    // no blank between the word before and this one, as in Chinese
}

// Window is the audio one decode looks at, with what is asked of it.
type Window struct {
	Audio    []float32 // mono at codec.SpeechRate; read only, shared
	Language string    // ISO 639-1, or "" to detect
	Task     Task
	Prompt   string // earlier text or hot words that condition the decoder
	Memo     *Memo  // of audio that begins where Audio does; nil: nothing is kept
}

// Task is what is done with the words heard.
type Task string

// The tasks: transcribe in the language spoken, or translate to English.
const (
	Transcribe Task = "transcribe"
	Translate  Task = "translate"
)

// Prefix is text already promised to the client that a decode must begin with.
type Prefix []Word

// Hypothesis is what a partial decode believes now. All of it may change.
type Hypothesis struct {
	Words     []Word
	Language  string
	LanguageP float32 // its probability, 1 where it was asked for, 0 where unknown
}

// Transcript is a finished decode. Words is empty where nothing was said.
type Transcript struct {
	Words      []Word
	Language   string
	Confidence float32 // mean word probability, 0 to 1
}

// Slot is one unit of recognition capacity. One call at a time; calls stop soon
// after ctx is done and then return its cause.
type Slot interface {
	// Partial decodes fast what was heard so far; the hypothesis begins with the
	// words of the prefix.
	Partial(context.Context, Window, Prefix) (Hypothesis, error)
	// Final decodes as well as it can; the transcript begins with the words of the
	// prefix, a nil one leaves the decoder free.
	Final(context.Context, Window, Prefix) (Transcript, error)
	Close() error
}

// Voice is somebody who can speak.
type Voice struct {
	ID       string // "engine/name", unique in the server
	Name     string // for people
	Language string // BCP 47
	Rate     int    // Hz of the PCM its synthesiser makes
}

// Phrase is one piece of text to be spoken in one go.
type Phrase struct {
	Text  string
	Voice string  // Voice.ID
	Speed float64 // 1 is the voice's own; 0.25 to 4
}

// Chunk is a piece of speech in the order it is to be heard.
type Chunk struct {
	PCM   []float32 // mono at Rate; owned by the receiver
	Rate  int       // Hz, the same for all chunks of one phrase
	Marks []Mark
}

// Mark says which characters of Phrase.Text begin to sound when.
type Mark struct {
	From, To int           // runes of Phrase.Text, half open
	At       time.Duration // from the start of the phrase
}

// Synthesizer speaks. It is safe for concurrent use.
type Synthesizer interface {
	Voices() []Voice
	// Speak hands over chunks as they are made. It returns the cause of ctx
	// within one chunk of its end, or the first error of emit.
	Speak(ctx context.Context, p Phrase, emit func(Chunk) error) error
}
