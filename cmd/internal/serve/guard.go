package serve

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"parley/stream"
)

// policy is the page's content security policy: nothing from elsewhere, no inline code.
const policy = "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; worker-src 'self' blob:; " +
	"style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that every answer carries.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "microphone=(self)")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// localNames refuses requests that reached a loopback address under a foreign
// host name: a page elsewhere whose name was made to point here (DNS rebinding)
// would pass every check of origin against host.
func localNames(origins []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !local(r.Host) && !slices.Contains(hosts(origins), strings.ToLower(r.Host)) {
			refuse(w, http.StatusMisdirectedRequest, stream.Forbidden, "this address answers to localhost only; see --allow-origin")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func local(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// hosts are the host parts of origins.
func hosts(origins []string) []string {
	var list []string
	for _, o := range origins {
		if u, err := url.Parse(o); err == nil {
			list = append(list, strings.ToLower(u.Host))
		}
	}
	return list
}
