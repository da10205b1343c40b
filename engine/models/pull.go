package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	failures = 6               // in a row, without a byte between them
	largest  = int64(16) << 30 // bytes of any model
	reserve  = 64 << 20        // bytes of the disk that stay free
)

// sink is the file a download is written to.
type sink interface {
	io.Writer
	Sync() error
	Close() error
}

// Pull makes sure that a model is present and returns its path. A download goes
// on where an earlier one stopped, is tried again after cut-offs, is hashed as
// it is written and gets its name only when the hash is right. progress may be
// nil; total is 0 until it is known. Errors: ErrUnknown, ErrGone, ErrHash (what
// was downloaded is removed), ErrSpace, or the cause of ctx.
func (s Store) Pull(ctx context.Context, name string, progress func(done, total int64)) (string, error) {
	m, err := find(name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	unlock, err := lock(ctx, s.file(m)+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if path, err := s.Path(name); err == nil {
		return path, nil
	}
	d := &download{store: s, model: m, progress: progress, total: m.Size}
	if err := d.run(ctx); err != nil {
		return "", fmt.Errorf("models: pulling %s: %w", name, err)
	}
	return s.file(m), nil
}

// download is one pull in progress.
type download struct {
	store    Store
	model    Model
	progress func(done, total int64)
	hash     hash.Hash
	done     int64 // bytes in the partial file, all hashed
	total    int64 // 0 where unknown
}

func (d *download) run(ctx context.Context) error {
	if err := d.resume(ctx); err != nil {
		return err
	}
	if d.sum() == d.model.SHA256 { // it was complete
		return d.finish()
	}
	pause := d.store.pause
	if pause == 0 {
		pause = time.Second
	}
	for failed := 0; d.total == 0 || d.done < d.total; {
		before := d.done
		err := d.attempt(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			d.total = d.done
			continue
		case permanent(err):
			return err
		case d.done > before:
			failed = 0
		}
		if failed++; failed >= failures {
			return fmt.Errorf("gave up after %d tries: %w", failed, err)
		}
		if err := wait(ctx, pause<<(failed-1)); err != nil {
			return err
		}
	}
	return d.finish()
}

// resume hashes what an earlier download left.
func (d *download) resume(ctx context.Context) error {
	d.hash, d.done = sha256.New(), 0
	f, err := os.Open(d.store.partial(d.model))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	d.done, err = io.Copy(d.hash, reader{ctx, f})
	if err == nil && d.total > 0 && d.done > d.total {
		return d.restart()
	}
	return err
}

func (d *download) restart() error {
	d.hash, d.done = sha256.New(), 0
	if err := os.Remove(d.store.partial(d.model)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// attempt asks for what is missing and writes it. nil means that the server
// has sent all it has.
func (d *download) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := d.store.stall
	if stall == 0 {
		stall = time.Minute
	}
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("no data for %v", stall)) })
	defer watch.Stop()
	resp, err := d.request(ctx)
	if err != nil {
		return because(ctx, err)
	}
	defer resp.Body.Close()
	if err := d.accept(resp); err != nil {
		return err
	}
	if err := d.room(); err != nil {
		return err
	}
	return because(ctx, d.copy(resp.Body, func() { watch.Reset(stall) }))
}

func (d *download) request(ctx context.Context) (*http.Response, error) {
	base, client, agent := d.store.Base, d.store.Client, d.store.Agent
	if base == "" {
		base = Base
	}
	if client == nil {
		client = http.DefaultClient
	}
	if agent == "" {
		agent = "parley"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.model.URL(base), nil)
	if err != nil {
		return nil, final{err}
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Accept-Encoding", "identity") // ranges and sizes are of the file
	if d.done > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
	}
	return client.Do(req)
}

// accept checks the answer's head and where its body belongs.
func (d *download) accept(resp *http.Response) error {
	length := resp.ContentLength
	switch code := resp.StatusCode; {
	case code == http.StatusOK: // from the beginning, whatever we asked for
		if d.done > 0 {
			if err := d.restart(); err != nil {
				return final{err}
			}
		}
	case code == http.StatusPartialContent && d.done > 0:
		if at := resp.Header.Get("Content-Range"); !strings.HasPrefix(at, fmt.Sprintf("bytes %d-", d.done)) {
			return errors.Join(fmt.Errorf("asked for byte %d on, got %q", d.done, at), d.restart())
		}
	case code == http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(fmt.Errorf("the server has nothing after byte %d", d.done), d.restart())
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return fmt.Errorf("the server answered %s", resp.Status)
	default:
		return final{fmt.Errorf("%w: %s answered %s", ErrGone, resp.Request.URL.Redacted(), resp.Status)}
	}
	if length < 0 {
		return nil
	}
	if size := d.done + length; d.total == 0 {
		d.total = size
	} else if size != d.total {
		return errors.Join(final{fmt.Errorf("%w: the server has %d bytes, published are %d", ErrHash, size, d.total)}, d.restart())
	}
	return nil
}

// room checks that the rest of the file fits on the disk.
func (d *download) room() error {
	if d.total > largest {
		return final{fmt.Errorf("%w: %d bytes are more than any model has", ErrGone, d.total)}
	}
	space := d.store.space
	if space == nil {
		space = freeSpace
	}
	free, err := space(d.store.Dir)
	if need := d.total - d.done + reserve; err == nil && d.total > 0 && free < uint64(need) {
		return final{fmt.Errorf("%w: %d MB needed in %s, %d MB free", ErrSpace, need>>20, d.store.Dir, free>>20)}
	}
	return nil
}

// copy appends body to the partial file.
func (d *download) copy(body io.Reader, alive func()) (err error) {
	create := d.store.create
	if create == nil {
		create = appendTo
	}
	f, err := create(d.store.partial(d.model))
	if err != nil {
		return final{err}
	}
	defer func() {
		if e := errors.Join(f.Sync(), f.Close()); e != nil && err == nil {
			err = final{e}
		}
	}()
	most := d.total
	if most == 0 {
		most = largest
	}
	buf := make([]byte, 256<<10)
	for {
		n, rerr := body.Read(buf)
		if int64(n) > most-d.done {
			return final{errors.Join(fmt.Errorf("%w: more than %d bytes came", ErrHash, most), d.restart())}
		}
		if n > 0 {
			alive()
			if _, err := f.Write(buf[:n]); err != nil {
				return d.writeFailed(err)
			}
			d.hash.Write(buf[:n])
			d.done += int64(n)
			if d.progress != nil {
				d.progress(d.done, d.total)
			}
		}
		if rerr == io.EOF && (d.total == 0 || d.done == d.total) {
			return nil
		}
		if rerr != nil {
			return rerr
		}
	}
}

func (d *download) sum() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// finish gives a complete file its name.
func (d *download) finish() error {
	if sum := d.sum(); sum != d.model.SHA256 {
		err := fmt.Errorf("%w: got %s, published is %s; what was downloaded is removed", ErrHash, sum, d.model.SHA256)
		return errors.Join(err, d.restart())
	}
	if err := os.Rename(d.store.partial(d.model), d.store.file(d.model)); err != nil {
		return err
	}
	return syncDir(d.store.Dir)
}

// final is an error that trying again does not mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

func permanent(err error) bool {
	var f final
	return errors.As(err, &f)
}

// because puts the cause of ctx in the place of an error that it led to.
func because(ctx context.Context, err error) error {
	if err != nil && !permanent(err) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(d, 30*time.Second))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
