package choose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/cmd/internal/config"
	"parley/engine/models"
	"parley/engine/whisper/tinymodel"
)

const bundledFile = "../../../engine/whisper/tinymodel/" + tinymodel.FileName

// scene is a chooser with its folder, a models' server and what it told.
type scene struct {
	Chooser
	told  []string
	pulls []string
}

func newScene(t *testing.T, server http.HandlerFunc) *scene {
	t.Helper()
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	s := &scene{}
	s.Chooser = Chooser{
		Store:    models.Store{Dir: t.TempDir(), Base: srv.URL},
		Bundled:  bundledFile,
		Progress: func(name string) (func(int64, int64), func()) { s.pulls = append(s.pulls, name); return nil, func() {} },
		Tell:     func(format string, args ...any) { s.told = append(s.told, fmt.Sprintf(format, args...)) },
	}
	return s
}

func (s *scene) has(t *testing.T, name string, size int) {
	t.Helper()
	f, err := os.Create(filepath.Join(s.Store.Dir, "ggml-"+name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(int64(size)), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func gone(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

func wrongFile(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("not a model")) }

func TestChoices(t *testing.T) {
	own := filepath.Join(t.TempDir(), "ggml-mine.bin")
	if err := os.WriteFile(own, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		present     []string
		model, pull string
		server      http.HandlerFunc
		want        string // name of the choice
		notice      bool
		told        string
		fails       string
	}{
		{name: "bundled", model: "bundled", pull: "auto", want: tinymodel.Name, notice: true},
		{name: "a file", model: own, pull: "auto", want: "mine"},
		{name: "the bundled file by its path", model: bundledFile, pull: "auto", want: tinymodel.Name, notice: true},
		{name: "no such file", model: "./none.bin", pull: "auto", fails: "--model (PARLEY_MODEL)"},
		{name: "the best that is present", present: []string{"tiny.en", "small-q5_1", "tiny"}, model: "auto", pull: "auto", want: "small-q5_1"},
		{name: "a name", present: []string{"tiny.en", "medium"}, model: "tiny.en", pull: "never", want: "tiny.en"},
		{name: "a name that is not present", model: "tiny.en", pull: "never", fails: "parley models pull tiny.en"},
		{name: "a name that cannot be fetched", model: "tiny.en", pull: "auto", server: gone, fails: "404"},
		{name: "an unknown name", model: "huge", pull: "auto", fails: "large-v3-turbo"},
		{name: "nothing, not to be pulled", model: "auto", pull: "never", want: tinymodel.Name, notice: true, told: "no speech model"},
		{name: "nothing, and no network", model: "auto", pull: "auto", server: gone, want: tinymodel.Name, notice: true, told: "404"},
		{name: "nothing, and a wrong file", model: "auto", pull: "auto", server: wrongFile, want: tinymodel.Name, notice: true, told: "SHA-256"},
		{name: "nothing, but it must be pulled", model: "auto", pull: "always", server: wrongFile, fails: "SHA-256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.server == nil {
				c.server = func(http.ResponseWriter, *http.Request) { t.Error("the network was asked") }
			}
			s := newScene(t, c.server)
			for _, name := range c.present {
				s.has(t, name, sizeOf(name))
			}
			got, err := s.Choose(t.Context(), config.Recognition{Model: c.model, Pull: c.pull})
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v does not tell %q", err, c.fails)
				}
				return
			}
			if err != nil || got.Name != c.want || (got.Notice != "") != c.notice {
				t.Errorf("%+v, %v; want %s", got, err, c.want)
			}
			if !strings.Contains(strings.Join(s.told, "\n"), c.told) {
				t.Errorf("told %q, not %q", s.told, c.told)
			}
		})
	}
}

func sizeOf(name string) int {
	m, _ := models.Find(name)
	return max(1, int(m.Size))
}

func TestWithoutAnyModel(t *testing.T) {
	s := newScene(t, gone)
	s.Bundled, s.Tried = "", []string{"/here", "/there"}
	_, err := s.Choose(t.Context(), config.Recognition{Model: Auto, Pull: config.PullNever})
	if err == nil || !strings.Contains(err.Error(), "/there") || !strings.Contains(err.Error(), "PARLEY_BUNDLED_MODEL") {
		t.Errorf("got %v", err)
	}
}

func TestASignalEndsTheChoice(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := newScene(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(why)
		<-r.Context().Done()
	})
	if _, err := s.Choose(ctx, config.Recognition{Model: Auto, Pull: config.PullAuto}); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
