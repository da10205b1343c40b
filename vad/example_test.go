package vad_test

import (
	"fmt"

	"parley/vad"
)

// A session pushes one probability a frame, decodes what each End names, and
// then forgets the audio before Keep.
func ExampleSegmenter() {
	s, err := vad.New(vad.DefaultConfig())
	if err != nil {
		panic(err)
	}
	show := func(e vad.Event) {
		fmt.Printf("%v %s at %d ms, audio from %d to %d ms\n", e.Kind, e.Reason, e.At/16, e.From/16, e.To/16)
	}
	frames := 0
	for _, run := range []struct {
		p float32
		n int
	}{{0.1, 20}, {0.9, 30}, {0.1, 20}, {0.8, 10}} {
		for range run.n {
			for _, e := range s.Push(run.p) {
				show(e)
			}
			frames++
		}
	}
	unfinished := 100 // samples of a frame that the input ended in
	if e, ok := s.End(int64(frames*vad.FrameSize + unfinished)); ok {
		show(e)
	}
	// Output:
	// start  at 640 ms, audio from 340 to 736 ms
	// pause  at 1600 ms, audio from 340 to 1664 ms
	// end vad at 1600 ms, audio from 340 to 1800 ms
	// start  at 2240 ms, audio from 1940 to 2336 ms
	// end end at 2560 ms, audio from 1940 to 2566 ms
}
