package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/cmd/internal/load"
	"parley/cmd/internal/material"
	"parley/cmd/internal/measure"
	"parley/cmd/internal/parts"
	"parley/cmd/internal/report"
)

type benchCmd struct {
	URL       string        `arg:"" optional:"" help:"Server to put under load, such as http://127.0.0.1:8080; default: one of its own."`
	Sessions  []int         `help:"Sessions at the same time; several numbers are run one after the other." default:"1,4" placeholder:"N"`
	Duration  time.Duration `help:"How long every session lasts." default:"30s"`
	Talk      float64       `help:"Share of the time in which somebody speaks." default:"0.4"`
	Jitter    int           `help:"Longest stall of the network in milliseconds; about one a second." default:"0" placeholder:"MS"`
	Loss      float64       `help:"Frames the network loses, in per cent." default:"0" placeholder:"PCT"`
	Files     []string      `help:"Recordings to replay, or folders of them, with FILE.txt saying what is said; default: sentences that flite speaks." type:"path" placeholder:"FILE"`
	Sentences int           `help:"How many different sentences, where there are no files." default:"24"`
	Voices    []string      `help:"Who speaks them, in turn." default:"flite/slt,flite/rms,flite/awb" placeholder:"ID"`
	Protocol  string        `help:"speech.v1, or whisper-server for whisper.cpp's own." enum:"speech.v1,whisper-server" default:"speech.v1"`
	Start     string        `help:"Further fields of session.start as JSON, such as '{\"vad\":{\"silence_ms\":300}}'." placeholder:"JSON"`
	Interval  time.Duration `help:"New audio between two partials of whisper-server." default:"500ms"`
	Seed      uint64        `help:"The same seed gives the same load." default:"1"`
	Late      time.Duration `help:"From which time after the end of speech on a final is late." default:"2s"`
	Serve     arguments     `help:"Arguments of parley serve for a server of its own, such as '--slots 2'." placeholder:"ARGS"`
	Compare   arguments     `help:"Twice: further such arguments, or [PROTOCOL=]URL. The two are run in turn." placeholder:"ARGS|URL"`
	Rounds    int           `help:"How often each number of sessions is run; default: 1, of a comparison 2." default:"0"`
	APIKeys   []string      `name:"api-key" env:"PARLEY_API_KEYS,PARLEY_API_KEY" help:"The key of the server." placeholder:"KEY"`
	CSV       string        `name:"csv" help:"File for all figures of every run." type:"path" placeholder:"FILE"`
	Plot      string        `help:"File for a plot, .svg." type:"path" placeholder:"FILE"`
	JSON      bool          `name:"json" help:"Print JSON instead of the table."`
}

// Validate names the flag that cannot be; kong calls it.
func (c benchCmd) Validate() error {
	if len(c.Sessions) == 0 {
		return errors.New("--sessions (PARLEY_SESSIONS): there is no number")
	}
	for _, n := range c.Sessions {
		if err := c.schedule(n, 0).Validate(); err != nil {
			return err
		}
	}
	if err := c.network().Validate(); err != nil {
		return err
	}
	if _, err := c.start(); err != nil {
		return err
	}
	for _, check := range []struct {
		wrong bool
		why   string
	}{
		{c.Sentences < 1 || c.Sentences > 10_000, fmt.Sprintf("--sentences: %d is outside 1 to 10000", c.Sentences)},
		{c.Rounds < 0 || c.Rounds > 1000, fmt.Sprintf("--rounds: %d is outside 0 to 1000", c.Rounds)},
		{c.Late <= 0, fmt.Sprintf("--late: %v is not above 0", c.Late)},
		{c.Interval < 100*time.Millisecond, fmt.Sprintf("--interval: %v is below 100ms", c.Interval)},
		{len(c.Compare) == 1 || len(c.Compare) > 2, "--compare: give it twice"},
		{len(c.Compare) > 0 && c.URL != "", "--compare: names both servers; leave the URL out"},
		{len(c.Voices) == 0, "--voices: there is none"},
		{c.Plot != "" && !strings.EqualFold(filepath.Ext(c.Plot), ".svg"), fmt.Sprintf("--plot: %s does not end in .svg", c.Plot)},
	} {
		if check.wrong {
			return errors.New(check.why)
		}
	}
	return c.checkFolders()
}

