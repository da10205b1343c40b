package load

import "time"

// Lateness is how far something fell behind, counted in milliseconds up to a
// second. The zero value is empty.
type Lateness struct {
	counts [1001]uint32
	n      int
	most   time.Duration
}

func (l *Lateness) add(d time.Duration) {
	d = max(d, 0)
	l.counts[min(d.Milliseconds(), 1000)]++
	l.n++
	l.most = max(l.most, d)
}

// Merge adds another one's counts.
func (l *Lateness) Merge(m *Lateness) {
	for i, c := range m.counts {
		l.counts[i] += c
	}
	l.n += m.n
	l.most = max(l.most, m.most)
}

// Most is the greatest.
func (l *Lateness) Most() time.Duration { return l.most }

// Quantile is what a share q of all stayed within, to the next millisecond and
// at most a second.
func (l *Lateness) Quantile(q float64) time.Duration {
	seen := 0
	for i, c := range l.counts {
		if seen += int(c); c > 0 && float64(seen) >= q*float64(l.n) {
			return time.Duration(i+1) * time.Millisecond
		}
	}
	return 0
}
