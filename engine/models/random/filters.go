package random

import "parley/codec/mel"

// bins is how many frequencies a spectrum has.
const bins = mel.Bins

// filters is the bank of filters Whisper hears through.
func filters(bands int) [][bins]float32 {
	bank := make([][bins]float32, bands)
	for b, row := range mel.Filters(bands) {
		for i, w := range row {
			bank[b][i] = float32(w)
		}
	}
	return bank
}
