package serve

import (
	"net/http"

	"parley/engine"
	"parley/stream"
)

// Model is what recognises, as clients are told.
type Model struct {
	Name      string   `json:"name"`
	Languages []string `json:"languages"`
	Notice    string   `json:"notice,omitempty"` // what it can and cannot understand
}

// Voice is somebody who can speak, as clients are told.
type Voice struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Language string `json:"language"`
	Engine   string `json:"engine"`
}

// Device is a place where models run.
type Device struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Kind        string `json:"kind"` // cpu, gpu, accel
	MemoryMiB   int    `json:"memory_mib,omitempty"`
}

// Limits are those a page needs before it connects.
type Limits struct {
	MaxFrame     int   `json:"max_frame"`
	MaxText      int   `json:"max_text"`
	IdleMS       int64 `json:"idle_ms"`
	MaxSessionMS int64 `json:"max_session_ms"`
}

// LimitsOf picks them from the limits of the session core.
func LimitsOf(l stream.Limits) Limits {
	return Limits{MaxFrame: l.MaxFrame, MaxText: l.MaxText, IdleMS: l.Idle.Milliseconds(), MaxSessionMS: l.MaxSession.Milliseconds()}
}

// Info is the answer of /v1/info.
type Info struct {
	Server       string  `json:"server"`
	Model        Model   `json:"model"`
	Voices       []Voice `json:"voices"`
	DefaultVoice string  `json:"default_voice"`
	TurnModel    string  `json:"turn_model,omitempty"` // file name of the end-of-turn model
	Limits       Limits  `json:"limits"`
}

// VoicesOf turns an engine's voices into what clients are told.
func VoicesOf(voices []engine.Voice) []Voice {
	list := make([]Voice, 0, len(voices))
	for _, v := range voices {
		list = append(list, Voice{ID: v.ID, Name: v.Name, Language: v.Language, Engine: engineOf(v.ID)})
	}
	return list
}

func engineOf(id string) string {
	for i, r := range id {
		if r == '/' {
			return id[:i]
		}
	}
	return id
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready   bool     `json:"ready"`
	Status  string   `json:"status"` // starting, ready, draining, or what failed
	Server  string   `json:"server"`
	Model   string   `json:"model,omitempty"`
	GPU     bool     `json:"gpu"`
	Devices []Device `json:"devices"`
	Voices  int      `json:"voices"`
	Slots   int      `json:"slots"`
}

func (s *Server) info(w http.ResponseWriter, r *http.Request) {
	b := s.backend.Load()
	if b == nil {
		s.unavailable(w, r)
		return
	}
	writeJSON(w, http.StatusOK, b.Info)
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	answer := Readiness{Status: s.status(), Server: s.cfg.Name, Devices: []Device{}}
	b := s.backend.Load()
	if b != nil {
		answer.Ready = !s.draining.Load()
		answer.Model, answer.Voices, answer.Slots = b.Info.Model.Name, len(b.Info.Voices), b.Slots
		answer.Devices = append(answer.Devices, b.Devices...)
		for _, d := range b.Devices {
			answer.GPU = answer.GPU || d.Kind == "gpu"
		}
	}
	code := http.StatusOK
	if !answer.Ready {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, answer)
}

func (s *Server) status() string {
	switch {
	case s.draining.Load():
		return "draining"
	case s.backend.Load() == nil:
		return "starting"
	default:
		return "ready"
	}
}

func health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
}
