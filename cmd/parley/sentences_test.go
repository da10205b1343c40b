package main_test

import (
	"math/rand/v2"

	"parley/cmd/internal/material"
)

// sentence makes one of the bundled model's domain.
func sentence(r *rand.Rand) string { return material.Sentence(r) }
