package params

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestReadGivesEachParameterOnce(t *testing.T) {
	got := map[string]string{}
	given, err := Read("wait=45s&name=a%20b&empty=", func(key, value string) error {
		got[key] = value
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"wait": "45s", "name": "a b", "empty": ""} {
		if got[key] != want || !given[key] {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if len(got) != 3 || len(given) != 3 {
		t.Errorf("got %q and %v", got, given)
	}
}

// TestErrorsNameTheParameterAndNotItsValue puts a password where a value or a
// malformed query is.
func TestErrorsNameTheParameterAndNotItsValue(t *testing.T) {
	const secret = "hunter2"
	for query, want := range map[string]string{
		"wait=" + secret:            "parameter wait in broker URL: want a duration from 1s to 1h, such as",
		"wait=2h":                   "want a duration from 1s to 1h",
		"n=" + secret:               "parameter n in broker URL: want a whole number from 1 to 9",
		"n=10":                      "want a whole number from 1 to 9",
		"on=" + secret:              "parameter on in broker URL: want true or false",
		"password=" + secret:        "parameter password in broker URL: unknown; known are n, on, wait",
		"n=1&n=" + secret:           "parameter n in broker URL: given 2 times",
		"n=%zz" + secret:            "malformed parameters",
		"a;b=" + secret:             "malformed parameters",
		strings.Repeat("x", 9999):   "parameter " + strings.Repeat("x", 40) + " in",
		"on=true&wait=1s&n=1&on=no": "given 2 times",
	} {
		_, err := Read(query, parse)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%.40q: got the error %v, want %q in it", query, err, want)
		}
	}
}

func parse(key, value string) (err error) {
	switch key {
	case "wait":
		_, err = Duration(value, time.Second, time.Hour)
	case "n":
		_, err = Integer(value, 1, 9)
	case "on":
		_, err = Bool(value)
	default:
		return Unknown("n", "on", "wait")
	}
	return err
}

func TestWhatIsInRangeIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "duration"))
		if got, err := Duration(d.String(), time.Second, time.Hour); got != d || err != nil {
			t.Fatalf("%v reads as %v (%v)", d, got, err)
		}
	})
	if on, err := Bool("true"); !on || err != nil {
		t.Error(on, err)
	}
	if on, err := Bool("false"); on || err != nil {
		t.Error(on, err)
	}
	if n, err := Integer("-7", -9, 9); n != -7 || err != nil {
		t.Error(n, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("wait=45s&n=1&on=true")
	f.Fuzz(func(t *testing.T, query string) {
		given, err := Read(query, func(key, _ string) error {
			if key == "refused" {
				return errors.New("refused")
			}
			return nil
		})
		if err == nil && given["refused"] {
			t.Errorf("%q gave what was refused", query)
		}
	})
}
