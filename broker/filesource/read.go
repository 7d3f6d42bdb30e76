package filesource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// read hands out the records of the path, beginning with an opened generation,
// until there are no more, the source is stopped or something fails.
func (s *Source) read(g *generation) {
	defer close(s.records)
	for {
		s.reading = g
		err := s.readGeneration(g)
		switch {
		case errors.Is(err, errStopped):
			return
		case err != nil && !errors.Is(err, io.EOF):
			s.failed = g.explain(err)
			return
		case !s.config.Follow && !g.rotated:
			return
		}
		if g, err = s.succeed(g); err != nil {
			s.failed = err
			return
		}
		if g == nil {
			return
		}
	}
}

// readGeneration hands out the records of one file. The error is io.EOF at its end.
func (s *Source) readGeneration(g *generation) error {
	defer g.free()
	if err := g.begin(); err != nil {
		return err
	}
	s.order.begin(g.beginning())
	for {
		r, err := g.next()
		if err != nil {
			return err
		}
		s.order.add(r)
		select {
		case s.records <- r:
		case <-s.stop:
			return errStopped
		}
	}
}

// succeed opens the file that has taken the place of one, when it is there. It
// returns nil when the source is stopped before.
func (s *Source) succeed(old *generation) (*generation, error) {
	for {
		g, err := open(s.config, position{}, s.stop)
		switch {
		case err == nil:
			g.number = old.number + 1
			return g, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("going on after a rotation: %w", err)
		case !pause(lookEvery, s.stop):
			return nil, nil
		}
	}
}
