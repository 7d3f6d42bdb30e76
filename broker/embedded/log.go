package embedded

import (
	"fmt"
	"log/slog"
	"strings"
)

// A logger passes the server's log on to slog, without its banner.
type logger struct {
	to *slog.Logger
	// fatal takes the first error that the server cannot live with.
	fatal chan string
}

func (l *logger) Noticef(format string, v ...any) { l.to.Debug(line(format, v)) }
func (l *logger) Warnf(format string, v ...any)   { l.to.Warn(line(format, v)) }
func (l *logger) Errorf(format string, v ...any)  { l.to.Error(line(format, v)) }
func (l *logger) Debugf(format string, v ...any)  { l.to.Debug(line(format, v)) }
func (l *logger) Tracef(string, ...any)           {}

func (l *logger) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

func line(format string, v []any) string {
	return "embedded broker: " + strings.TrimSpace(fmt.Sprintf(format, v...))
}
