package session

import (
	"errors"
	"slices"
	"time"

	"parley/codec"
	"parley/stream"
	"parley/vad"
)

const (
	progressEvery = codec.SpeechRate / 4  // samples between two acks
	heardEvery    = 3 * vad.FrameSize     // samples between two looks at an utterance
	maxGap        = 5 * time.Second       // longest loss that is filled with silence
	maxBad        = 25                    // payloads in a row that may be malformed
	opusFrame     = 20 * time.Millisecond // assumed until a packet tells
)

// ear is the reading side's audio state: it decodes one input stream at a time,
// finds utterances in it and keeps their samples. Audio is append-only, so the
// views it hands out stay valid and are never written again.
type ear struct {
	open   func(codec.Format) (codec.Decoder, error)
	det    Detector
	tell   func(input)
	deaf   func() bool  // the backlog is full: input is counted, not heard
	order  func() *hold // takes the latest order for a pause, nil where there is none
	format codec.Format
	cfg    vad.Config

	seg    *vad.Segmenter
	dec    codec.Decoder // nil between streams
	stream uint16
	line   line // sequence numbers of the stream
	used   bool // a stream has been opened

	base    int64     // session sample at which seg's sample 0 lies
	buf     []float32 // audio from bufFrom on
	bufFrom int64     // by seg's count
	fed     int64     // samples given to the detector, by seg's count
	utt     int       // utterances so far
	inUtt   bool
	pauses  int // so far
	paused  bool
	held    int   // ms of silence that end the utterance in this pause, 0 as configured
	looked  int64 // fed, when the utterance was last shown
	acked   int64 // session samples, when progress was last told

	concealed, dropped int64
}

// now is the session's media clock, in samples.
func (e *ear) now() int64 { return e.base + e.end() }

// end is the sample after the last one heard, by seg's count.
func (e *ear) end() int64 { return e.bufFrom + int64(len(e.buf)) }

func (e *ear) media(sample int64) time.Duration {
	return codec.Duration(int(e.base+sample), codec.SpeechRate)
}

// configure takes a new configuration; a new input format holds for the next stream.
func (e *ear) configure(cfg stream.Config) error {
	e.format, e.cfg = cfg.Input, cfg.VAD
	if e.seg == nil {
		return e.restart()
	}
	return e.seg.Update(cfg.VAD)
}

// hear takes one payload.
func (e *ear) hear(a stream.Audio) error {
	if err := e.enter(a.Stream); err != nil {
		return err
	}
	lost, late := e.line.next(a)
	if late {
		return nil
	}
	if cap(e.buf)-len(e.buf) < codec.SpeechRate/10 {
		e.buf = slices.Grow(e.buf, codec.SpeechRate)
	}
	from := len(e.buf)
	err := e.decode(a, lost)
	if e.deaf() {
		clear(e.buf[from:])
		e.dropped += int64(len(e.buf) - from)
	}
	if listenErr := e.listen(); err == nil {
		err = listenErr
	}
	if err != nil {
		return e.explain(err)
	}
	if a.Last {
		return e.leave()
	}
	return e.line.lied(a)
}

// enter makes sure that the numbered stream is the one being decoded. Streams follow each
// other; one that has ended does not come back.
func (e *ear) enter(number uint16) error {
	if e.dec != nil && number == e.stream {
		return nil
	}
	if e.used && number <= e.stream {
		return stream.Errorf(stream.BadRequest, "stream", "input stream %d has ended; use a higher number", number)
	}
	if err := e.leave(); err != nil {
		e.tell(refused{stream.AsError(err, stream.BadRequest)})
	}
	dec, err := e.open(e.format)
	if err != nil {
		return stream.Fatalf(stream.UnsupportedCodec, "input", "input: %w", err)
	}
	e.dec, e.stream, e.used = dec, number, true
	e.line = line{usual: opusFrame}
	return nil
}

func (e *ear) decode(a stream.Audio, lost time.Duration) (err error) {
	if lost > 0 {
		n := codec.Samples(min(lost, maxGap), codec.SpeechRate)
		e.concealed += int64(n)
		if e.buf, err = e.dec.Conceal(e.buf, n, a.Payload); err != nil {
			return err
		}
	}
	from := len(e.buf)
	if len(a.Payload) > 0 { // else silence, or the end of the stream
		e.buf, err = e.dec.Decode(e.buf, a.Payload)
	}
	e.line.heard(a, codec.Duration(len(e.buf)-from, codec.SpeechRate))
	return err
}

// wait fills in for a client that fell silent in the middle of an utterance
// without saying so (DTX, a stalled network): enough silence to end it, where
// silence does.
func (e *ear) wait() error {
	if !e.inUtt || e.cfg.Mode != vad.Server {
		return nil
	}
	n := (max(e.cfg.SilenceMS, e.held) + 100) * codec.SpeechRate / 1000
	e.buf = append(e.buf, make([]float32, n)...)
	e.concealed += int64(n)
	e.line.expect += codec.Duration(n, codec.SpeechRate)
	return e.listen()
}

