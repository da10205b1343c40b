package session

import (
	"time"

	"parley/stream"
)

// line follows the sequence numbers and time stamps of one input stream.
type line struct {
	begun  bool
	last   uint32        // highest sequence number heard
	expect time.Duration // PTS the next payload should have
	usual  time.Duration // how long payloads last
	bad    int           // malformed payloads in a row

	runPTS time.Duration // where a run without gaps began
	runLen time.Duration // audio of that run
	told   bool          // a wrong rate has been reported
}

// next takes the header of a payload: how much audio is missing before it, and
// whether it is a duplicate or comes after its place was concealed.
func (l *line) next(a stream.Audio) (lost time.Duration, late bool) {
	if !a.HasSeq {
		return 0, false
	}
	step := int32(a.Seq - l.last)
	switch {
	case !l.begun:
		l.begun, l.runPTS = true, a.PTS
	case step <= 0:
		return 0, true
	case step > 1 || a.Discontinuity || a.Silence:
		lost = max(a.PTS-l.expect, 0)
		if lost == 0 && step > 1 {
			lost = time.Duration(step-1) * l.usual
		}
		l.runPTS, l.runLen = a.PTS, 0
	}
	l.last = a.Seq
	return lost, false
}

// heard takes how much audio the payload held.
func (l *line) heard(a stream.Audio, d time.Duration) {
	if d > 0 {
		l.usual, l.bad = d, 0
	}
	l.expect = a.PTS + d
	l.runLen += d
}

// lied reports, once a stream, that the audio lasts far longer or shorter than
// its time stamps say: rate or channels are not what the client declared.
func (l *line) lied(a stream.Audio) error {
	span, audio := a.PTS-l.runPTS, l.runLen-l.usual
	if l.told || span <= 0 || max(span, audio) < 2*time.Second {
		return nil
	}
	if 2*audio > 3*span || 3*audio < 2*span {
		l.told = true
		return stream.Errorf(stream.BadRequest, "input.rate", "the audio lasts %v by input.rate and input.channels but %v by its pts_us: one of them is wrong",
			audio.Round(time.Millisecond), span.Round(time.Millisecond))
	}
	return nil
}
