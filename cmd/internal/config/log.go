package config

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// Log is how the server tells what it does. It never tells audio, text or keys.
type Log struct {
	Level  string `name:"log-level" help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
	Format string `name:"log-format" help:"auto, console or json; auto is console on a terminal." enum:"auto,console,json" default:"auto"`
}

// Logger writes to f as told.
func (l Log) Logger(f *os.File) zerolog.Logger {
	level, err := zerolog.ParseLevel(l.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	var w io.Writer = f
	terminal := term.IsTerminal(int(f.Fd()))
	if l.Format == "console" || l.Format == "auto" && terminal {
		w = zerolog.ConsoleWriter{Out: f, NoColor: !terminal, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}
