package awstest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A Line passes connections on to a server until it is cut.
type Line struct {
	t            *testing.T
	server, addr string

	mu       sync.Mutex            // guards what follows
	listener net.Listener          // nil while it is cut
	open     map[net.Conn]struct{} // nil while it is cut

	busy sync.WaitGroup
}

// NewLine makes a way to the server, which ends with the test.
func (s *Server) NewLine(t *testing.T) *Line {
	t.Helper()
	l := &Line{t: t, server: s.addr, addr: "127.0.0.1:0"}
	l.Mend()
	t.Cleanup(l.Cut)
	return l
}

// URL is where the line begins.
func (l *Line) URL() string { return "http://" + l.addr }

// Mend lets connections through again.
func (l *Line) Mend() {
	l.t.Helper()
	listener, err := net.Listen("tcp", l.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.addr = listener.Addr().String()
	l.mu.Lock()
	l.listener, l.open = listener, map[net.Conn]struct{}{}
	l.mu.Unlock()
	l.busy.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.busy.Go(func() { l.pass(conn) })
		}
	})
}

// Cut breaks all connections and refuses new ones. A line that is cut stays cut.
func (l *Line) Cut() {
	if l.breakAll() {
		l.busy.Wait()
	}
}

func (l *Line) breakAll() (wasWhole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener == nil {
		return false
	}
	_ = l.listener.Close()
	for conn := range l.open {
		_ = conn.Close()
	}
	l.listener, l.open = nil, nil
	return true
}

// pass copies both ways until either end closes.
func (l *Line) pass(client net.Conn) {
	defer l.hold(client)()
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer l.hold(server)()
	l.busy.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
}

// hold has Cut close a connection, until the function returned does. While the
// line is cut it closes it at once.
func (l *Line) hold(conn net.Conn) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		_ = conn.Close()
		return func() {}
	}
	open := l.open
	open[conn] = struct{}{}
	return func() {
		_ = conn.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(open, conn)
	}
}
