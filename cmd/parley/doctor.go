package main

import (
	"context"
	"fmt"

	"parley/cmd/internal/choose"
	"parley/cmd/internal/config"
	"parley/cmd/internal/doctor"
	"parley/cmd/internal/native"
)

type doctorCmd struct {
	config.Models
	Turn   config.Turn `embed:""`
	Listen string      `help:"Address the server shall listen on; default: 127.0.0.1:8080." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	JSON   bool        `name:"json" help:"As JSON."`
}

// Run tells what it found and fails if something is bad.
func (c doctorCmd) Run(ctx context.Context, a *app) error {
	turn, err := c.Turn.Path(c.Models)
	if err != nil {
		return err
	}
	findings := doctor.Examine(ctx, doctor.Config{Paths: native.Find(), Store: choose.NewStore(c.Models), Turn: turn, Listen: c.Listen})
	if c.JSON {
		if err := printJSON(a.out, findings); err != nil {
			return err
		}
	} else {
		signs := map[doctor.State]string{doctor.Good: "ok  ", doctor.Missing: "-   ", doctor.Bad: "BAD "}
		for _, f := range findings {
			fmt.Fprintf(a.out, "%s%s: %s\n", signs[f.State], f.Check, f.Detail)
			if f.Advice != "" {
				fmt.Fprintf(a.out, "    → %s\n", f.Advice)
			}
		}
	}
	if n := doctor.Failed(findings); n > 0 {
		return fmt.Errorf("doctor: %d of %d checks failed", n, len(findings))
	}
	return nil
}
