package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"

	"starling"
)

// WriteJSON writes a value as one line of JSON that is safe on a terminal:
// control and format characters in strings are escaped, so nothing is lost.
func WriteJSON(w io.Writer, value any) error {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(escapeFormat(plain.Bytes()))
	return err
}

// escapeFormat replaces what encoding/json leaves as it is and a terminal acts
// upon. Such characters stand only inside strings.
func escapeFormat(line []byte) []byte {
	acts := func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }
	if bytes.IndexFunc(line, acts) < 0 {
		return line
	}
	var safe bytes.Buffer
	for _, r := range string(line) {
		switch {
		case !acts(r):
			safe.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&safe, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&safe, `\u%04x`, r)
		}
	}
	return safe.Bytes()
}

// JSON prints one update a line as JSON.
func JSON(w io.Writer) UpdatePrinter { return &jsonLines{out: w} }

type jsonLines struct{ out io.Writer }

func (j *jsonLines) Print(updates []starling.Update) error {
	var lines bytes.Buffer
	for _, update := range updates {
		if err := WriteJSON(&lines, update); err != nil {
			return err
		}
	}
	_, err := lines.WriteTo(j.out)
	return err
}
