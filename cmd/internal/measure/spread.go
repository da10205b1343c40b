// Package measure turns what the sessions of a load test saw into figures:
// latencies against the truth of the material, how stable and how right the text
// was, what was lost, and what it cost the server.
package measure

import (
	"math"
	"slices"
	"time"
)

// Spread is how latencies are spread. Percentiles are of the nearest rank: the
// least value that so many of all do not exceed, so that of fewer than 100
// values P99 is the greatest. Without values they are zero.
type Spread struct {
	N                       int
	P50, P95, P99, Greatest time.Duration
}

// SpreadOf values, which it sorts.
func SpreadOf(values []time.Duration) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	rank := func(q float64) time.Duration { return values[int(math.Ceil(q*float64(len(values))))-1] }
	return Spread{N: len(values), P50: rank(0.50), P95: rank(0.95), P99: rank(0.99), Greatest: values[len(values)-1]}
}

// Median of values: the middle one, or the mean of the two in the middle. NaN
// values do not count; without others it is NaN.
func Median(values []float64) float64 {
	known := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(known) == 0 {
		return math.NaN()
	}
	slices.Sort(known)
	return (known[(len(known)-1)/2] + known[len(known)/2]) / 2
}
