package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"starling/broker/httpsource"
)

// policy lets the page load what this server sends and nothing else. No script and
// no style is inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard checks a request before anything else sees it.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !s.hostAllowed(r.Host):
			problem(w, http.StatusMisdirectedRequest, "host", "This server is not asked for by that name. Use its address, or name the host with --web-host.")
		case !sameOrigin(r):
			problem(w, http.StatusForbidden, "origin", "Requests from other sites are refused.")
		case isPrivate(r.URL.Path) && !s.mayRead(r):
			h.Set("WWW-Authenticate", "Bearer")
			problem(w, http.StatusUnauthorized, "token", "Show the token of --token-file as \"Authorization: Bearer TOKEN\".")
		default:
			if r.URL.Path != httpsource.Path || s.Documents == nil { // which has bounds of its own
				r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
			}
			next.ServeHTTP(w, r)
		}
	})
}

// hostAllowed says whether a Host header names this server: a page elsewhere can make
// its own name lead to this machine, but not the browser send another one (DNS
// rebinding). With a token, which such a page does not have, addresses are allowed too.
func (s *Server) hostAllowed(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	ip := net.ParseIP(name)
	switch {
	case name == "localhost", ip != nil && ip.IsLoopback(), slices.Contains(s.Hosts, name):
		return true
	}
	return s.Token != "" && ip != nil
}

// sameOrigin says whether a request comes from this server's page, or from no page.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		navigates := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Method == http.MethodGet
		return navigates && !isPrivate(r.URL.Path)
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// isPrivate says whether a path needs the token where there is one: all data do.
func isPrivate(path string) bool {
	return (strings.HasPrefix(path, "/api/") || path == "/metrics") && path != "/api/session"
}

// sessionCookie says that the browser showed the token.
const sessionCookie = "starling-session"

func (s *Server) mayRead(r *http.Request) bool {
	if s.Token == "" {
		return true
	}
	if shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(shown, s.Token)
	}
	cookie, err := r.Cookie(sessionCookie)
	return err == nil && same(cookie.Value, s.session())
}

// session is what the cookie holds: not the token, and for ever the same, so that a
// page outlives a restart.
func (s *Server) session() string {
	mac := hmac.New(sha256.New, []byte(s.Token))
	mac.Write([]byte("starling page"))
	return hex.EncodeToString(mac.Sum(nil))
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// signIn takes the token from the page and gives it a cookie.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	var shown struct {
		Token string `json:"token"`
	}
	if !readJSON(w, r, &shown) {
		return
	}
	if s.Token == "" || !same(shown.Token, s.Token) {
		problem(w, http.StatusUnauthorized, "token", "That is not the token.")
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: s.session(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	w.WriteHeader(http.StatusNoContent)
}
