package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"parley/engine/whisper"
)

// release is the version; a build may set another with -ldflags "-X main.release=…".
var release = "0.1.0"

// serverName is what clients are told.
func serverName() string { return "parley/" + release }

type versionCmd struct{}

// Run tells the version, and the commit where the build knows it.
func (versionCmd) Run(a *app) error {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	_, err := fmt.Fprintf(a.out, "parley %s%s (%s %s/%s, whisper.cpp %s)\n",
		release, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, whisper.Version())
	return err
}
