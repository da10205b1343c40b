package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const key, second = "a-long-enough-key", "another-long-enough-key"

func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hashed + hex.EncodeToString(sum[:])
}

func TestGuard(t *testing.T) {
	keys, err := NewKeys([]string{key, digest(second)})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	guard := keys.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := From(r.Context())
		if !ok || strings.Contains(p.Name, key) {
			t.Errorf("principal %+v, %v", p, ok)
		}
		names[p.Name] = true
	}), func(w http.ResponseWriter, _ *http.Request, err error) {
		if strings.Contains(err.Error(), "wrong-key") {
			t.Errorf("%v shows the key", err)
		}
		http.Error(w, err.Error(), http.StatusUnauthorized)
	})
	for _, c := range []struct {
		header string
		want   int
	}{
		{"Bearer " + key, 200},
		{"bearer " + key, 200},
		{"Bearer  " + second, 200},
		{"", 401},
		{"Bearer", 401},
		{"Bearer ", 401},
		{"Basic " + key, 401},
		{key, 401},
		{"Bearer wrong-key", 401},
		{"Bearer " + key[:len(key)-1], 401},
		{"Bearer " + key + "x", 401},
		{"Bearer " + digest(second), 401},
	} {
		r := httptest.NewRequest("GET", "/v1/stream", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%q gave %d, want %d", c.header, w.Code, c.want)
		}
		if w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q: no WWW-Authenticate", c.header)
		}
	}
	if len(names) != 2 {
		t.Errorf("principals %v, want one for each key", names)
	}
}

func TestNoKeysLetAnybodyIn(t *testing.T) {
	p, err := Keys{}.Check(httptest.NewRequest("GET", "/", nil))
	if err != nil || p.Name != "anybody" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestBadKeysAreNamedByPosition(t *testing.T) {
	for _, bad := range []string{"", "s3cr3t", hashed, hashed + "00", hashed + strings.Repeat("g", 64)} {
		_, err := NewKeys([]string{key, bad})
		if err == nil || !strings.Contains(err.Error(), "key 2") || len(bad) > 0 && strings.Contains(err.Error(), bad) && bad != hashed {
			t.Errorf("%q gave %v", bad, err)
		}
	}
}
