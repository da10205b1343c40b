// Package choose finds the model file to recognise with: the one asked for, the
// best that is present, one that can be fetched, or the small one that comes
// with Parley.
package choose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/cmd/internal/config"
	"parley/engine"
	"parley/engine/models"
	"parley/engine/whisper/tinymodel"
)

// The names of --model beside registered models and files.
const (
	Auto    = "auto"
	Bundled = "bundled"
)

// preferred is pulled where there is no model at all.
const preferred = "base.en"

// Choice is a model file that is there.
type Choice struct {
	Name   string
	Path   string
	Notice string // what it can and cannot understand, where that is not obvious
	Short  bool   // trained for encoders as short as the utterance
}

func (c *Choice) isBundled() { c.Name, c.Notice, c.Short = tinymodel.Name, tinymodel.Notice(), true }

// Chooser chooses.
type Chooser struct {
	Store   models.Store
	Bundled string // path of the bundled model; "" where there is none
	Tried   []string
	// Progress is told of a download; done is called at its end.
	Progress func(name string) (update func(done, total int64), done func())
	// Tell says something to people.
	Tell func(format string, args ...any)
}

// Choose finds the model that cfg asks for.
func (c Chooser) Choose(ctx context.Context, cfg config.Recognition) (Choice, error) {
	switch {
	case cfg.Model == Bundled:
		return c.bundled()
	case cfg.Model == Auto:
		return c.auto(ctx, cfg.Pull)
	case isFile(cfg.Model):
		return file(cfg.Model)
	}
	choice, err := c.registered(ctx, cfg.Model, cfg.Pull)
	if err != nil {
		return Choice{}, fmt.Errorf("--model (PARLEY_MODEL): %w", err)
	}
	return choice, nil
}

func isFile(name string) bool {
	return strings.ContainsRune(name, filepath.Separator) || strings.HasSuffix(name, ".bin")
}

func file(path string) (Choice, error) {
	if _, err := os.Stat(path); err != nil {
		return Choice{}, fmt.Errorf("--model (PARLEY_MODEL): %w", err)
	}
	base := filepath.Base(path)
	c := Choice{Name: strings.TrimSuffix(strings.TrimPrefix(base, "ggml-"), ".bin"), Path: path}
	if base == tinymodel.FileName {
		c.isBundled()
	}
	return c, nil
}

func (c Chooser) bundled() (Choice, error) {
	if c.Bundled == "" {
		return Choice{}, fmt.Errorf("the bundled model is not at %s: set PARLEY_BUNDLED_MODEL to its file: %w", strings.Join(c.Tried, ", "), engine.ErrUnavailable)
	}
	choice, err := file(c.Bundled)
	choice.isBundled()
	return choice, err
}

func (c Chooser) registered(ctx context.Context, name, pull string) (Choice, error) {
	path, err := c.Store.Path(name)
	switch {
	case errors.Is(err, models.ErrUnknown):
		return Choice{}, fmt.Errorf("%w; registered are %s", err, strings.Join(names(), ", "))
	case errors.Is(err, models.ErrMissing) && pull != config.PullNever:
		path, err = c.pull(ctx, name)
	case errors.Is(err, models.ErrMissing):
		err = fmt.Errorf("%w: run parley models pull %s", err, name)
	}
	return Choice{Name: name, Path: path}, err
}

func (c Chooser) auto(ctx context.Context, pull string) (Choice, error) {
	if best, err := c.Store.Best(); err == nil {
		return Choice{Name: best.Name, Path: best.Path}, nil
	}
	if pull == config.PullNever {
		return c.fallback("no speech model is in %s", c.Store.Dir)
	}
	if err := c.reach(ctx); err != nil && pull == config.PullAuto {
		if ctx.Err() != nil {
			return Choice{}, context.Cause(ctx)
		}
		return c.fallback("no speech model is in %s, and %s cannot be fetched now (%v)", c.Store.Dir, preferred, err)
	}
	path, err := c.pull(ctx, preferred)
	switch {
	case err == nil:
		return Choice{Name: preferred, Path: path}, nil
	case ctx.Err() != nil:
		return Choice{}, context.Cause(ctx)
	case pull == config.PullAlways:
		return Choice{}, err
	}
	return c.fallback("%v", err)
}

// fallback goes on with the bundled model and says what that means.
func (c Chooser) fallback(format string, args ...any) (Choice, error) {
	choice, err := c.bundled()
	if err != nil {
		return Choice{}, fmt.Errorf(format+"; %w", append(args, err)...)
	}
	c.Tell("%s: going on with the bundled model.", fmt.Sprintf(format, args...))
	return choice, nil
}

func (c Chooser) pull(ctx context.Context, name string) (string, error) {
	c.Tell("Fetching the model %s into %s", name, c.Store.Dir)
	update, done := c.Progress(name)
	defer done()
	return c.Store.Pull(ctx, name, update)
}

// patience is how long a first answer of the models' server may take.
const patience = 5 * time.Second

// reach finds out quickly whether there is a network: Pull itself is patient.
func (c Chooser) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, _ := models.Find(preferred)
	base := c.Store.Base
	if base == "" {
		base = models.Base
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, m.URL(base), nil)
	if err != nil {
		return err
	}
	client := c.Store.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return errors.Unwrap(err) // without the address
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	return nil
}

func names() []string {
	list := []string{Auto, Bundled}
	for _, m := range models.All() {
		list = append(list, m.Name)
	}
	return list
}

// NewStore is the folder of models as configured; base is another server than
// the official one, or "".
func NewStore(m config.Models) models.Store {
	return models.Store{Dir: m.Path(), Base: os.Getenv("PARLEY_MODELS_URL"), Agent: "parley"}
}
