package native

import "strings"

// Prefixes of ids, so that each says what it names.
const (
	prefixSession   = "sess_"
	prefixUtterance = "utt_"
	prefixSpeech    = "sp_"
)

// utteranceIDs gives each utterance of the session its id while it lives.
type utteranceIDs struct {
	newID func() string
	live  map[int]string
}

// of returns the id of utterance n, minted at first sight.
func (u *utteranceIDs) of(n int) string {
	if id, ok := u.live[n]; ok {
		return id
	}
	if u.live == nil {
		u.live = make(map[int]string)
	}
	id := prefixUtterance + u.newID()
	u.live[n] = id
	return id
}

// end returns the id of utterance n for its last event and forgets it.
func (u *utteranceIDs) end(n int) string {
	id := u.of(n)
	delete(u.live, n)
	return id
}

func withPrefix(prefix, id string) string {
	if strings.HasPrefix(id, prefix) {
		return id
	}
	return prefix + id
}
