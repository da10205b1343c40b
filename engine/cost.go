package engine

import (
	"math"
	"time"
)

const (
	// costBucket is the step of audio length in which costs are told apart, and
	// costBuckets how many there are: 31 s. Whisper's encoder grows in steps of
	// 5.12 s, so no bucket lies across one.
	costBucket  = 2560 * time.Millisecond
	costBuckets = 12
	// costWeight is what a new decode counts in a mean; the first ones count in
	// full. One freak of ten times the mean, cut at costFreak, moves it by a fifth.
	costWeight = 1. / 16
	// costFreak is the most a decode counts, in multiples of what was expected,
	// once costSure decodes were seen.
	costFreak = 4
	costSure  = 8
)

// costs predicts how long decodes hold a slot, from those that did. It knows
// finals, first partials and later partials apart, since they differ in what
// they do with the same audio.
type costs [3]kindCost

// of is the model of a class.
func (c *costs) of(class Class) *kindCost {
	switch class {
	case ClassFinal, ClassSpeculative:
		return &c[0]
	case ClassFirst:
		return &c[1]
	}
	return &c[2]
}

// usual is what a decode takes of which only the class is known. First partials
// and later ones stand for each other until both were seen.
func (c *costs) usual(class Class) time.Duration {
	k := c.of(class)
	if k.all.n == 0 && class.partial() {
		k = c.of(ClassFirst + ClassPartial - class)
	}
	return time.Duration(k.all.value * float64(time.Second))
}

// kindCost is what decodes of one kind take: a mean for each bucket of audio
// length, and a line through all of them for the lengths never seen.
type kindCost struct {
	all     mean // seconds a decode
	audio   mean // seconds of audio a decode
	buckets [costBuckets]mean
	fit     line
}

// learn takes in a decode that came to its end.
func (k *kindCost) learn(length, took time.Duration) {
	s := took.Seconds()
	if expected := k.predict(length).Seconds(); expected > 0 && k.all.n >= costSure {
		s = min(s, costFreak*expected)
	}
	k.all.add(s)
	k.audio.add(length.Seconds())
	if b := int(length / costBucket); b < costBuckets {
		k.buckets[b].add(s)
	}
	k.fit.add(length.Seconds(), s)
}

// predict is what a decode of so much audio will take, 0 where nothing is known.
func (k *kindCost) predict(length time.Duration) time.Duration {
	s := 0.
	if b := int(length / costBucket); b < costBuckets && k.buckets[b].n > 0 {
		s = k.buckets[b].value
	} else {
		s = k.fit.at(length.Seconds())
	}
	return time.Duration(s * float64(time.Second))
}

// mean forgets: it is the plain mean of the first values, exponential later.
type mean struct {
	n     int
	value float64
}

func (m *mean) add(x float64) {
	m.n++
	m.value += (x - m.value) * max(costWeight, 1/float64(m.n))
}

// line is a least-squares fit of y = fixed + slope*x that forgets as mean does.
type line struct{ w, x, y, xx, xy float64 }

func (l *line) add(x, y float64) {
	for _, sum := range []*float64{&l.w, &l.x, &l.y, &l.xx, &l.xy} {
		*sum *= 1 - costWeight
	}
	l.w++
	l.x += x
	l.y += y
	l.xx += x * x
	l.xy += x * y
}

// at is the line's value: neither the fixed part nor the slope is ever negative,
// and where only one length was seen longer ones cost in proportion.
func (l *line) at(x float64) float64 {
	if l.w == 0 {
		return 0
	}
	mx, my := l.x/l.w, l.y/l.w
	spread := l.xx/l.w - mx*mx
	if spread < 0.01 {
		return my * max(1, x/max(mx, 0.1))
	}
	slope := max(0, (l.xy/l.w-mx*my)/spread)
	if my < slope*mx {
		return my / mx * x
	}
	return math.FMA(slope, x-mx, my)
}
