package serve

import (
	"encoding/json"
	"net/http"
	"strings"

	"parley/stream"
)

// Problem is the body of every refusal.
type Problem struct {
	Error ProblemDetail `json:"error"`
}

// ProblemDetail says what was wrong, with the codes of the native protocol.
type ProblemDetail struct {
	Code    stream.Code `json:"code"`
	Message string      `json:"message"`
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

func refuse(w http.ResponseWriter, status int, code stream.Code, message string) {
	writeJSON(w, status, Problem{ProblemDetail{Code: code, Message: message}})
}

func unauthorized(w http.ResponseWriter, _ *http.Request, err error) {
	refuse(w, http.StatusUnauthorized, stream.Unauthorized, err.Error())
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusNotFound, "not_found", "there is nothing here; see /v1/info and /v1/stream")
}

func (s *Server) unavailable(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "2")
	refuse(w, http.StatusServiceUnavailable, stream.Overloaded, "the server is "+s.status())
}

// only refuses other methods than the given ones; GET brings HEAD with it.
func only(method string, next http.Handler) http.Handler {
	allowed := []string{method}
	if method == http.MethodGet {
		allowed = append(allowed, http.MethodHead)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range allowed {
			if r.Method == m {
				next.ServeHTTP(w, r)
				return
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "only "+strings.Join(allowed, ", "))
	})
}
