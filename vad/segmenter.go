package vad

import (
	"math"
	"slices"
)

const (
	tail        = 200 * 16               // samples of silence an utterance keeps after its last speech
	pauseFrames = 2                      // silent frames that make a Pause: 64 ms
	lookback    = 10000 * 16 / FrameSize // frames searched for the deepest pause: 10 s
	smooth      = 2                      // frames to each side over which a pause is averaged: 160 ms
)

// Segmenter turns the probabilities of one stream into utterances. It is a pure
// value: no goroutine, no clock, no audio; not safe for concurrent use. Events
// name sample ranges that are in order, never overlap and never begin before
// what Keep said last.
type Segmenter struct {
	cfg      Config
	pos      int64   // samples pushed, a multiple of FrameSize
	keep     int64   // where the utterance begins, or would if speech began now
	track    []frame // the frames that end in (keep, pos]
	speaking bool
	paused   bool // a Pause was told and no Resume yet
	hold     int  // ms of silence that end the utterance instead of cfg's; 0 none
	events   []Event
}

// frame is what is remembered of one frame.
type frame struct {
	p      float32
	speech bool // at or above the threshold, or above the lower one in running speech
}

// New makes a Segmenter at sample 0. The error is Config.Validate's.
func New(cfg Config) (*Segmenter, error) {
	s := &Segmenter{}
	if err := s.Update(cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// Update changes the configuration from the next frame on, in the middle of an
// utterance too. Audio before Keep stays forgotten, and an utterance already
// longer than a lowered maximum is cut at the next frames. On error nothing changes.
func (s *Segmenter) Update(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	s.cfg = cfg
	return nil
}

// Keep is the oldest sample that a later event can name; it never goes back. Audio
// before it can be forgotten once the events of the last Push are dealt with.
func (s *Segmenter) Keep() int64 { return s.keep }

// Speaking tells where the utterance in progress begins, if there is one.
func (s *Segmenter) Speaking() (from int64, ok bool) { return s.keep, s.speaking }

// Hold changes how much silence, 10 to 10000 ms from the end of speech, ends the
// utterance in the pause in progress; 0 is the configured value again. It is
// forgotten when speech goes on, and is nothing where no Pause was told last or in
// manual mode. Silence that is enough already ends the utterance at the next frame.
func (s *Segmenter) Hold(ms int) {
	switch {
	case !s.paused || s.cfg.Mode != Server:
	case ms <= 0:
		s.hold = 0
	default:
		s.hold = max(10, min(ms, 10000))
	}
}

// Push takes the probability of the next FrameSize samples and answers with
// what came of it. The slice is valid until the next call. A probability that
// is not a number counts as silence.
func (s *Segmenter) Push(p float32) []Event {
	s.events = s.events[:0]
	if p != p {
		p = 0
	}
	running := s.speaking && lastSpeech(s.track) == len(s.track)
	speech := p >= s.cfg.Threshold || running && p >= s.cfg.negThreshold()
	s.pos += FrameSize
	s.track = append(s.track, frame{p, speech})

	if s.speaking {
		s.follow()
	} else {
		s.listen()
	}
	if s.speaking && s.pos-s.keep+FrameSize > samples(s.cfg.MaxUtteranceMS) {
		s.cut()
	}
	return s.events
}

// Commit ends the utterance in progress at sample total: how much audio has
// come so far, which may be up to a frame more than was pushed. Where there is
// none, ok is false and the event holds only the range without speech: nothing
// is to be decoded. In manual mode that range is then forgotten.
func (s *Segmenter) Commit(total int64) (end Event, ok bool) {
	if !s.speaking && s.cfg.Mode == Server {
		return Event{Kind: End, Reason: ByCommit, At: s.keep, From: s.keep, To: s.clamp(total)}, false
	}
	return s.finish(total, ByCommit)
}

// End is Commit at the end of the input.
func (s *Segmenter) End(total int64) (end Event, ok bool) { return s.finish(total, ByEnd) }

// Clear drops all audio up to total, and the utterance in progress with it: ok
// tells whether there was one.
func (s *Segmenter) Clear(total int64) (end Event, ok bool) { return s.finish(total, ByClear) }

// finish ends the utterance, if any, and restarts at total.
func (s *Segmenter) finish(total int64, why Reason) (end Event, ok bool) {
	total = s.clamp(total)
	end = Event{Kind: End, Reason: why, At: s.keep, From: s.keep, To: total}
	ok = s.speaking
	if ok {
		end.At, end.Voiced = s.sample(lastSpeech(s.track)), s.voiced(total)
	}
	s.stop(total)
	return end, ok
}

// clamp puts a caller's count of samples into what can have come by now.
func (s *Segmenter) clamp(total int64) int64 {
	return max(s.keep, s.pos, min(total, s.pos+FrameSize-1))
}

// listen looks for the onset of speech among the latest frames.
func (s *Segmenter) listen() {
	need, window := s.cfg.onset()
	recent := s.track[max(0, len(s.track)-window):]
	first, heard := s.pos, 0
	for i, f := range recent {
		if f.speech {
			heard++
			first = min(first, s.pos-int64(len(recent)-i)*FrameSize)
		}
	}
	s.forget(first - s.cfg.prefix())
	if heard >= need {
		s.start(first)
	}
}

// follow takes an utterance on by the frame just pushed.
func (s *Segmenter) follow() {
	last := lastSpeech(s.track)
	silent, at := len(s.track)-last, s.sample(last)
	switch {
	case silent == 0:
		s.hold = 0
		if !s.paused {
			return
		}
		s.paused = false
		s.emit(Resume, "", s.pos-FrameSize, s.pos)
	case silent >= frames(s.silence()) && s.cfg.Mode == Server:
		to := min(at+tail, s.pos)
		s.emit(End, ByVAD, at, to)
		s.stop(to)
	case silent >= pauseFrames && !s.paused:
		s.paused = true
		s.emit(Pause, "", at, s.pos)
	}
}

// silence is how much of it ends the utterance, in ms.
func (s *Segmenter) silence() int {
	if s.hold > 0 {
		return s.hold
	}
	return s.cfg.SilenceMS
}

// cut ends an utterance that has become too long in its deepest recent pause
// and goes on with the rest, if there is speech in it.
func (s *Segmenter) cut() {
	longest := (s.keep + samples(s.cfg.MaxUtteranceMS) - s.sample(0)) / FrameSize
	at := deepest(s.track[:min(int64(len(s.track)), longest)])
	to := s.sample(at)
	last := lastSpeech(s.track[:at])
	if last > 0 {
		s.emit(End, ByMaxLen, s.sample(last), to)
	}
	first := slices.IndexFunc(s.track[at:], func(f frame) bool { return f.speech })
	begin := s.sample(at + first)
	paused, hold := s.paused, s.hold
	s.stop(to)
	switch {
	case first < 0: // silence is left
	case last > 0:
		s.start(begin)
	default: // the speech is all after the cut: one utterance, with less silence before it
		s.speaking, s.paused, s.hold = true, paused, hold
	}
}

// start begins an utterance at Keep whose speech begins at sample first.
func (s *Segmenter) start(first int64) {
	s.speaking = true
	s.emit(Start, "", max(first, s.keep), s.pos)
}

// stop waits for the next utterance, which begins at sample to or later.
func (s *Segmenter) stop(to int64) {
	s.speaking, s.paused, s.hold = false, false, 0
	s.forget(to)
}

// forget raises Keep to a sample and drops the frames before it.
func (s *Segmenter) forget(to int64) {
	s.keep = max(s.keep, to)
	n := min((s.keep-s.sample(0))/FrameSize, int64(len(s.track)))
	s.track = s.track[:copy(s.track, s.track[n:])]
}

// emit adds an event about the audio from Keep to a sample.
func (s *Segmenter) emit(kind Kind, why Reason, at, to int64) {
	s.events = append(s.events, Event{kind, why, at, s.keep, to, s.voiced(to)})
}

// voiced counts the samples of speech from Keep to a sample.
func (s *Segmenter) voiced(to int64) (n int64) {
	for i, f := range s.track {
		if f.speech {
			n += max(0, min(s.sample(i+1), to)-max(s.sample(i), s.keep))
		}
	}
	return n
}

// sample is where frame i of the track begins.
func (s *Segmenter) sample(i int) int64 { return s.pos - int64(len(s.track)-i)*FrameSize }

// lastSpeech is the index after the last speech frame, 0 where there is none.
func lastSpeech(track []frame) int {
	n := len(track)
	for n > 0 && !track[n-1].speech {
		n--
	}
	return n
}

// deepest is the frame in the middle of the deepest pause of the last 10 s, the
// latest of several equal ones.
func deepest(track []frame) int {
	best, at := float32(math.Inf(1)), len(track)
	for i := max(0, len(track)-lookback) + smooth; i < len(track)-smooth; i++ {
		var sum float32
		for _, f := range track[i-smooth : i+smooth+1] {
			sum += f.p
		}
		if sum <= best {
			best, at = sum, i
		}
	}
	return at
}
