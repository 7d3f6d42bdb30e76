package hfhub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"

	"starling/backoff"
)

// errChanged says that the hub has another file now than it had when asked.
var errChanged = errors.New("the file changed on the hub")

// A fetch is the download of one file into path, through path.incomplete.
type fetch struct {
	*session
	address, file, path string
	metadata
	progress func(done int64)
	// resumed says that what is there came in more than one piece.
	resumed bool
	// most is how much was there at best. A server that begins anew each time
	// makes no progress until it gets further.
	most int64
}

func (f *fetch) part() string { return f.path + ".incomplete" }

// run goes on with the part that is there, if any. The file is at path only
// when it is complete, on disk and has the right digest.
func (f *fetch) run(ctx context.Context) error {
	err := f.patiently(ctx, f.try)
	if err == nil {
		err = f.finish()
	}
	if errors.Is(err, errChanged) || errors.Is(err, errDamaged) {
		err = errors.Join(err, os.Remove(f.part()))
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w: make room for %d bytes, or set HF_HOME to a folder on another disk", err, max(f.size, 0))
	}
	if err != nil {
		return fmt.Errorf("downloading %s: %w", f.file, err)
	}
	return nil
}

// finish gives the part its name if it is what the hub promised.
func (f *fetch) finish() error {
	if _, err := verify(f.part(), f.digest); err != nil {
		return err
	}
	return os.Rename(f.part(), f.path)
}

// try downloads what is missing.
func (f *fetch) try(ctx context.Context, alive func()) error {
	part, err := os.OpenFile(f.part(), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return err
	}
	err = f.append(ctx, alive, part)
	return errors.Join(err, part.Close())
}

func (f *fetch) append(ctx context.Context, alive func(), part *os.File) error {
	have, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if f.size >= 0 && have > f.size {
		if have, err = 0, restart(part); err != nil {
			return err
		}
	}
	f.progress(have)
	if have == f.size {
		f.resumed = f.resumed || have > 0
		return nil
	}
	a, err := f.ask(ctx, have)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }()
	if have, err = f.place(a, part, have); err != nil {
		return err
	}
	f.resumed = f.resumed || have > 0
	return f.copy(ctx, alive, part, a.Body, have)
}

// ask requests the file from byte have on.
func (f *fetch) ask(ctx context.Context, have int64) (*answer, error) {
	header := http.Header{}
	if have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	a, err := f.send(ctx, http.MethodGet, f.address, header)
	if err != nil {
		return nil, err
	}
	now := digestOf(a.etag)
	if now == "" {
		// A storage server has etags of its own, which are no such digests.
		now = digestOf(a.Header.Get("ETag"))
	}
	if a.StatusCode < http.StatusMultipleChoices && now != "" && len(now) == len(f.digest) && now != f.digest {
		return nil, errors.Join(errChanged, a.Body.Close())
	}
	return a, nil
}

// place returns how much of the part is good, according to what the answer
// brings, and cuts off the rest.
func (f *fetch) place(a *answer, part *os.File, have int64) (int64, error) {
	switch a.StatusCode {
	case http.StatusPartialContent:
		if have > 0 && rangeStart(a.Header.Get("Content-Range")) == have {
			return have, nil
		}
	case http.StatusOK:
		if have > 0 {
			return 0, restart(part)
		}
		return 0, nil
	case http.StatusRequestedRangeNotSatisfiable:
	default:
		return 0, f.refusal("asking for it", a.Response)
	}
	// The part is of no use to the server: begin anew without a range.
	if err := restart(part); err != nil {
		return 0, err
	}
	return 0, later(fmt.Errorf("the hub answers %s to the range from byte %d", a.Status, have))
}

// restart empties the part.
func restart(part *os.File) error {
	if err := part.Truncate(0); err != nil {
		return err
	}
	_, err := part.Seek(0, io.SeekStart)
	return err
}

// rangeStart returns where a Content-Range field such as "bytes 7-9/10" begins,
// or -1.
func rangeStart(value string) int64 {
	value, ok := strings.CutPrefix(value, "bytes ")
	first, _, dash := strings.Cut(value, "-")
	start, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	if !ok || !dash || err != nil {
		return -1
	}
	return start
}

// copy appends the body to the part, which has the bytes before have.
func (f *fetch) copy(ctx context.Context, alive func(), part *os.File, body io.Reader, have int64) error {
	limit := f.size
	if limit < 0 {
		limit = maxSize(f.file)
	}
	w := &partWriter{file: part, done: have, written: func(done int64) {
		alive()
		f.progress(done)
	}}
	_, err := io.Copy(w, io.LimitReader(body, limit-have+1))
	switch {
	case w.err != nil:
		return w.err
	case w.done > limit:
		return errors.Join(fmt.Errorf("the hub sends more than %d bytes", limit), restart(part))
	case err == nil && w.done < f.size:
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		return part.Sync()
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	further := w.done > max(f.most, have)
	f.most = max(f.most, w.done)
	return &backoff.LaterError{Err: fmt.Errorf("the connection broke after %d bytes: %w", w.done, err), Progress: further}
}

// A partWriter writes to a file and keeps its errors apart from those of what
// is read.
type partWriter struct {
	file    *os.File
	done    int64
	written func(done int64)
	err     error
}

func (w *partWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	w.done += int64(n)
	w.err = err
	w.written(w.done)
	return n, err
}

func later(err error) error { return &backoff.LaterError{Err: err} }
