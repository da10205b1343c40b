package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"parley/cmd/internal/serve"
)

type healthcheckCmd struct {
	Listen  string        `help:"Address the server was told to listen on; default: 127.0.0.1:8080." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Timeout time.Duration `help:"How long to wait for the answer." default:"2s"`
}

// Run fails unless the server is ready.
func (c healthcheckCmd) Run(ctx context.Context, a *app) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen (PARLEY_LISTEN): %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // a server on all addresses answers there too
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	var r serve.Readiness
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 1<<20)).Decode(&r); err != nil {
		return fmt.Errorf("not ready: the answer is no Parley's: %w", err)
	}
	if resp.StatusCode != http.StatusOK || !r.Ready {
		return fmt.Errorf("not ready: %s", r.Status)
	}
	_, err = fmt.Fprintf(a.out, "%s %s\n", r.Status, r.Model)
	return err
}
