package serve

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/cmd/internal/auth"
)

// Handler is all routes with what guards them.
func (s *Server) Handler() http.Handler {
	keyed := func(h http.Handler) http.Handler { return s.cfg.Keys.Guard(only(http.MethodGet, h), unauthorized) }
	mux := http.NewServeMux()
	mux.Handle("/v1/stream", keyed(http.HandlerFunc(s.stream)))
	mux.Handle("/v1/info", keyed(http.HandlerFunc(s.info)))
	mux.Handle("/metrics", keyed(promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{})))
	mux.Handle("/healthz", only(http.MethodGet, http.HandlerFunc(health)))
	mux.Handle("/readyz", only(http.MethodGet, http.HandlerFunc(s.ready)))
	mux.Handle("/", s.page())
	var h http.Handler = mux
	if s.loopback && s.cfg.Keys.Open() {
		h = localNames(s.cfg.Origins, h)
	}
	return secure(h)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	b := s.backend.Load()
	if b == nil || s.draining.Load() {
		s.unavailable(w, r)
		return
	}
	if p, ok := auth.From(r.Context()); ok {
		s.cfg.Log.Debug().Str("principal", p.Name).Str("remote", r.RemoteAddr).Msg("stream")
	}
	b.Stream.ServeHTTP(w, r)
}

// page serves the files of the demo; what is not among them gets a JSON 404.
func (s *Server) page() http.Handler {
	files := http.FileServerFS(s.cfg.Page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isPage(s.cfg.Page, r.URL.Path) {
			notFound(w, r)
			return
		}
		only(http.MethodGet, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			files.ServeHTTP(w, r)
		})).ServeHTTP(w, r)
	})
}
