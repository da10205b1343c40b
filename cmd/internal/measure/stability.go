package measure

import (
	"strings"

	"parley/cmd/internal/wer"
)

// stability counts how texts that follow each other change. Words are compared
// without case and punctuation, except in promised text, which must not change
// at all.
type stability struct {
	changed   int // words of a partial that the next text has otherwise or not at all
	erased    int // words of a partial after the first that the next text changes
	retracted int // words of promised text that were not kept
}

// follow takes the text after another one of the same utterance.
//
// changed is what UPWR counts, the unstable partial word ratio of Shangguan et
// al. 2020 ("Analyzing the quality and stability of a streaming end-to-end
// on-device speech recognizer"); erased is the erasure of Arivazhagan et al.
// 2020 ("Re-translation versus streaming for simultaneous translation"). Both
// are divided by the words of the final.
func (s *stability) follow(before, after string) {
	c := wer.Compare(before, after)
	s.changed += c.Substituted + c.Deleted
	a, b := wer.Normalize(before), wer.Normalize(after)
	s.erased += len(a) - common(a, b)
}

// keep takes promised text after other promised text of the same utterance.
func (s *stability) keep(before, after string) {
	if strings.HasPrefix(after, before) {
		return
	}
	a, b := strings.Fields(before), strings.Fields(after)
	s.retracted += max(1, len(a)-common(a, b))
}

func (s *stability) add(t stability) {
	s.changed += t.changed
	s.erased += t.erased
	s.retracted += t.retracted
}

// common counts the words that two texts begin with.
func common(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
