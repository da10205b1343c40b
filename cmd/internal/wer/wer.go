// Package wer measures how well speech was understood: the word error rate of a
// hypothesis against what was really said.
package wer

import (
	"strings"
	"unicode"
)

// Count is what two texts differ in. Sums of counts are counts.
type Count struct {
	Words, Substituted, Deleted, Inserted int
}

// Rate is errors by words said; it can exceed 1.
func (c Count) Rate() float64 {
	if c.Words == 0 {
		return float64(min(c.Inserted, 1))
	}
	return float64(c.Substituted+c.Deleted+c.Inserted) / float64(c.Words)
}

// Add sums two counts.
func (c Count) Add(d Count) Count {
	return Count{c.Words + d.Words, c.Substituted + d.Substituted, c.Deleted + d.Deleted, c.Inserted + d.Inserted}
}

// Normalize lower-cases a text and keeps its words only.
func Normalize(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '\''
	})
}

// Compare aligns two texts word by word, at the least number of errors.
func Compare(said, heard string) Count {
	a, b := Normalize(said), Normalize(heard)
	row := make([]Count, len(b)+1)
	for j := range b {
		row[j+1] = Count{Inserted: j + 1}
	}
	for _, w := range a {
		diagonal := row[0]
		row[0].Deleted++
		for j, v := range b {
			best := diagonal
			if w != v {
				best.Substituted++
			}
			if c := row[j+1]; c.errors()+1 < best.errors() {
				best = c
				best.Deleted++
			}
			if c := row[j]; c.errors()+1 < best.errors() {
				best = c
				best.Inserted++
			}
			diagonal, row[j+1] = row[j+1], best
		}
	}
	result := row[len(b)]
	result.Words = len(a)
	return result
}

func (c Count) errors() int { return c.Substituted + c.Deleted + c.Inserted }
