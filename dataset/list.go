package dataset

import (
	"strconv"
	"strings"
)

// maxListed bounds the names in an error message.
const maxListed = 30

// list returns names for an error message, quoted if there is anything in
// them that a terminal would not print.
func list[S ~string](names []S) string {
	var b strings.Builder
	for i, name := range names {
		if i == maxListed {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(printable(string(name)))
	}
	return b.String()
}

func printable(s string) string {
	quoted := strconv.Quote(s)
	if len(s) > 0 && quoted == `"`+s+`"` {
		return s
	}
	return quoted
}
