package random

import "sync"

// vocabulary is the table of the file.
func (c Config) vocabulary() []string {
	list := c.Words
	if list == nil {
		list = syllables()
	}
	end := "<|endoftext|>" // as in the published tables
	if c.Shape.Multilingual {
		end = ""
	}
	return append(list[:words:words], end)
}

// syllables is a vocabulary of all single bytes, which any text can be taken
// apart to, and words of three syllables after a blank.
var syllables = sync.OnceValue(func() []string {
	list := make([]string, 0, words)
	for b := range 256 {
		list = append(list, string([]byte{byte(b)}))
	}
	const consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"
	const n = len(consonants) * len(vowels)
	syllable := func(i int) string {
		i %= n
		return consonants[i/len(vowels):][:1] + vowels[i%len(vowels):][:1]
	}
	for i := 0; len(list) < words; i++ {
		list = append(list, " "+syllable(i/n/n)+syllable(i/n)+syllable(i))
	}
	return list
})

// speakable are the tokens that are one plain word after a blank: a text of them
// is taken apart to just them again.
func speakable(vocabulary []string) (ids []int) {
	for id, w := range vocabulary {
		if len(w) < 4 || len(w) > 11 || w[0] != ' ' {
			continue
		}
		plain := true
		for _, b := range []byte(w[1:]) {
			plain = plain && 'a' <= b && b <= 'z'
		}
		if plain {
			ids = append(ids, id)
		}
	}
	return ids
}