// checkFolders finds out before the work whether its results have a place.
func (c benchCmd) checkFolders() error {
	for flag, path := range map[string]string{"csv": c.CSV, "plot": c.Plot} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("--%s: %s: %w", flag, path, unwrapPath(err))
		}
	}
	return nil
}

func (c benchCmd) schedule(sessions, round int) load.Schedule {
	return load.Schedule{Sessions: sessions, Duration: c.Duration, Talk: c.Talk, Seed: c.Seed + uint64(round)}
}

func (c benchCmd) network() load.Network {
	return load.Network{Jitter: time.Duration(c.Jitter) * time.Millisecond, Loss: c.Loss / 100}
}

// start is what session.start says; word times are needed to measure commits.
func (c benchCmd) start() (map[string]any, error) {
	fields := map[string]any{}
	if c.Start != "" {
		if err := json.Unmarshal([]byte(c.Start), &fields); err != nil {
			return nil, fmt.Errorf("--start: %w", err)
		}
	}
	asr, ok := fields["asr"].(map[string]any)
	if !ok {
		asr = map[string]any{}
	}
	if _, told := asr["words"]; !told {
		asr["words"] = true
	}
	fields["asr"] = asr
	return fields, nil
}

// Run puts servers under load and tells how they bore it.
func (c benchCmd) Run(ctx context.Context, a *app) error {
	clips, err := c.clips(ctx, a)
	if err != nil {
		return err
	}
	silence, err := material.Silence()
	if err != nil {
		return err
	}
	b := &bench{benchCmd: c, app: a, clips: clips, silence: silence}
	failed := b.open(ctx)
	if failed == nil {
		failed = b.all(ctx)
	}
	failed = errors.Join(failed, b.close())
	if len(b.rows) > 0 {
		failed = errors.Join(failed, b.tell())
	}
	return failed
}

func (c benchCmd) clips(ctx context.Context, a *app) ([]material.Clip, error) {
	if len(c.Files) > 0 {
		return material.Load(c.Files)
	}
	voices, err := parts.OpenVoices(ctx, "", a.log.Level(max(a.log.GetLevel(), 2)))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(c.Voices))
	for i, name := range c.Voices {
		voice, err := voices.Find(name, "")
		if err != nil {
			return nil, fmt.Errorf("--voices: %w: see parley voices", err)
		}
		ids[i] = voice.ID
	}
	return material.Speak(ctx, voices, ids, c.Sentences, c.Seed)
}

// bench is a load test under way.
type bench struct {
	benchCmd
	*app
	clips   []material.Clip
	silence []byte
	targets []*target
	rows    []report.Row
}

