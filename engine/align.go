package engine

import "time"

// alignment says how promised words meet the words of a newer decode.
type alignment struct {
	split int   // words of the decode that the promised ones stand for
	pair  []int // for each promised word the decode's word, -1 for none
	cost  int   // words changed, added or missing
}

// align finds the beginning of words that promised words stand for by the least
// edit distance; where several fit alike, one that ends with the same word, then
// the one that ends nearest in time.
// Where they have next to nothing in common, time alone decides.
func align(promised, words []Word) alignment {
	n, m := len(promised), len(words)
	if n == 0 {
		return alignment{}
	}
	at := distances(promised, words)
	last, end := promised[n-1], promised[n-1].End
	fits := func(j int) bool { return j > 0 && same(last, words[j-1]) }
	best := 0
	for j := 1; j <= m; j++ {
		switch c, b := at[n][j], at[n][best]; {
		case c < b:
			best = j
		case c > b:
		case fits(j) != fits(best):
			if fits(j) {
				best = j
			}
		case near(words, j, end) <= near(words, best, end):
			best = j
		}
	}
	if at[n][best]*2 > n+1 {
		best = began(words, end)
	}
	return alignment{split: best, pair: trace(at, best), cost: at[n][best]}
}

// slack is how far the times of a partial's words may be off.
const slack = 3 * time.Second

// within counts the words of a partial that lie in the beginning of the audio that
// ends at a point, where words is a transcript of that beginning: by the least edit
// distance, among equals by time. What is far off the point by its times, or where
// the two have next to nothing in common, goes by time.
func within(partial, words []Word, at time.Duration) int {
	table := distances(partial, words)
	m := len(words)
	lo, hi := ended(partial, at-slack), began(partial, at+slack)
	best := lo
	for k := lo; k <= hi; k++ {
		c, b := table[k][m], table[best][m]
		if c < b || c == b && near(partial, k, at) <= near(partial, best, at) {
			best = k
		}
	}
	if m == 0 || table[best][m]*2 > m+1 {
		return began(partial, at)
	}
	return best
}

// ended counts the words that end before a point, up to the first that does not.
func ended(words []Word, at time.Duration) int {
	for i, w := range words {
		if w.End > at {
			return i
		}
	}
	return len(words)
}

// distances is the table of edit distances between beginnings.
func distances(a, b []Word) [][]int {
	ka, kb := keys(a), keys(b)
	at := make([][]int, len(a)+1)
	for i := range at {
		at[i] = make([]int, len(b)+1)
		at[i][0] = i
	}
	for j := range at[0] {
		at[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			swap := at[i-1][j-1]
			if ka[i-1] != kb[j-1] {
				swap++
			}
			at[i][j] = min(swap, at[i-1][j]+1, at[i][j-1]+1)
		}
	}
	return at
}

func keys(words []Word) []string {
	k := make([]string, len(words))
	for i, w := range words {
		k[i] = key(w.Text)
	}
	return k
}

// trace walks the table back from (all, split).
func trace(at [][]int, split int) []int {
	pair := make([]int, len(at)-1)
	for i := range pair {
		pair[i] = -1
	}
	for i, j := len(pair), split; i > 0 && j > 0; {
		switch here := at[i][j]; {
		case here == at[i-1][j]+1:
			i--
		case here == at[i][j-1]+1:
			j--
		default:
			i, j = i-1, j-1
			pair[i] = j
		}
	}
	return pair
}

func near(words []Word, split int, end time.Duration) time.Duration {
	if split == 0 && len(words) > 0 {
		return (words[0].Start - end).Abs()
	}
	if split == 0 {
		return 0
	}
	return (words[split-1].End - end).Abs()
}

// began counts the words whose middle lies before end.
func began(words []Word, end time.Duration) int {
	for i, w := range words {
		if (w.Start+w.End)/2 >= end {
			return i
		}
	}
	return len(words)
}
