package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"starling/dataset/rows"
)

// fields holds the parts of an item: their names in a file, or their values
// in one row. An empty name is a part that the file does not have.
type fields struct {
	text, label, theme, id, when string
}

// labelNames are names of columns that usually hold labels, in lower case, the
// likeliest first.
var labelNames = []string{"label", "category", "class", "intent", "emotion", "clusterno"}

// choose returns the names among have that the file is to be read by: those
// wanted, which must be there, else the usual ones.
func (f fields) choose(have []string) (fields, error) {
	for _, name := range []string{f.text, f.label, f.id, f.when} {
		if name != "" && !slices.Contains(have, name) {
			return fields{}, fmt.Errorf("no field %q among: %s", name, list(have))
		}
	}
	got := fields{
		text:  guess(f.text, have, rows.TextNames),
		label: guess(f.label, have, labelNames),
		theme: guess("", have, []string{"theme"}),
		id:    guess(f.id, have, []string{"id"}),
		when:  f.when,
	}
	if got.text == "" {
		return fields{}, fmt.Errorf("no field is named as texts usually are; name the text field, one of: %s", list(have))
	}
	return got, nil
}

func guess(want string, have, usual []string) string {
	if want != "" {
		return want
	}
	for _, name := range usual {
		for _, h := range have {
			if strings.ToLower(h) == name {
				return h
			}
		}
	}
	return ""
}

// item makes an item of the values of a row.
func (f fields) item() (Item, error) {
	when, err := parseTime(f.when)
	if err != nil {
		return Item{}, &rows.Error{Err: err}
	}
	return Item{ID: f.id, Text: f.text, Label: f.label, Theme: f.theme, Time: when}, nil
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is neither an RFC 3339 time nor Unix seconds", s)
	}
	return t.UTC(), nil
}
