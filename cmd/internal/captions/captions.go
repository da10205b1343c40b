// Package captions writes transcripts the ways people keep them: plain text,
// SubRip, WebVTT and JSON.
package captions

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"parley/engine"
)

// Format is a way to write a transcript.
type Format string

// The formats.
const (
	Text Format = "txt"
	SRT  Format = "srt"
	VTT  Format = "vtt"
	JSON Format = "json"
)

// Segment is one utterance with its words. Times are from the start of the file.
type Segment struct {
	Text       string
	Start, End time.Duration
	Confidence float32
	Words      []engine.Word
	Revised    bool // it replaces what was settled of it while it was being said
}

// Transcript is one file.
type Transcript struct {
	File     string
	Model    string
	Language string
	Duration time.Duration
	Segments []Segment
}

// Write writes the transcript in the given format.
func (t Transcript) Write(w io.Writer, f Format) error {
	switch f {
	case Text:
		return t.text(w)
	case SRT:
		return t.cues(w, cueStyle{point: ',', numbered: true, escape: strings.NewReplacer("-->", "→")})
	case VTT:
		return t.cues(w, cueStyle{head: "WEBVTT\n\n", point: '.', escape: strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")})
	case JSON:
		return t.json(w)
	}
	return fmt.Errorf("captions: unknown format %q", f)
}

func (t Transcript) text(w io.Writer) error {
	for _, s := range t.Segments {
		if _, err := fmt.Fprintln(w, s.Text); err != nil {
			return err
		}
	}
	return nil
}

// cueStyle is what SubRip and WebVTT differ in.
type cueStyle struct {
	head     string
	point    rune // before milliseconds
	numbered bool
	escape   *strings.Replacer
}

func (t Transcript) cues(w io.Writer, style cueStyle) error {
	var b strings.Builder
	b.WriteString(style.head)
	n := 0
	for _, s := range t.Segments {
		for _, c := range split(s) {
			n++
			if style.numbered {
				fmt.Fprintf(&b, "%d\n", n)
			}
			fmt.Fprintf(&b, "%s --> %s\n%s\n\n", clock(c.Start, style.point), clock(c.End, style.point),
				style.escape.Replace(strings.Join(strings.Fields(c.Text), " ")))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func clock(d time.Duration, point rune) string {
	ms := max(d, 0).Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3600000, ms/60000%60, ms/1000%60, point, ms%1000)
}

// A cue that can be read: two lines of 42 characters, at most 7 s.
const (
	maxCue      = 7 * time.Second
	maxCueRunes = 84
)

// split cuts a segment into cues at words, where it knows them.
func split(s Segment) []Segment {
	if len(s.Words) == 0 || s.End-s.Start <= maxCue && utf8.RuneCountInString(s.Text) <= maxCueRunes {
		return []Segment{s}
	}
	var cues []Segment
	var cue []engine.Word
	flush := func() {
		if len(cue) > 0 {
			cues = append(cues, Segment{Text: engine.Text(cue), Start: cue[0].Start, End: cue[len(cue)-1].End})
			cue = nil
		}
	}
	for _, w := range s.Words {
		if len(cue) > 0 && (w.End-cue[0].Start > maxCue || utf8.RuneCountInString(engine.Text(cue))+1+utf8.RuneCountInString(w.Text) > maxCueRunes) {
			flush()
		}
		cue = append(cue, w)
	}
	flush()
	return cues
}

type wireWord struct {
	Word    string  `json:"w"`
	StartMS int64   `json:"start_ms"`
	EndMS   int64   `json:"end_ms"`
	P       float32 `json:"p"`
}

type wireSegment struct {
	Text       string     `json:"text"`
	StartMS    int64      `json:"start_ms"`
	EndMS      int64      `json:"end_ms"`
	Confidence float32    `json:"confidence"`
	Words      []wireWord `json:"words,omitempty"`
	Revised    bool       `json:"revised,omitempty"`
}

type wireTranscript struct {
	File       string        `json:"file"`
	Model      string        `json:"model"`
	Language   string        `json:"language,omitempty"`
	DurationMS int64         `json:"duration_ms"`
	Text       string        `json:"text"`
	Segments   []wireSegment `json:"segments"`
}

func (t Transcript) json(w io.Writer) error {
	out := wireTranscript{File: t.File, Model: t.Model, Language: t.Language, DurationMS: t.Duration.Milliseconds(), Segments: []wireSegment{}}
	var texts []string
	for _, s := range t.Segments {
		ws := wireSegment{Text: s.Text, StartMS: s.Start.Milliseconds(), EndMS: s.End.Milliseconds(), Confidence: s.Confidence, Revised: s.Revised}
		for _, word := range s.Words {
			ws.Words = append(ws.Words, wireWord{word.Text, word.Start.Milliseconds(), word.End.Milliseconds(), word.P})
		}
		out.Segments = append(out.Segments, ws)
		texts = append(texts, s.Text)
	}
	out.Text = strings.Join(texts, " ")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
