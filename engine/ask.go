package engine

import (
	"fmt"
	"time"
)

// Class orders decodes by who suffers from waiting: a lower one goes first.
type Class uint8

// The classes.
const (
	ClassFinal       Class = iota // a final that somebody waits for
	ClassSpeculative              // a final that may not be needed, or not yet
	ClassFirst                    // the first partial of an utterance
	ClassPartial                  // any later partial
	Classes                       // how many there are
)

// String names the class as metrics do.
func (c Class) String() string {
	return [...]string{"final", "speculative", "first_partial", "partial", "none"}[min(c, Classes)]
}

// partial says whether c is a class of Pool.Partial.
func (c Class) partial() bool { return c == ClassFirst || c == ClassPartial }

// Ask says who wants a decode and how soon.
type Ask struct {
	Session string    // whose account pays; "": nobody's, and no other ask is of the same session
	Class   Class     // what it is for
	Due     time.Time // within a class the earliest goes first; zero: when it was asked for
}

// Overload is an ErrBusy that knows when to try again.
type Overload struct {
	RetryAfter time.Duration
	Why        string // what there is too much of
}

// Error gives the reason and the hint.
func (o *Overload) Error() string {
	return fmt.Sprintf("engine busy: %s; try again in %v", o.Why, o.RetryAfter)
}

// Is makes an Overload an ErrBusy.
func (o *Overload) Is(target error) bool { return target == ErrBusy }

// ErrSuperseded is an ErrPreempted: the session asked for a newer decode of the
// same kind, or for its final, before this one had begun.
var ErrSuperseded error = superseded{}

type superseded struct{}

func (superseded) Error() string        { return "superseded by a newer decode of the session" }
func (superseded) Is(target error) bool { return target == ErrPreempted }
