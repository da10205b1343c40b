package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// File is the setting that names the YAML file. Its keys are flag names; nested
// keys are joined with "-", so log: {level: debug} is log-level.
type File struct {
	Config string `help:"YAML file with settings; default: ./parley.yaml, else parley/parley.yaml in the user's configuration folder." placeholder:"FILE" type:"path"`
}

// BeforeResolve is kong's hook: it loads the file before flags are resolved.
func (f *File) BeforeResolve(ctx *kong.Context) error {
	path, explicit := f.path(ctx)
	if path == "" {
		return nil
	}
	values, err := load(path)
	if !explicit && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx.AddResolver(resolver{path: path, values: values})
	return nil
}

func (f *File) path(ctx *kong.Context) (path string, explicit bool) {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
		if name, ok := ctx.FlagValue(flag).(string); ok && name != "" {
			return name, true
		}
	}
	if _, err := os.Stat("parley.yaml"); err == nil {
		return "parley.yaml", false
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "parley", "parley.yaml"), false
}

func load(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config (PARLEY_CONFIG): %w", err)
	}
	return parse(path, text)
}

func parse(path string, text []byte) (map[string]any, error) {
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values := map[string]any{}
	if err := flatten(values, "", tree); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return values, nil
}

// flatten joins the keys of nested maps with "-".
func flatten(into map[string]any, prefix string, tree map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		name := prefix + strings.ReplaceAll(key, "_", "-")
		if sub, ok := tree[key].(map[string]any); ok {
			if err := flatten(into, name+"-", sub); err != nil {
				return err
			}
			continue
		}
		if _, twice := into[name]; twice {
			return fmt.Errorf("key %q is given twice", name)
		}
		into[name] = tree[key]
	}
	return nil
}

// resolver answers kong's flags from the values of one file.
type resolver struct {
	path   string
	values map[string]any
}

// Validate refuses keys that no flag of any command has.
func (r resolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app.Node, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if !known[key] || key == "config" || key == "help" {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%s: unknown keys: %s", r.path, strings.Join(unknown, ", "))
	}
	return nil
}

// Resolve gives the file's value unless the environment has one.
func (r resolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return nil, nil
		}
	}
	return text(r.values[flag.Name]), nil
}

// text turns YAML's numbers into the text that kong's decoders take.
func text(v any) any {
	switch v := v.(type) {
	case uint64, int64, float64:
		return fmt.Sprint(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = text(v[i])
		}
		return list
	default:
		return v
	}
}
