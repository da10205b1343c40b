package native

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"parley/engine"
	"parley/stream"
)

// encoder is the writing half of a Dialect.
type encoder struct {
	server   string
	ids      utteranceIDs
	seq      uint64 // of the last JSON message
	bare     bool   // framing of output
	speaking int    // output stream last written
	frames   uint32 // written on it
}

// event returns the messages of e. It is one flat table.
func (c *encoder) event(e stream.Event) ([]stream.Message, error) {
	switch e := e.(type) {
	case stream.Started:
		c.bare = e.Config.Framing.Output == framingBare
		return c.json("session.started", e.Ref, c.started(e))
	case stream.Updated:
		return c.json("session.updated", e.Ref, &sessionUpdated{Config: echo(e.Config)})
	case stream.SpeechStarted:
		return c.json("vad.start", "", &utteranceEdge{Utt: c.ids.of(e.Utterance), AtUS: e.At.Microseconds()})
	case stream.SpeechStopped:
		return c.json("vad.end", "", &utteranceEdge{Utt: c.ids.of(e.Utterance), AtUS: e.At.Microseconds()})
	case stream.Partial:
		return c.json("transcript.partial", "", c.partial(e))
	case stream.Final:
		return c.json("transcript.final", "", c.final(e))
	case stream.TurnEager:
		return c.json("turn.eager", "", c.eager(e))
	case stream.TurnResumed:
		return c.json("turn.resumed", "", &utteranceEdge{Utt: c.ids.of(e.Utterance), AtUS: e.At.Microseconds()})
	case stream.Failed:
		return c.json("transcript.failed", "", &transcriptFailed{Utt: c.ids.end(e.Utterance), Error: failOf(e.Err)})
	case stream.Cleared:
		m := &inputCleared{}
		if e.Utterance != 0 {
			m.Utt = c.ids.end(e.Utterance)
		}
		return c.json("input.cleared", e.Ref, m)
	case stream.Ack:
		return c.json("input.ack", "", &inputAck{Stream: e.Stream, FrameSeq: e.Seq, PTSUS: e.PTS.Microseconds(), BacklogMS: e.Backlog.Milliseconds()})
	case stream.Flow:
		return c.json("flow", "", &flow{Stream: e.Stream, State: e.State})
	case stream.SpeakStarted:
		return c.json("speak.started", e.Ref, &speakStarted{Speech: e.Speech, Stream: serverStream(e.Stream), Codec: string(e.Format.Encoding), Rate: e.Format.Rate})
	case stream.SpeakAudio:
		return c.audio(e.Stream, 0, e.PTS, e.Payload)
	case stream.SpeakSent:
		if c.bare {
			return nil, nil
		}
		return c.audio(e.Stream, FlagEnd, e.PTS, nil)
	case stream.SpeakMark:
		return c.json("speak.mark", "", &speakMark{Speech: e.Speech, From: e.From, To: e.To, AtUS: e.At.Microseconds()})
	case stream.SpeakDone:
		return c.json("speak.done", "", spoken(e))
	case stream.Pong:
		return c.json("pong", e.Ref, &pong{T: e.T, ServerUS: e.At.Microseconds()})
	case stream.Warning:
		return c.json("warning", "", &warning{Code: e.Code, Message: e.Message})
	case stream.ErrorEvent:
		return c.json("error", e.Err.Ref, &failure{fail: failOf(e.Err), Fatal: e.Err.Fatal})
	case stream.Ended:
		return c.json("session.ended", "", &sessionEnded{Reason: string(e.Reason), Stats: statsOf(e.Stats)})
	default:
		return nil, nil
	}
}

// json stamps m with its type, the command it answers and the next seq.
func (c *encoder) json(kind, re string, m message) ([]stream.Message, error) {
	h := m.head()
	h.Type, h.Re, h.Seq = kind, re, c.seq+1
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("native: encode %s: %w", kind, err)
	}
	c.seq++
	return []stream.Message{{Kind: stream.Text, Payload: bytes.TrimSuffix(buf.Bytes(), []byte("\n"))}}, nil
}

