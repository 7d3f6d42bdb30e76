// Package params reads the parameters of a broker's URL:
//
//	given, err := params.Read(u.RawQuery, func(key, value string) (err error) {
//		switch key {
//		case "ack_wait":
//			a.AckWait, err = params.Duration(value, time.Second, time.Hour)
//			return err
//		}
//		return params.Unknown("ack_wait")
//	})
//
// No error repeats a value: it may be a password in the wrong place.
package params

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrMalformed is a query that is none.
var ErrMalformed = errors.New("malformed parameters in broker URL: want ?NAME=VALUE&NAME=VALUE, " +
	"with special characters written as %XX")

// Read calls set with each parameter of a query, in the order of their names, and
// returns which there were. A parameter that is given twice is an error, and one
// that set refuses, whose error then names it.
func Read(query string, set func(key, value string) error) (given map[string]bool, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, ErrMalformed
	}
	given = make(map[string]bool, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all := values[key]
		if len(all) != 1 {
			return nil, fmt.Errorf("parameter %.40s in broker URL: given %d times", key, len(all))
		}
		if err := set(key, all[0]); err != nil {
			return nil, fmt.Errorf("parameter %.40s in broker URL: %w", key, err)
		}
		given[key] = true
	}
	return given, nil
}

// Unknown is what set returns for a parameter that it does not know.
func Unknown(known ...string) error {
	return errors.New("unknown; known are " + strings.Join(known, ", "))
}

// Duration reads a duration such as 45s.
func Duration(value string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < least || d > most {
		return 0, fmt.Errorf("want a duration from %s to %s, such as 45s or 1h", short(least), short(most))
	}
	return d, nil
}

// short writes a duration without the parts that are zero.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Integer reads a whole number.
func Integer(value string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("want a whole number from %d to %d", least, most)
	}
	return n, nil
}

// Bool reads true or false.
func Bool(value string) (bool, error) {
	if value != "true" && value != "false" {
		return false, errors.New("want true or false")
	}
	return value == "true", nil
}
