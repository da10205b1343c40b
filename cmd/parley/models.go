package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"parley/cmd/internal/choose"
	"parley/cmd/internal/config"
	"parley/engine/models"
)

type modelsCmd struct {
	List   modelsListCmd   `cmd:"" default:"1" help:"List the registered models and what is present."`
	Pull   modelsPullCmd   `cmd:"" help:"Fetch models; an interrupted download goes on."`
	Verify modelsVerifyCmd `cmd:"" help:"Check the SHA-256 of models; without names, of all that are present."`
	Path   modelsPathCmd   `cmd:"" help:"Tell where a model lies, or where models are kept."`
	Random modelsRandomCmd `cmd:"" help:"Write a model of true dimensions with random weights, to measure with."`
	Time   modelsTimeCmd   `cmd:"" help:"Measure what decodes cost on this machine."`
}

type modelsListCmd struct {
	config.Models
	JSON bool `name:"json" help:"As JSON."`
}

// listed is one model of models list --json.
type listed struct {
	Name        string `json:"name"`
	Size        int64  `json:"size,omitempty"`
	SHA256      string `json:"sha256"`
	Licence     string `json:"licence"`
	Languages   int    `json:"languages"`
	Description string `json:"description"`
	Path        string `json:"path,omitempty"`
	Partial     int64  `json:"partial,omitempty"`
}

// Run lists the registry.
func (c modelsListCmd) Run(a *app) error {
	entries, err := choose.NewStore(c.Models).List()
	if err != nil {
		return err
	}
	if c.JSON {
		list := make([]listed, 0, len(entries))
		for _, e := range entries {
			list = append(list, listed{e.Name, e.Size, e.SHA256, e.Licence, e.Languages, e.Description, e.Path, e.Partial})
		}
		return printJSON(a.out, list)
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "MODEL\tSIZE\tLANGUAGES\tLICENCE\tPRESENT\tABOUT")
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", e.Name, size(max(e.Size, e.OnDisk)), e.Languages, e.Licence, present(e), e.Description)
	}
	return w.Flush()
}

func present(e models.Entry) string {
	switch {
	case e.Path != "" && e.Size > 0 && e.OnDisk != e.Size:
		return "damaged"
	case e.Path != "":
		return "yes"
	case e.Partial > 0:
		return "part: " + size(e.Partial)
	}
	return "-"
}

func size(bytes int64) string {
	switch {
	case bytes <= 0:
		return "?"
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(bytes)/1e6)
}

type modelsPullCmd struct {
	config.Models
	Names []string `arg:"" name:"model" help:"Registered names; see parley models list."`
}

// Run fetches one model after the other.
func (c modelsPullCmd) Run(ctx context.Context, a *app) error {
	store := choose.NewStore(c.Models)
	for _, name := range c.Names {
		bar := newProgress(a.err, -1, name)
		path, err := store.Pull(ctx, name, bar.set)
		bar.close()
		if err != nil {
			return advise(err, name)
		}
		fmt.Fprintln(a.out, path)
	}
	return nil
}

type modelsVerifyCmd struct {
	config.Models
	Names []string `arg:"" optional:"" name:"model" help:"Registered names."`
}

// Run checks every model and fails if one is wrong.
func (c modelsVerifyCmd) Run(ctx context.Context, a *app) error {
	store := choose.NewStore(c.Models)
	names := c.Names
	if len(names) == 0 {
		entries, err := store.List()
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Path != "" {
				names = append(names, e.Name)
			}
		}
	}
	if len(names) == 0 {
		fmt.Fprintf(a.err, "there is no model in %s\n", store.Dir)
	}
	var failed error
	for _, name := range names {
		if err := store.Verify(ctx, name); err != nil {
			failed = errors.Join(failed, advise(err, name))
			continue
		}
		fmt.Fprintf(a.out, "%s: good\n", name)
	}
	return failed
}

// advise says what to do about a model that is not known, or not there.
func advise(err error, name string) error {
	switch {
	case errors.Is(err, models.ErrUnknown):
		return fmt.Errorf("%w: see parley models list", err)
	case errors.Is(err, models.ErrMissing):
		return fmt.Errorf("%w: run parley models pull %s", err, name)
	}
	return err
}

type modelsPathCmd struct {
	config.Models
	Name string `arg:"" optional:"" name:"model" help:"Registered name."`
}

// Run tells the path.
func (c modelsPathCmd) Run(a *app) error {
	path := c.Models.Path()
	if c.Name != "" {
		var err error
		path, err = choose.NewStore(c.Models).Path(c.Name)
		if err != nil {
			return advise(err, c.Name)
		}
	}
	_, err := fmt.Fprintln(a.out, path)
	return err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