// audio frames one payload of output stream n.
func (c *encoder) audio(n int, flags uint8, pts time.Duration, payload []byte) ([]stream.Message, error) {
	if c.bare {
		return []stream.Message{{Kind: stream.Binary, Payload: payload}}, nil
	}
	if n != c.speaking {
		c.speaking, c.frames = n, 0
	}
	b := AppendFrame(make([]byte, 0, HeaderSize+len(payload)), Frame{
		Kind:    KindAudio,
		Flags:   flags,
		Stream:  serverStream(n),
		Seq:     c.frames,
		PTS:     uint64(pts.Microseconds()),
		Payload: payload,
	})
	c.frames++
	return []stream.Message{{Kind: stream.Binary, Payload: b}}, nil
}

func (c *encoder) started(e stream.Started) *sessionStarted {
	return &sessionStarted{
		Session: withPrefix(prefixSession, e.Session),
		Config:  echo(e.Config),
		Limits: limits{
			MaxFrame:     e.Limits.MaxFrame,
			MaxBacklogMS: e.Limits.MaxBacklog.Milliseconds(),
			IdleMS:       e.Limits.Idle.Milliseconds(),
			MaxSessionMS: e.Limits.MaxSession.Milliseconds(),
			MaxText:      e.Limits.MaxText,
		},
		Input:  inputCursor{NextSeq: map[string]uint32{"0": 0}},
		Server: c.server,
	}
}

func (c *encoder) partial(e stream.Partial) *transcriptPartial {
	m := &transcriptPartial{
		Utt:     c.ids.of(e.Utterance),
		Rev:     e.Rev,
		Stable:  e.Stable,
		Tail:    e.Tail,
		StartUS: e.Start.Microseconds(),
		EndUS:   e.End.Microseconds(),
	}
	if e.StableWords != nil || e.TailWords != nil {
		n := len(e.StableWords)
		m.StableWords = &n
		m.Words = appendWords(appendWords([]word{}, e.StableWords), e.TailWords)
	}
	return m
}

func (c *encoder) final(e stream.Final) *transcriptFinal {
	m := &transcriptFinal{
		Utt:        c.ids.end(e.Utterance),
		Text:       e.Text,
		Language:   e.Language,
		StartUS:    e.Start.Microseconds(),
		EndUS:      e.End.Microseconds(),
		Confidence: probability(e.Confidence),
		Reason:     e.Reason,
		Revised:    e.Revised,
	}
	if e.Words != nil {
		m.Words = appendWords([]word{}, e.Words)
	}
	return m
}

func (c *encoder) eager(e stream.TurnEager) *turnEager {
	return &turnEager{
		Utt:  c.ids.of(e.Utterance),
		Text: e.Text,
		Prob: probability(e.Probability),
		AtUS: e.At.Microseconds(),
	}
}

func appendWords(dst []word, words []engine.Word) []word {
	for _, w := range words {
		dst = append(dst, word{
			W:       w.Text,
			StartUS: w.Start.Microseconds(),
			EndUS:   w.End.Microseconds(),
			P:       probability(w.P),
			Joined:  w.Joined,
		})
	}
	return dst
}

// probability keeps what JSON has no word for (NaN, infinity) off the wire.
func probability[F float32 | float64](p F) F {
	if !(p >= 0) {
		return 0
	}
	return min(p, 1)
}

func spoken(e stream.SpeakDone) *speakDone {
	m := &speakDone{
		Speech:      e.Speech,
		Reason:      e.Reason,
		DurationUS:  e.Duration.Microseconds(),
		SpokenChars: e.SpokenChars,
	}
	if e.Err != nil {
		f := failOf(e.Err)
		m.Error = &f
	}
	return m
}

func failOf(e *stream.Error) fail {
	return fail{Code: string(e.Code), Message: e.Message, Param: e.Param, RetryAfterMS: millisUp(e.RetryAfter)}
}

// millisUp rounds up, so that a client that waits so long does not come too early.
func millisUp(d time.Duration) int64 {
	return (max(d, 0) + time.Millisecond - 1).Milliseconds()
}

func statsOf(s stream.Stats) stats {
	return stats{
		AudioUS:     s.Audio.Microseconds(),
		ConcealedUS: s.Concealed.Microseconds(),
		DroppedUS:   s.Dropped.Microseconds(),
		Utterances:  s.Utterances,
		Speeches:    s.Speeches,
		SpokenUS:    s.Spoken.Microseconds(),
	}
}

// serverStream is the number of output stream n on the wire.
func serverStream(n int) uint16 {
	return ServerStream | uint16(n&(ServerStream-1))
}
