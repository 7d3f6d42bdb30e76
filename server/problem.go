package server

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
)

// A fault is the body of an error: problem details as of RFC 9457.
type fault struct {
	// Type names the kind of error, for ever.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// problem answers with an error.
func problem(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(fault{"urn:starling:" + kind, http.StatusText(status), status, detail}) // the client has gone
}

// answer sends JSON.
func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client has gone
}

// readJSON reads the body of a request, and answers where it is not as it should be.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if decoder.More() {
			err = errors.New("more than one value")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		problem(w, http.StatusRequestEntityTooLarge, "too-large", "The body may be 1 MiB long.")
	case err != nil:
		problem(w, http.StatusBadRequest, "bad-request", "The body is not the JSON that is wanted: "+err.Error())
	}
	return err == nil
}

// number reads a parameter that is a whole number of at least 0, and answers where it
// is not.
func number(w http.ResponseWriter, r *http.Request, name string, otherwise, most int64) (int64, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		problem(w, http.StatusBadRequest, "bad-request", "The parameter "+name+" must be a whole number of at least 0.")
		return 0, false
	}
	return min(n, most), true
}

func sqrt(x float64) float64  { return math.Sqrt(x) }
func round(x float64) float64 { return math.Round(x*100) / 100 }
