package load

import (
	"math"
	"testing"
	"time"
)

const frame = 20 * time.Millisecond

func TestTheNetworkStallsInBurstsAndKeepsOrder(t *testing.T) {
	const n = 50_000
	p := newPath(Network{Jitter: 200 * time.Millisecond}, 1, 0)
	var last time.Duration
	bursts, stalled, worst := 0, 0, time.Duration(0)
	for k := range n {
		due := time.Duration(k+1) * frame
		at, lost := p.next(due)
		switch {
		case lost:
			t.Fatal("a frame is lost")
		case at < last:
			t.Fatalf("frame %d overtakes", k)
		case at < due:
			t.Fatalf("frame %d leaves %v early", k, due-at)
		}
		if at == last {
			bursts++
		}
		if at > due {
			stalled++
		}
		worst, last = max(worst, at-due), at
	}
	// A stall of 100 ms on average holds up about five frames, 1000 times.
	if worst > 200*time.Millisecond || worst < 150*time.Millisecond || bursts < 2000 || stalled < 3000 || stalled > 8000 {
		t.Errorf("at most %v late, %d in bursts, %d stalled", worst, bursts, stalled)
	}
}

func TestLossIsTheSameForTheSameSeed(t *testing.T) {
	const n = 20_000
	lost := func(net Network, seed uint64, session int) (list []bool) {
		p := newPath(net, seed, session)
		for k := range n {
			_, gone := p.next(time.Duration(k) * frame)
			list = append(list, gone)
		}
		return list
	}
	differ := func(a, b []bool) (count int) {
		for i := range a {
			if a[i] != b[i] {
				count++
			}
		}
		return count
	}
	base := lost(Network{Loss: 0.05}, 1, 0)
	total := differ(base, make([]bool, n))
	if share := float64(total) / n; math.Abs(share-0.05) > 0.01 {
		t.Errorf("%.3f are lost", share)
	}
	if d := differ(base, lost(Network{Loss: 0.05, Jitter: time.Second}, 1, 0)); d != 0 {
		t.Errorf("jitter changes which %d are lost", d)
	}
	for _, other := range [][]bool{lost(Network{Loss: 0.05}, 2, 0), lost(Network{Loss: 0.05}, 1, 1)} {
		if differ(base, other) < total/2 {
			t.Error("another seed or session loses the same")
		}
	}
}
