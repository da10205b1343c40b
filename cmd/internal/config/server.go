package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"parley/stream"
)

// Server is what the serve command can be told beside model and voices.
type Server struct {
	Listen      string   `help:"Address and port of the HTTP server; default: 127.0.0.1:8080; port 0 picks a free one." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	AddrFile    string   `help:"File the real address is written to once the server listens." hidden:"" type:"path"`
	Insecure    bool     `help:"Allow to listen beyond this machine without keys."`
	APIKeys     []string `name:"api-key" env:"PARLEY_API_KEYS,PARLEY_API_KEY" help:"A key clients send as 'Authorization: Bearer KEY', or sha256:HEX of one. May be repeated." placeholder:"KEY"`
	AllowOrigin []string `help:"Further web origins whose pages may connect, like https://app.example." placeholder:"ORIGIN"`
	MaxSessions int      `help:"Sessions at the same time." default:"64"`
	Drain       Duration `name:"drain" help:"How long open sessions may finish at shutdown." default:"30s"`
	Limits      Limits   `embed:""`
}

// Duration is a time.Duration; its name keeps help short.
type Duration = time.Duration

// Limits of one session; they are announced to the client.
type Limits struct {
	MaxFrame   int      `help:"Bytes of one audio message." default:"1048576"`
	MaxText    int      `help:"Characters of one speak command." default:"4096"`
	MaxBacklog Duration `help:"Audio heard but not yet transcribed." default:"60s"`
	MaxOutbox  int      `help:"Bytes waiting for a client that does not read." default:"1048576"`
	MaxSession Duration `help:"Length of a session." default:"1h"`
	Idle       Duration `help:"Silence on the socket after which a session ends." default:"30s"`
}

// Validate names the setting that cannot be.
func (s Server) Validate() error {
	if err := s.validateListen(); err != nil {
		return err
	}
	for _, origin := range s.AllowOrigin {
		if err := validateOrigin(origin); err != nil {
			return err
		}
	}
	if s.MaxSessions < 1 || s.MaxSessions > 100000 {
		return invalid("max-sessions", "%d is outside 1 to 100000", s.MaxSessions)
	}
	if s.Drain < 0 || s.Drain > time.Hour {
		return invalid("drain", "%v is outside 0s to 1h", s.Drain)
	}
	return s.Limits.validate()
}

func (s Server) validateListen() error {
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return invalid("listen", "%v", err)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return invalid("listen", "port %q is not a port", port)
	}
	if Loopback(host) || len(s.APIKeys) > 0 || s.Insecure {
		return nil
	}
	return invalid("listen", "%s can be reached from other machines: give --api-key (PARLEY_API_KEYS), or --insecure (PARLEY_INSECURE) to let anybody in", s.Listen)
}

// Loopback says whether a host part of an address stays on this machine.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func validateOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return invalid("allow-origin", "%q is not an origin like https://app.example:8443", origin)
	}
	return nil
}

func (l Limits) validate() error {
	for _, n := range []struct {
		flag            string
		value, low, top int
	}{
		{"max-frame", l.MaxFrame, 1024, 64 << 20},
		{"max-text", l.MaxText, 1, 1 << 20},
		{"max-outbox", l.MaxOutbox, 64 << 10, 1 << 30},
	} {
		if n.value < n.low || n.value > n.top {
			return invalid(n.flag, "%d is outside %d to %d", n.value, n.low, n.top)
		}
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"max-backlog", l.MaxBacklog}, {"max-session", l.MaxSession}, {"idle", l.Idle}} {
		if d.value < time.Second || d.value > 24*time.Hour {
			return invalid(d.flag, "%v is outside 1s to 24h", d.value)
		}
	}
	return nil
}

// Stream is the limits as the session core takes them.
func (l Limits) Stream() (stream.Limits, error) {
	limits := stream.DefaultLimits()
	limits.MaxFrame, limits.MaxText, limits.MaxOutbox = l.MaxFrame, l.MaxText, l.MaxOutbox
	limits.MaxBacklog, limits.MaxSession, limits.Idle = l.MaxBacklog, l.MaxSession, l.Idle
	if err := limits.Validate(); err != nil {
		return stream.Limits{}, fmt.Errorf("config: %w", err)
	}
	return limits, nil
}
