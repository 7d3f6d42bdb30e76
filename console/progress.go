package console

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// IsTerminal says whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Progress shows how far long work has come: a bar on a terminal, nothing
// elsewhere. It is safe for use by several goroutines.
type Progress struct{ bar *progressbar.ProgressBar }

// NewProgress starts a bar on w for work of total steps; total 0 or less means
// that nobody knows.
func NewProgress(w io.Writer, title string, total int64) *Progress {
	if !IsTerminal(w) {
		return &Progress{}
	}
	if total <= 0 {
		total = -1
	}
	return &Progress{bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)}
}

// Set says how many steps are done.
func (p *Progress) Set(done int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	}
}

// Print writes a line above the bar.
func (p *Progress) Print(w io.Writer, line string) error {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	_, err := io.WriteString(w, line+"\n")
	if p.bar != nil {
		_ = p.bar.RenderBlank()
	}
	return err
}

// Done removes the bar.
func (p *Progress) Done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
