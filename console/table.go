package console

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"starling/cluster"
)

// defaultWidth is the width of lines where the output is no terminal.
const defaultWidth = 120

// Width returns how many columns a line written to w may have.
func Width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return max(60, width)
		}
	}
	return defaultWidth
}

// Table prints clusters, one a line: id, size, name or else top terms,
// representative text.
func Table(w io.Writer, clusters []cluster.Summary) error {
	const gap = "  "
	width := Width(w)
	idWidth, sizeWidth := len("id"), len("size")
	for _, c := range clusters {
		idWidth = max(idWidth, len(c.ID.String()))
		sizeWidth = max(sizeWidth, len(strconv.FormatInt(c.Size, 10)))
	}
	rest := width - idWidth - sizeWidth - 3*len(gap)
	termsWidth := min(40, rest*2/5)
	textWidth := rest - termsWidth

	var b strings.Builder
	fmt.Fprintf(&b, "%*s%s%*s%s%s%s%s\n", idWidth, "id", gap, sizeWidth, "size", gap, pad("terms", termsWidth), gap, "text")
	for _, c := range clusters {
		terms := Clip(cmp.Or(c.Name, strings.Join(c.Terms, ", ")), termsWidth)
		fmt.Fprintf(&b, "%*s%s%*d%s%s%s%s\n", idWidth, c.ID, gap, sizeWidth, c.Size, gap, pad(terms, termsWidth), gap, Clip(c.Text, textWidth))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
