package ws

import (
	"unicode/utf8"

	"github.com/coder/websocket"

	"parley/stream"
)

// statuses are the close codes by why a session ended. 4400 to 4503 are the
// protocol's own, near the HTTP status of the same meaning.
var statuses = map[stream.Code]websocket.StatusCode{
	stream.Done:             websocket.StatusNormalClosure,
	stream.Draining:         websocket.StatusGoingAway,
	stream.BadRequest:       4400,
	stream.ResumeExpired:    4400,
	stream.Unauthorized:     4401,
	stream.Forbidden:        4403,
	stream.UnknownModel:     4404,
	stream.IdleTimeout:      4408,
	stream.TakenOver:        4409,
	stream.FrameTooLarge:    4413,
	stream.UnsupportedCodec: 4415,
	stream.RateLimited:      4429,
	stream.SessionLimit:     4429,
	stream.BacklogOverflow:  4429,
	stream.EngineFailed:     4500,
	stream.Internal:         4500,
	stream.Overloaded:       4503,
}

// statusOf is the close code of a stream.Code; an unknown one is our fault.
func statusOf(code stream.Code) websocket.StatusCode {
	if s, ok := statuses[code]; ok {
		return s
	}
	return statuses[stream.Internal]
}

// maxReason is what a close frame has room for after its code (RFC 6455 §5.5).
const maxReason = 123

// clipReason cuts a reason to maxReason bytes, between runes.
func clipReason(s string) string {
	if len(s) <= maxReason {
		return s
	}
	n := maxReason
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
