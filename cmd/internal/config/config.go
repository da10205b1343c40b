// Package config says what Parley can be told by flags, by PARLEY_* environment
// variables and by a YAML file, in that order of precedence over the defaults.
// It only reads and checks values: each package's own configuration is filled
// from them by cmd/parley.
package config

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Parse reads args, the environment and the configuration file into cli, a
// pointer to a struct with kong's tags that embeds File.
func Parse(cli any, args []string, options ...kong.Option) (*kong.Context, error) {
	options = append([]kong.Option{
		kong.Name("parley"),
		kong.Description("A real-time speech server: hear, understand and speak on one socket."),
		kong.DefaultEnvars("PARLEY"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	}, options...)
	k, err := kong.New(cli, options...)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return k.Parse(args)
}

// Env is the environment variable of a flag: "log-level" is PARLEY_LOG_LEVEL.
func Env(flag string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// invalid names a setting by its flag and its variable.
func invalid(flag, format string, args ...any) error {
	return fmt.Errorf("--%s (%s): %s", flag, Env(flag), fmt.Sprintf(format, args...))
}
