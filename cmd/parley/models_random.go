package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"parley/cmd/internal/native"
	"parley/engine/models"
	"parley/engine/models/random"
)

type modelsRandomCmd struct {
	Size   string `arg:"" help:"Whose dimensions: tiny, base, small or medium, each also .en, large-v3, large-v3-turbo."`
	Out    string `name:"out" short:"o" required:"" help:"File to write."`
	Tokens int    `name:"tokens" default:"24" help:"Words that the model says of any sound."`
	Seed   uint64 `name:"seed" default:"1" help:"Of the weights and the choice of words."`
}

// Run writes a model of true dimensions and random weights.
func (c modelsRandomCmd) Run(ctx context.Context, a *app) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	for _, m := range models.All() {
		if m.File() == filepath.Base(c.Out) {
			return fmt.Errorf("--out: %s is the name of the published model %s: take another one, such as random-%s.bin", c.Out, m.Name, c.Size)
		}
	}
	if err := random.Create(ctx, c.Out, config); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	fmt.Fprintf(a.out, "%s: %s, random weights; of any sound it says: %s\n", c.Out, size(config.Size()), config.Text())
	return nil
}

func (c modelsRandomCmd) config() (random.Config, error) {
	config := random.Config{Tokens: c.Tokens, Seed: c.Seed}
	for _, s := range random.Shapes() {
		if s.Name == c.Size {
			config.Shape = s
		}
	}
	if config.Shape.Name == "" {
		return config, fmt.Errorf("size %q is none of %s", c.Size, randomSizes())
	}
	if c.Tokens < 1 || c.Tokens > random.MaxTokens {
		return config, fmt.Errorf("--tokens %d is outside 1 to %d", c.Tokens, random.MaxTokens)
	}
	// English words where the bundled model is at hand, else syllables.
	if path := native.Find().BundledModel; path != "" {
		var err error
		if config.Words, err = models.Vocabulary(path); err != nil {
			return config, err
		}
	}
	return config, config.Validate()
}

// randomSizes lists the sizes for people.
func randomSizes() string {
	var names []string
	for _, s := range random.Shapes() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}
