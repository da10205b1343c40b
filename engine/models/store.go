package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Errors that callers branch on.
var (
	// ErrUnknown: no model of that name is in the registry.
	ErrUnknown = errors.New("unknown model")
	// ErrMissing: the model is not in the store.
	ErrMissing = errors.New("model not present")
	// ErrHash: a file is not what was published.
	ErrHash = errors.New("wrong SHA-256")
	// ErrSpace: the file does not fit on the disk.
	ErrSpace = errors.New("not enough disk space")
	// ErrGone: the server does not have the file or does not give it to us.
	ErrGone = errors.New("download refused")
)

// Store is a directory of model files. It is safe for concurrent use, also by
// several processes on the same directory.
type Store struct {
	Dir    string
	Base   string       // "" is the constant Base
	Client *http.Client // nil is http.DefaultClient
	Agent  string       // User-Agent; "" is "parley"

	pause  time.Duration                    // first wait before a retry; 0 is one second
	stall  time.Duration                    // a download without a byte for so long is cut off; 0 is a minute
	create func(path string) (sink, error)  // nil is the real file
	space  func(dir string) (uint64, error) // nil is the real disk
}

// Entry is a model and what the store has of it.
type Entry struct {
	Model
	Path    string // "" where it is not present
	OnDisk  int64  // bytes of the file
	Partial int64  // bytes of a download that was not finished
}

// List says of every model in the registry what is present.
func (s Store) List() ([]Entry, error) {
	if info, err := os.Stat(s.Dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("models: %s is not a directory", s.Dir)
	}
	var list []Entry
	for _, m := range all {
		e := Entry{Model: m}
		if info, err := os.Stat(s.file(m)); err == nil && info.Mode().IsRegular() {
			e.Path, e.OnDisk = s.file(m), info.Size()
		}
		if info, err := os.Stat(s.partial(m)); err == nil {
			e.Partial = info.Size()
		}
		list = append(list, e)
	}
	return list, nil
}

// Path is where a present model lies; ErrUnknown or ErrMissing otherwise.
func (s Store) Path(name string) (string, error) {
	m, err := find(name)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(s.file(m))
	switch {
	case err != nil || !info.Mode().IsRegular():
		return "", fmt.Errorf("models: %w: %s is not in %s", ErrMissing, name, s.Dir)
	case m.Size > 0 && info.Size() != m.Size:
		return "", fmt.Errorf("models: %w: %s has %d bytes, not %d", ErrHash, s.file(m), info.Size(), m.Size)
	}
	return s.file(m), nil
}

// Best is the best model that is present, by quality; ErrMissing without any.
func (s Store) Best() (Entry, error) {
	list, err := s.List()
	if err != nil {
		return Entry{}, err
	}
	var best Entry
	for _, e := range list {
		if e.Path != "" && (e.Size == 0 || e.OnDisk == e.Size) && e.rank > best.rank {
			best = e
		}
	}
	if best.Path == "" {
		return Entry{}, fmt.Errorf("models: %w: none in %s", ErrMissing, s.Dir)
	}
	return best, nil
}

// Verify hashes a present model; ErrHash where it is not what was published.
func (s Store) Verify(ctx context.Context, name string) error {
	m, err := find(name)
	if err != nil {
		return err
	}
	path, err := s.Path(name)
	if err != nil {
		return err
	}
	sum, err := hashFile(ctx, path)
	if err != nil {
		return err
	}
	if sum != m.SHA256 {
		return fmt.Errorf("models: %w: %s has %s, published is %s", ErrHash, path, sum, m.SHA256)
	}
	return nil
}

// Identify names the model that a file anywhere is, by its hash.
func Identify(ctx context.Context, path string) (Model, error) {
	sum, err := hashFile(ctx, path)
	if err != nil {
		return Model{}, err
	}
	for _, m := range all {
		if m.SHA256 == sum {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("models: %w: %s (SHA-256 %s) is no file of the registry", ErrUnknown, path, sum)
}

func find(name string) (Model, error) {
	m, ok := Find(name)
	if !ok {
		return Model{}, fmt.Errorf("models: %w: %q", ErrUnknown, name)
	}
	return m, nil
}

func (s Store) file(m Model) string    { return filepath.Join(s.Dir, m.File()) }
func (s Store) partial(m Model) string { return s.file(m) + ".partial" }

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return "", fmt.Errorf("models: reading %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// reader stops when its context does.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
