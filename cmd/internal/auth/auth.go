// Package auth decides who may ask: static API keys, kept as SHA-256 and
// compared in constant time, before anything else of a request is looked at.
package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Principal is who a request comes from.
type Principal struct {
	Name string // "key-" and 8 hex digits of the key's hash, or "anybody"
}

type contextKey struct{}

// From is the principal of a request that passed the guard.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(contextKey{}).(Principal)
	return p, ok
}

// Keys is the set of keys that open the door. The zero value lets anybody in.
type Keys struct{ hashes [][sha256.Size]byte }

// hashed marks a key that is given as its SHA-256.
const hashed = "sha256:"

// MinKey is the shortest key taken, in bytes.
const MinKey = 16

// NewKeys takes keys, or sha256:HEX of them. Errors tell the position of a key,
// never the key.
func NewKeys(keys []string) (Keys, error) {
	var k Keys
	for i, key := range keys {
		sum, err := hash(key)
		if err != nil {
			return Keys{}, fmt.Errorf("--api-key (PARLEY_API_KEYS): key %d: %w", i+1, err)
		}
		k.hashes = append(k.hashes, sum)
	}
	return k, nil
}

func hash(key string) (sum [sha256.Size]byte, err error) {
	if digits, ok := strings.CutPrefix(key, hashed); ok {
		raw, err := hex.DecodeString(digits)
		if err != nil || len(raw) != len(sum) {
			return sum, fmt.Errorf("sha256: wants %d hex digits", 2*len(sum))
		}
		return [sha256.Size]byte(raw), nil
	}
	if len(key) < MinKey {
		return sum, fmt.Errorf("shorter than %d characters", MinKey)
	}
	return sha256.Sum256([]byte(key)), nil
}

// Open says whether anybody is let in.
func (k Keys) Open() bool { return len(k.hashes) == 0 }

// Errors of a request without a good key.
var (
	errMissing = errors.New("send the header Authorization: Bearer KEY")
	errWrong   = errors.New("the key is not known here")
)

// Check finds the principal of a request.
func (k Keys) Check(r *http.Request) (Principal, error) {
	if k.Open() {
		return Principal{Name: "anybody"}, nil
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return Principal{}, errMissing
	}
	sum, found := sha256.Sum256([]byte(key)), 0
	for i := range k.hashes { // all of them, so that time tells nothing
		found |= subtle.ConstantTimeCompare(sum[:], k.hashes[i][:])
	}
	if found == 0 {
		return Principal{}, errWrong
	}
	return Principal{Name: "key-" + hex.EncodeToString(sum[:4])}, nil
}

// Guard lets requests with a good key through to next and hands the others to refuse.
func (k Keys) Guard(next http.Handler, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := k.Check(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="parley"`)
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, p)))
	})
}
