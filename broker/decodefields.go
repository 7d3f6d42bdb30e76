package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// members are the fields of a JSON object.
type members map[string]json.RawMessage

// membersOf returns the fields of a valid object. A key that is there twice is an
// error: parsers do not agree on which one counts.
func membersOf(object json.RawMessage) (members, error) {
	fields := make(members)
	for rest := open(object); rest[0] != '}'; rest = next(rest) {
		key := rest[:length(rest)]
		rest = bytes.TrimLeft(rest[len(key):], jsonSpace+":")
		value := rest[:length(rest)]
		rest = rest[len(value):]
		name, err := unquote(key)
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("the field %.100q is there twice", name)
		}
		fields[name] = value
	}
	return fields, nil
}

// element returns an element of a valid array, or nil where there is none.
func element(array json.RawMessage, index uint64) json.RawMessage {
	for rest := open(array); rest[0] != ']'; rest = next(rest) {
		value := rest[:length(rest)]
		if index == 0 {
			return value
		}
		index--
		rest = rest[len(value):]
	}
	return nil
}

const jsonSpace = " \t\r\n"

// open returns what follows the bracket that a valid object or array begins with,
// and next what follows a value in it, up to the next one.
func open(value json.RawMessage) json.RawMessage { return bytes.TrimLeft(value[1:], jsonSpace) }

func next(rest json.RawMessage) json.RawMessage { return bytes.TrimLeft(rest, jsonSpace+",") }

// length returns the length of the valid value that rest begins with.
func length(rest json.RawMessage) int {
	switch rest[0] {
	case '"':
		return stringLength(rest)
	case '{', '[':
		return nestedLength(rest)
	}
	if end := bytes.IndexAny(rest, jsonSpace+",]}"); end >= 0 {
		return end
	}
	return len(rest)
}

func stringLength(rest json.RawMessage) int {
	for i := 1; ; i++ {
		switch rest[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

func nestedLength(rest json.RawMessage) int {
	for i, depth := 0, 0; ; i++ {
		switch rest[i] {
		case '"':
			i += stringLength(rest[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// unquote returns the value of a valid JSON string.
func unquote(value json.RawMessage) (text string, err error) {
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	err = json.Unmarshal(value, &text)
	return text, err
}

// find returns the value at a path, or nil where there is none. Where keys have
// points in them, the longest one that is there is taken.
func (m members) find(path string) (json.RawMessage, error) {
	if value, ok := m[path]; ok {
		return value, nil
	}
	for end := strings.LastIndexByte(path, '.'); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if value, ok := m[path[:end]]; ok {
			return within(value, path[end+1:])
		}
	}
	return nil, nil
}

// within returns the value at a path in a value.
func within(value json.RawMessage, path string) (json.RawMessage, error) {
	switch value[0] {
	case '{':
		fields, err := membersOf(value)
		if err != nil {
			return nil, err
		}
		return fields.find(path)
	case '[':
		number, rest, deeper := strings.Cut(path, ".")
		index, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return nil, nil
		}
		found := element(value, index)
		if found == nil || !deeper {
			return found, nil
		}
		return within(found, rest)
	}
	return nil, nil
}

// A kind is what a JSON value is, as it is said in a sentence.
type kind string

const (
	aString kind = "a string"
	aNumber kind = "a number"
)

func kindOf(value json.RawMessage) kind {
	switch value[0] {
	case '"':
		return aString
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	}
	return aNumber
}

// isNothing says whether a value is missing, null or empty.
func isNothing(value json.RawMessage) bool {
	return value == nil || string(value) == "null" || string(value) == `""`
}

// millisecondsFrom is the number from which on a time is in milliseconds: in
// seconds it would be of the year 5138.
const millisecondsFrom = 100_000_000_000

// timeOf returns the time that a value says, in UTC.
func timeOf(value json.RawMessage) (time.Time, error) {
	var text string
	var err error
	switch kindOf(value) {
	case aNumber:
		text = string(value)
	case aString:
		if text, err = unquote(value); err != nil {
			return time.Time{}, err
		}
	default:
		return time.Time{}, fmt.Errorf("a time cannot be %s", kindOf(value))
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, fmt.Errorf("%.40q is no time: want RFC 3339, or seconds or milliseconds since 1970", text)
	}
	return t, checkTime(t)
}

func parseTime(text string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), true
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		if whole >= millisecondsFrom || whole <= -millisecondsFrom {
			return time.UnixMilli(whole).UTC(), true
		}
		return time.Unix(whole, 0).UTC(), true
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "0123456789+-.eE") != "" || math.Abs(number) >= math.MaxInt64 {
		return time.Time{}, false
	}
	if math.Abs(number) >= millisecondsFrom {
		number /= 1000
	}
	seconds, fraction := math.Modf(number)
	return time.Unix(int64(seconds), int64(fraction*1e9)).UTC(), true
}
