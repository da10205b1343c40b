// Command parley is a real-time speech server and its tools: serve, transcribe,
// say, voices, bench, models, doctor, healthcheck and version. It is the only place
// where the concrete parts meet.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"parley/cmd/internal/config"
)

// grammar is the command line.
type grammar struct {
	config.File
	config.Log

	Serve       serveCmd       `cmd:"" help:"Serve the demo page and the protocol."`
	Transcribe  transcribeCmd  `cmd:"" help:"Write down what is said in files."`
	Say         sayCmd         `cmd:"" help:"Speak a text into a file."`
	Voices      voicesCmd      `cmd:"" help:"List who can speak."`
	Bench       benchCmd       `cmd:"" help:"Put a server under load and measure it."`
	Models      modelsCmd      `cmd:"" help:"List, fetch and check speech models."`
	Doctor      doctorCmd      `cmd:"" help:"Check this machine and say what to do."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the server on this machine whether it is ready."`
	Version     versionCmd     `cmd:"" help:"Tell the version."`
}

// app is what commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	log      zerolog.Logger
	json     bool // what is logged is for programs
}

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		args = []string{"version"} // what people try first
	}
	var cli grammar
	command, err := config.Parse(&cli, args)
	if err != nil {
		complain(err)
		var parse *kong.ParseError
		if errors.As(err, &parse) {
			fmt.Fprintf(os.Stderr, "see: parley %s--help\n", commandName(parse.Context))
		}
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, log: cli.Logger(os.Stderr), json: cli.Log.JSON(os.Stderr)}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(a); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return exitInterrupted
		}
		complain(err)
		return exitFailed
	}
	return exitOK
}

// complain tells an error; joined ones a line each.
func complain(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && strings.Contains(err.Error(), "\n") {
		for _, err := range joined.Unwrap() {
			complain(err)
		}
		return
	}
	fmt.Fprintf(os.Stderr, "parley: %v\n", err)
}

// commandName is how far the command line was understood, such as "models pull ".
func commandName(ctx *kong.Context) string {
	if ctx == nil || ctx.Selected() == nil {
		return ""
	}
	return ctx.Selected().Path() + " "
}