// all runs every number of sessions in every round on each server in turn.
func (b *bench) all(ctx context.Context) error {
	rounds := b.Rounds
	if rounds == 0 {
		rounds = len(b.targets)
	}
	for _, n := range b.Sessions {
		for round := range rounds {
			for _, t := range b.targets {
				if err := b.run(ctx, t, n, round); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// run is one run.
func (b *bench) run(ctx context.Context, t *target, sessions, round int) error {
	schedule := b.schedule(sessions, round)
	config := load.Config{Dial: t.dialer, Plans: schedule.Plans(b.clips), Clips: b.clips, Silence: b.silence,
		Network: b.network(), Seed: schedule.Seed, Patience: patience}
	b.progress(t, sessions, round, config.Plans)
	watch, err := measure.StartWatch(ctx, t.meter)
	if err != nil {
		return err
	}
	records, err := load.Run(ctx, config)
	figures := measure.Of(records, b.Late)
	if err := errors.Join(err, watch.Stop(context.WithoutCancel(ctx), &figures), t.alive()); err != nil {
		return err
	}
	b.rows = append(b.rows, report.Row{Server: t.name, Round: round + 1, Figures: figures})
	return nil
}

// patience is how long a session waits for finals after its last audio.
const patience = 2 * time.Minute

func (b *bench) progress(t *target, sessions, round int, plans []load.Plan) {
	if b.json {
		return
	}
	var longest time.Duration
	for _, p := range plans {
		longest = max(longest, p.Begin+time.Duration(p.Frames)*material.Frame)
	}
	name := t.name
	if name != "" {
		name = " on " + name
	}
	fmt.Fprintf(b.err, "%s%s, round %d: about %v\n", plural(sessions, "session"), name, round+1, longest.Round(time.Second))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// tell writes all results; the error says what was lost.
func (b *bench) tell() error {
	points := report.Points(b.rows)
	var failed error
	if b.CSV != "" {
		failed = errors.Join(failed, writeFile(b.CSV, func(w io.Writer) error { return report.CSV(w, b.rows) }))
	}
	if b.Plot != "" {
		failed = errors.Join(failed, writeFile(b.Plot, func(w io.Writer) error { return report.Plot(w, b.heading(), b.what(), points) }))
	}
	if b.JSON {
		failed = errors.Join(failed, printJSON(b.out, b.document(points)))
	} else {
		fmt.Fprintf(b.out, "%s\n\n", b.title())
		failed = errors.Join(failed, report.Table(b.out, points))
	}
	return errors.Join(failed, b.verdict())
}

// title says what was run.
func (b *bench) title() string { return b.heading() + ": " + b.what() }

// heading names the models under load.
func (b *bench) heading() string {
	var models []string
	for _, t := range b.targets {
		if t.model != "" && !slices.Contains(models, t.model) {
			models = append(models, t.model)
		}
	}
	if len(models) == 0 {
		return "A model that is not named"
	}
	return strings.Join(models, " and ")
}

// what describes the load.
func (b *bench) what() string {
	var speech time.Duration
	for _, c := range b.clips {
		speech += c.Speech()
	}
	text := fmt.Sprintf("%s with %v of speech, talk %g, seed %d", plural(len(b.clips), "clip"), speech.Round(100*time.Millisecond), b.Talk, b.Seed)
	if b.Jitter > 0 || b.Loss > 0 {
		text += fmt.Sprintf(", jitter %d ms, loss %g %%", b.Jitter, b.Loss)
	}
	return text
}

// document is what --json prints.
func (b *bench) document(points []report.Point) any {
	type row struct {
		Server string        `json:"server"`
		Round  int           `json:"round"`
		Values report.Values `json:"values"`
		Errors []string      `json:"errors,omitempty"`
	}
	var rows []row
	for _, r := range b.rows {
		rows = append(rows, row{r.Server, r.Round, report.ValuesOf(r.Figures), r.Figures.Errors})
	}
	return struct {
		Title   string         `json:"title"`
		Seed    uint64         `json:"seed"`
		Talk    float64        `json:"talk"`
		Runs    []row          `json:"runs"`
		Medians []report.Point `json:"medians"`
		Ratios  []report.Ratio `json:"ratios,omitempty"`
	}{b.title(), b.Seed, b.Talk, rows, points, report.Ratios(points)}
}

// verdict warns of what makes figures doubtful and fails where something was lost.
func (b *bench) verdict() error {
	var lost error
	for _, r := range b.rows {
		f, where := r.Figures, plural(r.Figures.Sessions, "session")
		if r.Server != "" {
			where += " on " + r.Server
		}
		if f.Generator.Behind() {
			b.notice("%s: the generator itself was late (p99 %v, at most %v): the latencies are partly its own",
				where, f.Generator.Late, f.Generator.LateMost.Round(time.Millisecond))
		}
		if f.Refused > 0 {
			b.notice("%s: the server refused %d", where, f.Refused)
		}
		for _, why := range slices.Compact(slices.Sorted(slices.Values(f.Errors))) {
			b.notice("%s: a session broke: %s", where, why)
		}
		if f.Broken > 0 || f.Losses.Any() {
			lost = errors.Join(lost, fmt.Errorf("%s: %d broken, %d utterances without final, %d failed, %d stable words retracted, %v of audio dropped",
				where, f.Broken, f.Losses.Unheard, f.Losses.Failed, f.Losses.Retracted, f.Losses.Dropped))
		}
	}
	return lost
}
