package native

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/stream"
	"parley/stream/streamtest"
)

func text(s string) stream.Message {
	return stream.Message{Kind: stream.Text, Payload: []byte(s)}
}

func framed(f Frame) stream.Message {
	return stream.Message{Kind: stream.Binary, Payload: AppendFrame(nil, f)}
}

// begun is a dialect after a session.start with this input.
func begun(t testing.TB, input string) *Dialect {
	t.Helper()
	d := newDialect()
	if _, err := d.Decode(text(`{"type":"session.start","input":` + input + `}`)); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestContract(t *testing.T) {
	messages := []stream.Message{}
	for _, e := range readExchanges(t) {
		messages = append(messages, stream.Message{Kind: stream.Text, Payload: e.Message})
	}
	messages = append(messages, framed(Frame{Kind: KindAudio, Payload: []byte{1, 2, 3}}))
	streamtest.Contract(t, func() stream.Dialect { return newDialect() }, messages)
}

func TestWrongMessages(t *testing.T) {
	long := strings.Repeat("x", 200)
	many := strings.Repeat(`"",`, maxItems) + `""`
	wide := strings.Builder{}
	for i := range maxFields {
		fmt.Fprintf(&wide, `,"f%d":0`, i)
	}
	for _, tc := range []struct {
		message string
		fatal   bool
		param   string
		says    string
	}{
		{``, true, "", "ends too early"},
		{`{"type":"ping"`, true, "", "ends too early"},
		{`hello`, true, "", "invalid character"},
		{`[{"type":"ping"}]`, true, "", "want a JSON object, got array"},
		{` "ping"`, true, "", "want a JSON object, got string"},
		{`null`, true, "", "got null"},
		{`12`, true, "", "got number"},
		{`{}`, true, "", "type: missing"},
		{`{"type":null}`, true, "", "type: missing"},
		{`{"Type":"ping"}`, true, "", "type: missing"},
		{`{"type":5}`, true, "", "type: want a string, got number"},
		{`{"type":{"type":"ping"}}`, true, "", "type: want a string, got object"},
		{`{"type":"ping","type":"speak"}`, true, "", `"type" appears twice`},
		{`{"type":"ping"} {"type":"ping"}`, true, "", "something follows"},
		{`{"type":"ping"}x`, true, "", "something follows"},
		{`{"type":"ping",}`, true, "", "not valid JSON"},
		{`{"type":"ping"` + wide.String() + `}`, true, "", "more than 256 fields"},
		{`{"type":"ping","id":7}`, false, "id", "id: want a string, got number"},
		{`{"type":"ping","id":"` + long + `"}`, false, "id", "200 characters, at most 64"},
		{`{"type":"ping","t":"now"}`, false, "t", "want a number, got string"},
		{`{"type":"ping","t":1e999}`, false, "t", "too large"},

		{`{"type":"session.start","input":5}`, true, "input", "want an object, got number"},
		{`{"type":"session.start","input":{"rate":"16000"}}`, true, "input.rate", "input.rate: want a number, got string"},
		{`{"type":"session.start","input":{"rate":16000.5}}`, true, "input.rate", "want a whole number, got 16000.5"},
		{`{"type":"session.start","input":{"rate":-1}}`, true, "input.rate", "-1 is outside"},
		{`{"type":"session.start","input":{"rate":1e300}}`, true, "input.rate", "is outside"},
		{`{"type":"session.start","input":{"rate":1,"rate":2}}`, true, "input", `"rate" appears twice`},
		{`{"type":"session.start","input":{"codec":false}}`, true, "input.codec", "want a string, got boolean"},
		{`{"type":"session.start","input":{"codec":"` + long + `"}}`, true, "input.codec", "200 characters, at most 128"},
		{`{"type":"session.start","input":{"framing":"rtp"}}`, true, "input.framing", `"rtp" is not header or bare`},
		{`{"type":"session.start","output":{"framing":1}}`, true, "output.framing", "want a string, got number"},
		{`{"type":"session.start","output":{"lead_ms":true}}`, true, "output.lead_ms", "want a number, got boolean"},
		{`{"type":"session.start","asr":{"keywords":"a"}}`, true, "asr.keywords", "want an array of strings, got string"},
		{`{"type":"session.start","asr":{"keywords":["a",1]}}`, true, "asr.keywords[1]", "want a string, got number"},
		{`{"type":"session.start","asr":{"keywords":[` + many + `]}}`, true, "asr.keywords", "1001 entries, at most 1000"},
		{`{"type":"session.start","asr":{"words":1}}`, true, "asr.words", "want true or false, got number"},
		{`{"type":"session.start","vad":{"threshold":[]}}`, true, "vad.threshold", "want a number, got array"},
		{`{"type":"session.start","resume":true}`, true, "resume", "want an object, got boolean"},
		{`{"type":"session.update","vad":{"silence_ms":"short"}}`, false, "vad.silence_ms", "want a number"},
		{`{"type":"session.update","input":{"framing":"bare"}}`, false, "input.framing", `the session began with "header"`},

		{`{"type":"session.update","output":{"framing":"bare"}}`, false, "output.framing", `the session began with "header"`},
		{`{"type":"input.commit","stream":32768}`, false, "stream", "outside 0 to 32767"},
		{`{"type":"input.end","stream":-1}`, false, "stream", "outside 0 to 32767"},
		{`{"type":"speak"}`, false, "text", "text: missing"},
		{`{"type":"speak","text":null}`, false, "text", "text: missing"},
		{`{"type":"speak","text":5}`, false, "text", "want a string, got number"},
		{`{"type":"speak","text":"a","more":true}`, false, "speech", "needs the id of its speech"},
		{`{"type":"speak","text":"a","speech":"*"}`, false, "speech", "means all speeches"},
		{`{"type":"speak","text":"a","speech":"` + long + `"}`, false, "speech", "at most 64"},
		{`{"type":"speak","text":"a","queue":"now"}`, false, "queue", `"now" is not append or replace`},
		{`{"type":"speak","text":"a","speed":"fast"}`, false, "speed", "want a number"},
		{`{"type":"speak.cancel"}`, false, "speech", "speech: missing"},
		{`{"type":"speak.cancel","speech":""}`, false, "speech", "speech: empty"},
		{`{"type":"speak.cancel","speech":"a","played_us":-1}`, false, "played_us", "outside"},
		{`{"type":"playback","speech":"a"}`, false, "played_us", "missing"},
		{`{"type":"playback","played_us":1}`, false, "speech", "missing"},
		{`{"type":"playback","speech":"a","played_us":1e19}`, false, "played_us", "outside"},
	} {
		d := begun(t, `{}`)
		cmds, err := d.Decode(text(tc.message))
		e, ok := errors.AsType[*stream.Error](err)
		if !ok {
			t.Errorf("%.80s: %d commands, %v; want an error that says %q", tc.message, len(cmds), err, tc.says)
			continue
		}
		if e.Code != stream.BadRequest || e.Fatal != tc.fatal || e.Param != tc.param || !strings.Contains(e.Message, tc.says) {
			t.Errorf("%.80s: %+v, want fatal %v, param %q and %q", tc.message, e, tc.fatal, tc.param, tc.says)
		}
		if len(e.Message) > 200 {
			t.Errorf("%.80s: the message has %d bytes", tc.message, len(e.Message))
		}
	}
}

func TestErrorsNameTheirCommand(t *testing.T) {
	_, err := newDialect().Decode(text(`{"type":"speak","id":"c7","text":5}`))
	if e, ok := errors.AsType[*stream.Error](err); !ok || e.Ref != "c7" {
		t.Errorf("%+v, want Ref c7", err)
	}
}

// TestUnknownIsIgnored is the versioning rule.
func TestUnknownIsIgnored(t *testing.T) {
	for message, want := range map[string]int{
		`{"type":"turn.taking","id":5,"text":[]}`: 0,
		`{"type":""}`: 0,
		`{"type":"ping","T":"x","Id":9,"extra":{"t":{}}}`:        1,
		`{"type":"session.update","asr":{"Model":5,"beam":"x"}}`: 1,
		`{"type":"session.update","asr":null,"vad":{}}`:          1,
	} {
		cmds, err := newDialect().Decode(text(message))
		if err != nil || len(cmds) != want {
			t.Errorf("%s: %d commands, %v; want %d", message, len(cmds), err, want)
		}
	}
}

func TestWholeNumbersHoweverWritten(t *testing.T) {
	for _, n := range []string{"16000", "16000.0", "1.6e4"} {
		cmds, err := newDialect().Decode(text(`{"type":"session.start","input":{"rate":` + n + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := cmds[0].(stream.Start).Patch.Input.Rate; got != 16000 {
			t.Errorf("rate %s was read as %d", n, got)
		}
	}
}

// TestUpdateBuildsOnWhatWasAsked: half a format in session.update means the
// rest of what came before.
func TestUpdateBuildsOnWhatWasAsked(t *testing.T) {
	d := newDialect()
	pcm := func(rate, channels int) codec.Format {
		return codec.Format{Encoding: codec.PCM16, Rate: rate, Channels: channels}
	}
	for _, tc := range []struct {
		message string
		want    [2]codec.Format // of input and output
	}{
		{`{"type":"session.start","input":{"codec":"pcm_s16le","rate":24000},"output":{"codec":"pcm_s16le"}}`, [2]codec.Format{pcm(24000, 1), pcm(24000, 1)}},
		{`{"type":"session.update","input":{"channels":2},"output":{"rate":16000}}`, [2]codec.Format{pcm(24000, 2), pcm(16000, 1)}},
		{`{"type":"session.update","input":{"rate":8000},"output":{"codec":"pcm_s16le"}}`, [2]codec.Format{pcm(8000, 2), pcm(16000, 1)}},
		{`{"type":"session.update","input":{"codec":"mulaw"},"output":{"codec":"mulaw"}}`,
			[2]codec.Format{{Encoding: codec.MuLaw, Rate: 8000, Channels: 1}, {Encoding: codec.MuLaw, Rate: 8000, Channels: 1}}},
	} {
		cmds, err := d.Decode(text(tc.message))
		if err != nil {
			t.Fatal(err)
		}
		var p stream.Patch
		switch cmd := cmds[0].(type) {
		case stream.Start:
			p = cmd.Patch
		case stream.Update:
			p = cmd.Patch
		}
		if got := [2]codec.Format{*p.Input, *p.Output}; got != tc.want {
			t.Errorf("%s asks for %v, want %v", tc.message, got, tc.want)
		}
	}
}

func TestAudioWithHeader(t *testing.T) {
	d := begun(t, `{}`)
	cmds, err := d.Decode(framed(Frame{
		Kind: KindAudio, Flags: FlagEnd | FlagDiscontinuity | 0xe0, Stream: 7, Seq: 1 << 31, PTS: 20_000, Payload: []byte{1, 2},
	}))
	want := []stream.Command{stream.Audio{
		Stream: 7, Seq: 1 << 31, HasSeq: true, PTS: 20 * time.Millisecond, Payload: []byte{1, 2}, Discontinuity: true, Last: true,
	}}
	if diff := cmp.Diff(want, cmds); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	cmds, err = d.Decode(framed(Frame{Kind: KindAudio, Flags: FlagSilence}))
	want = []stream.Command{stream.Audio{HasSeq: true, Payload: []byte{}, Silence: true}}
	if diff := cmp.Diff(want, cmds); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestBareAudio(t *testing.T) {
	for name, kind := range map[string]stream.Kind{"binary": stream.Binary, "media": stream.Media} {
		t.Run(name, func(t *testing.T) {
			d := begun(t, `{"codec":"webm_opus","framing":"bare"}`)
			cmds, err := d.Decode(stream.Message{Kind: kind, Payload: []byte{0x1a, 0x45}})
			want := []stream.Command{stream.Audio{Payload: []byte{0x1a, 0x45}}}
			if diff := cmp.Diff(want, cmds); diff != "" || err != nil {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

// TestBareStreams: without a header, each input.end begins the next stream.
func TestBareStreams(t *testing.T) {
	d := begun(t, `{"codec":"webm_opus","framing":"bare"}`)
	audio := stream.Message{Kind: stream.Binary, Payload: []byte{0x1a}}
	end := text(`{"type":"input.end"}`)
	var got []string
	for _, m := range []stream.Message{end, audio, audio, end, end, audio, end, audio} {
		cmds, err := d.Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		switch cmd := cmds[0].(type) {
		case stream.Audio:
			got = append(got, fmt.Sprint("audio ", cmd.Stream))
		case stream.EndInput:
			got = append(got, fmt.Sprint("end ", cmd.Stream))
		}
	}
	want := []string{"end 0", "audio 0", "audio 0", "end 0", "end 1", "audio 1", "end 1", "audio 2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestFramingIsFixed: a second session.start, or one that failed, changes nothing.
func TestFramingIsFixed(t *testing.T) {
	d := newDialect()
	if _, err := d.Decode(text(`{"type":"session.start","input":{"framing":"bare","rate":"x"}}`)); err == nil {
		t.Fatal("a wrong start was taken in")
	}
	if _, err := d.Decode(framed(Frame{Kind: KindAudio, Payload: []byte{1}})); err == nil {
		t.Fatal("audio was taken in before a start")
	}
	if _, err := d.Decode(text(`{"type":"session.start"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decode(text(`{"type":"session.start","input":{"framing":"bare"}}`)); err != nil {
		t.Fatal(err) // the core refuses it
	}
	cmds, err := d.Decode(framed(Frame{Kind: KindAudio, Payload: []byte{1}}))
	if err != nil || !cmds[0].(stream.Audio).HasSeq {
		t.Errorf("%+v, %v; want audio with a header", cmds, err)
	}
}

func TestWrongAudio(t *testing.T) {
	limit := stream.DefaultLimits().MaxFrame
	for name, tc := range map[string]struct {
		input string // "" for no session.start
		m     stream.Message
		code  stream.Code
		fatal bool
		says  string
	}{
		"before start":       {"", framed(Frame{Kind: KindAudio, Payload: []byte{1}}), stream.BadRequest, true, "before session.start"},
		"media before":       {"", stream.Message{Kind: stream.Media, Payload: []byte{1}}, stream.BadRequest, true, "before session.start"},
		"empty message":      {"{}", stream.Message{Kind: stream.Binary}, stream.BadRequest, true, "of 0 bytes is shorter than its header of 16"},
		"short header":       {"{}", stream.Message{Kind: stream.Binary, Payload: make([]byte, 15)}, stream.BadRequest, true, "of 15 bytes"},
		"kind 0":             {"{}", framed(Frame{Payload: []byte{1}}), stream.BadRequest, false, "kind: 0"},
		"server's stream":    {"{}", framed(Frame{Kind: KindAudio, Stream: 0x8001, Payload: []byte{1}}), stream.BadRequest, false, "stream: 0x8001"},
		"pts too late":       {"{}", framed(Frame{Kind: KindAudio, PTS: 1 << 60, Payload: []byte{1}}), stream.BadRequest, false, "pts_us"},
		"empty payload":      {"{}", framed(Frame{Kind: KindAudio, Flags: FlagDiscontinuity}), stream.BadRequest, false, "payload: empty"},
		"empty bare":         {`{"framing":"bare"}`, stream.Message{Kind: stream.Binary}, stream.BadRequest, false, "input.end"},
		"too large":          {"{}", framed(Frame{Kind: KindAudio, Payload: make([]byte, limit+1)}), stream.FrameTooLarge, true, "1048577 bytes, at most 1048576"},
		"too large, bare":    {`{"framing":"bare"}`, stream.Message{Kind: stream.Binary, Payload: make([]byte, limit+1)}, stream.FrameTooLarge, true, "at most"},
		"kind of a stranger": {"{}", stream.Message{Kind: 9}, stream.BadRequest, true, "unknown kind 9"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDialect()
			if tc.input != "" {
				d = begun(t, tc.input)
			}
			_, err := d.Decode(tc.m)
			e, ok := errors.AsType[*stream.Error](err)
			if !ok || e.Code != tc.code || e.Fatal != tc.fatal || !strings.Contains(e.Message, tc.says) {
				t.Errorf("%+v, want %s, fatal %v, saying %q", err, tc.code, tc.fatal, tc.says)
			}
		})
	}
	if _, err := begun(t, "{}").Decode(framed(Frame{Kind: KindAudio, Payload: make([]byte, limit)})); err != nil {
		t.Errorf("the largest payload: %v", err)
	}
}
