package measure

import (
	"math"
	"testing"
	"time"
)

func TestSpreadIsOfTheNearestRank(t *testing.T) {
	count := func(n int) (list []time.Duration) {
		for i := n; i >= 1; i-- {
			list = append(list, time.Duration(i))
		}
		return list
	}
	for _, c := range []struct {
		values []time.Duration
		want   Spread
	}{
		{nil, Spread{}},
		{count(1), Spread{1, 1, 1, 1, 1}},
		{count(2), Spread{2, 1, 2, 2, 2}},
		{count(20), Spread{20, 10, 19, 20, 20}},
		{count(100), Spread{100, 50, 95, 99, 100}},
		{count(101), Spread{101, 51, 96, 100, 101}},
		{[]time.Duration{-5, 7, 7}, Spread{3, 7, 7, 7, 7}},
	} {
		if got := SpreadOf(c.values); got != c.want {
			t.Errorf("%d values: %+v, want %+v", len(c.values), got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1}, 2},
		{[]float64{9, 1, 2}, 2},
		{[]float64{nan, 4, nan, 2}, 3},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	if got := Median([]float64{nan}); !math.IsNaN(got) {
		t.Errorf("nothing known has the median %v", got)
	}
}