// explain turns a decoder's error into the client's. A raw packet that is not
// one is concealed; too many in a row, and any fault of a container, end the session.
func (e *ear) explain(err error) error {
	if _, ok := errors.AsType[*stream.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, codec.ErrUnsupported):
		return stream.Fatalf(stream.UnsupportedCodec, "input.codec", "input: %w", err)
	case e.format.Encoding != codec.Opus:
		return stream.Fatalf(stream.BadRequest, "input", "input: %w", err)
	}
	if e.line.bad++; e.line.bad >= maxBad {
		return stream.Fatalf(stream.UnsupportedCodec, "input.codec", "%d payloads in a row are not Opus packets: %w", maxBad, err)
	}
	return stream.Errorf(stream.BadRequest, "input", "input: %w", err)
}

// leave ends the current stream: what its decoder and utterance still hold is used.
func (e *ear) leave() error {
	if e.dec == nil {
		return nil
	}
	var err error
	e.buf, err = e.dec.Flush(e.buf)
	e.dec = nil
	if listenErr := e.listen(); err == nil {
		err = listenErr
	}
	if end, ok := e.seg.End(e.end()); ok {
		e.finish(end)
	}
	if restartErr := e.restart(); err == nil {
		err = restartErr
	}
	e.report(true)
	if err != nil {
		return stream.Errorf(stream.BadRequest, "input", "input stream %d: %w", e.stream, err)
	}
	return nil
}

// restart begins a new count of frames at the current sample.
func (e *ear) restart() (err error) {
	e.base = e.now()
	e.buf, e.bufFrom, e.fed = nil, 0, 0
	e.det.Reset()
	e.seg, err = vad.New(e.cfg)
	return err
}

// listen gives whole frames to the detector and acts on what the segmenter says.
func (e *ear) listen() error {
	for e.fed+vad.FrameSize <= e.end() {
		i := e.fed - e.bufFrom
		p, err := e.det.Probability(e.buf[i : i+vad.FrameSize])
		if err != nil {
			return stream.Fatalf(stream.EngineFailed, "", "voice activity detection failed: %w", err)
		}
		e.fed += vad.FrameSize
		e.obey()
		for _, ev := range e.seg.Push(p) {
			e.act(ev)
		}
		if e.inUtt && (e.paused || e.fed-e.looked >= heardEvery) && e.fed > e.looked {
			from, _ := e.seg.Speaking()
			e.look(from)
		}
	}
	drop := min(e.seg.Keep(), e.fed) - e.bufFrom // a frame begun before a commit is still to be fed
	e.buf, e.bufFrom = e.buf[drop:], e.bufFrom+drop
	e.report(false)
	return nil
}

func (e *ear) act(ev vad.Event) {
	switch ev.Kind {
	case vad.Start:
		e.utt++
		e.inUtt, e.paused, e.held = true, false, 0
		e.tell(onset{utt: e.utt, from: e.media(ev.From), at: e.media(ev.At), seen: e.media(e.fed)})
		e.look(ev.From)
	case vad.Pause:
		e.pauses++
		e.paused = true
		e.tell(paused{utt: e.utt, pause: e.pauses, first: e.base + ev.From, audio: e.view(ev.From, ev.To), at: e.media(ev.At),
			voiced: codec.Duration(int(ev.Voiced), codec.SpeechRate)})
		e.looked = e.fed
	case vad.Resume:
		e.paused, e.held = false, 0
		e.tell(resumed{utt: e.utt, at: e.media(ev.At)})
	case vad.End:
		e.finish(ev)
	}
}

// obey passes an order on to the segmenter, unless the pause it is for is over.
func (e *ear) obey() {
	if h := e.order(); h != nil && e.inUtt && e.paused && h.utt == e.utt && h.pause == e.pauses {
		e.held = h.ms
		e.seg.Hold(h.ms)
	}
}

func (e *ear) look(from int64) {
	e.looked = e.fed
	e.tell(heard{utt: e.utt, first: e.base + from, audio: e.view(from, e.fed)})
}

// view is a read-only piece of the audio; appending to it copies.
func (e *ear) view(from, to int64) []float32 {
	i, j := from-e.bufFrom, to-e.bufFrom
	return e.buf[i:j:j]
}

func (e *ear) finish(ev vad.Event) {
	e.inUtt, e.paused, e.held = false, false, 0
	e.tell(ended{utt: e.utt, first: e.base + ev.From, audio: e.view(ev.From, ev.To), from: e.media(ev.From), to: e.media(ev.To),
		at: e.media(ev.At), seen: e.media(e.fed), reason: string(ev.Reason), voiced: ev.Voiced > 0})
}

// report tells the actor how far the input has come.
func (e *ear) report(always bool) {
	now := e.now()
	if now-e.acked < progressEvery && !always {
		return
	}
	e.acked = now
	e.tell(progress{stream: e.stream, seq: e.line.last, to: codec.Duration(int(now), codec.SpeechRate),
		concealed: codec.Duration(int(e.concealed), codec.SpeechRate),
		dropped:   codec.Duration(int(e.dropped), codec.SpeechRate)})
}

// commit ends the utterance in progress.
func (e *ear) commit() {
	if end, ok := e.seg.Commit(e.end()); ok {
		e.finish(end)
	} else {
		e.tell(warned{"nothing_to_commit", "there was no speech since the last utterance"})
	}
}

// clear forgets the utterance in progress.
func (e *ear) clear(ref string) {
	_, ok := e.seg.Clear(e.end())
	e.inUtt, e.paused, e.held = false, false, 0
	if ok {
		e.tell(cleared{ref: ref, utt: e.utt})
	} else {
		e.tell(cleared{ref: ref})
	}
}

func (e *ear) close() error { return e.det.Close() }
