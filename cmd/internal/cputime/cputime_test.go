package cputime

import "testing"

func TestUsedGrowsWithWork(t *testing.T) {
	before := Used()
	x := uint64(1)
	for Used() == before { // ends, or the test's time does
		for range 1_000_000 {
			x = x*6364136223846793005 + 1442695040888963407
		}
	}
	if after := Used(); after < before || x == 0 {
		t.Errorf("used %v after %v", after, before)
	}
}
