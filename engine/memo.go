package engine

import "sync"

// Memo is where a backend keeps what it computed of audio that only grows, such
// as its spectrogram, between two decodes of it. It belongs to the audio: it goes
// when that goes, and a window that begins elsewhere needs another one. Whoever
// takes the value owns it until it is put back, so that two decodes of the same
// audio at once never share it: the second one finds nothing. The zero value is
// empty; a nil Memo stays so. It is safe for concurrent use.
type Memo struct {
	mu    sync.Mutex
	value any
}

// Take removes the value and returns it, nil where there is none.
func (m *Memo) Take() any {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.value
	m.value = nil
	return v
}

// Put keeps a value for the next Take.
func (m *Memo) Put(v any) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.value = v
}
