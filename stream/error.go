package stream

import (
	"errors"
	"fmt"
	"time"
)

// Code says what went wrong in a word every dialect can map to its own.
type Code string

// The codes. Done and Draining are not failures: they only end a session.
const (
	Done             Code = "done"
	Draining         Code = "draining"
	BadRequest       Code = "bad_request"
	Unauthorized     Code = "unauthorized"
	Forbidden        Code = "forbidden"
	UnknownModel     Code = "unknown_model"
	UnsupportedCodec Code = "unsupported_codec"
	FrameTooLarge    Code = "frame_too_large"
	BacklogOverflow  Code = "backlog_overflow"
	IdleTimeout      Code = "idle_timeout"
	SessionLimit     Code = "session_limit"
	RateLimited      Code = "rate_limited"
	Overloaded       Code = "overloaded"
	ResumeExpired    Code = "resume_expired"
	TakenOver        Code = "taken_over"
	EngineFailed     Code = "engine_failed"
	Internal         Code = "internal"
)

// Error is the one error type that reaches a client.
type Error struct {
	Code    Code
	Message string // names what was wrong; never audio, text or keys
	Param   string // the field, where there is one: "input.rate"
	Ref     string // the client's id of the command it answers
	Fatal   bool   // the session ends after it
	Err     error  // the cause, for the log

	RetryAfter time.Duration // of Overloaded: when to try again; 0 unknown
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an Error that leaves the session alive. A cause wrapped by %w is kept.
func Errorf(code Code, param, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Param: param, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Fatalf builds an Error that ends the session.
func Fatalf(code Code, param, format string, args ...any) *Error {
	e := Errorf(code, param, format, args...)
	e.Fatal = true
	return e
}

// AsError finds the *Error in err, or makes a fatal one of code.
func AsError(err error, code Code) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: code, Message: err.Error(), Fatal: true, Err: err}
}
