package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// Import copies a file from anywhere into the store under the name of the model
// that its hash says it is, and returns that model and its path. Errors:
// ErrUnknown where no published file has that hash, or of the file system.
func (s Store) Import(ctx context.Context, file string) (Model, string, error) {
	m, err := Identify(ctx, file)
	if err != nil {
		return Model{}, "", err
	}
	if path, err := s.Path(m.Name); err == nil {
		return m, path, nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return Model{}, "", fmt.Errorf("models: %w", err)
	}
	unlock, err := lock(ctx, s.file(m)+".lock")
	if err != nil {
		return Model{}, "", err
	}
	defer unlock()
	if err := s.copyIn(ctx, file, m); err != nil {
		return Model{}, "", fmt.Errorf("models: importing %s: %w", file, err)
	}
	return m, s.file(m), nil
}

// copyIn copies by way of a temporary file and checks the hash of what was copied.
func (s Store) copyIn(ctx context.Context, file string, m Model) (err error) {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(s.Dir, m.File()+".import-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(to.Name()))
		}
	}()
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, h), reader{ctx, from})
	if err = errors.Join(err, to.Chmod(0o644), to.Sync(), to.Close()); err != nil {
		return err
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != m.SHA256 {
		return fmt.Errorf("%w: it changed while it was copied", ErrHash)
	}
	if err := os.Rename(to.Name(), s.file(m)); err != nil {
		return err
	}
	return syncDir(s.Dir)
}
