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

// JSON says whether what is written to f is for programs rather than people.
func (l Log) JSON(f *os.File) bool {
	return l.Format == "json" || l.Format == "auto" && !term.IsTerminal(int(f.Fd()))
}

// Logger writes to f as told.
func (l Log) Logger(f *os.File) zerolog.Logger {
	level, err := zerolog.ParseLevel(l.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	var w io.Writer = f
	if !l.JSON(f) {
		w = zerolog.ConsoleWriter{Out: f, NoColor: !term.IsTerminal(int(f.Fd())), TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}
