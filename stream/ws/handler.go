package ws

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"parley/stream"
)

type handler struct{ cfg Config }

// ticketPrefix opens a subprotocol that carries a ticket; it is never selected.
const ticketPrefix = "ticket."

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	offered := offeredSubprotocols(r)
	if len(offered) > 0 && !slices.ContainsFunc(offered, h.speaks) {
		refuse(w, http.StatusBadRequest, stream.BadRequest, fmt.Sprintf(
			"none of the subprotocols offered is spoken here; offer %s", strings.Join(h.cfg.Subprotocols, " or ")))
		return
	}
	up := &upgrade{ResponseWriter: w}
	conn, err := websocket.Accept(up, r, &websocket.AcceptOptions{
		Subprotocols:    h.cfg.Subprotocols,
		OriginPatterns:  h.cfg.Origins,
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		h.cfg.Log.Debug().Err(err).Str("remote", r.RemoteAddr).Msg("websocket refused")
		return
	}
	p := newPeer(conn, up.raw, h.cfg)
	defer func() { _ = p.Close(stream.Internal, "") }() // where Serve did not; its panic included
	d := h.cfg.NewDialect(r)
	if r.URL.Query().Has("ticket") || slices.ContainsFunc(offered, isTicket) {
		err = turnAway(r.Context(), p, d)
	} else {
		err = h.cfg.Serve(r.Context(), p, d)
	}
	h.cfg.Log.Debug().AnErr("cause", err).Str("remote", r.RemoteAddr).Msg("websocket closed")
	code := stream.Done
	if err != nil {
		code = stream.Internal
		if e, ok := errors.AsType[*stream.Error](err); ok {
			code = e.Code
		}
	}
	_ = p.Close(code, "")
}

// turnAway answers a ticket: what it would allow cannot be known yet.
func turnAway(ctx context.Context, p *peer, d stream.Dialect) error {
	why := &stream.Error{Code: stream.Unauthorized, Message: "tickets are not available on this server yet", Fatal: true}
	ms, err := d.Encode(stream.ErrorEvent{Err: why})
	for _, m := range ms {
		if err == nil {
			err = p.Write(ctx, m)
		}
	}
	return errors.Join(why, err, p.Close(why.Code, why.Message))
}

func (h *handler) speaks(offer string) bool {
	return slices.ContainsFunc(h.cfg.Subprotocols, func(s string) bool { return strings.EqualFold(s, offer) })
}

func isTicket(offer string) bool { return strings.HasPrefix(offer, ticketPrefix) }

func offeredSubprotocols(r *http.Request) []string {
	var offers []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offer := range strings.SplitSeq(line, ",") {
			if offer = strings.TrimSpace(offer); offer != "" {
				offers = append(offers, offer)
			}
		}
	}
	return offers
}

// upgrade is the ResponseWriter of a handshake: it keeps the connection that is
// taken over, and turns a refusal in plain text into one in JSON.
type upgrade struct {
	http.ResponseWriter
	raw    net.Conn
	status int
}

// Hijack takes the connection over, free of the deadlines the server had set.
func (u *upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	raw, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return nil, nil, errors.Join(err, raw.Close())
	}
	u.raw = raw
	return raw, rw, nil
}

// WriteHeader holds a refusal back until its text is known.
func (u *upgrade) WriteHeader(status int) {
	u.status = status
	if status < http.StatusBadRequest {
		u.ResponseWriter.WriteHeader(status)
	}
}

// Write is the text of a refusal.
func (u *upgrade) Write(b []byte) (int, error) {
	code := stream.BadRequest
	if u.status == http.StatusForbidden {
		code = stream.Forbidden
	}
	refuse(u.ResponseWriter, u.status, code, strings.TrimSpace(string(b)))
	return len(b), nil
}

// refuse answers a request that does not become a WebSocket.
func refuse(w http.ResponseWriter, status int, code stream.Code, message string) {
	type detail struct {
		Code    stream.Code `json:"code"`
		Message string      `json:"message"`
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]detail{"error": {code, message}}) // the client may be gone
}
