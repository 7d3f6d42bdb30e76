// Package natstest runs the nats-server that is installed on this machine, for
// tests that want a broker in a process of its own, such as those that kill it:
//
//	server := natstest.Start(t) // skips the test where none is installed
//	url := server.URL("texts")  // for package broker
//	server.Kill()               // as kill -9 does
//	server.Restart()            // with the same port and the same messages
package natstest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// startTimeout is how long a server may take until JetStream is ready.
const startTimeout = 20 * time.Second

// A Server is a nats-server with JetStream, in a process of its own. Its
// methods fail the test, so they are called from the test's goroutine.
type Server struct {
	// Addr is HOST:PORT on the loopback interface.
	Addr string

	t       testing.TB
	program string
	dir     string
	process *exec.Cmd // nil while it is down
}

// Start starts a server with an empty store on a free port. It ends with the
// test, and its store with it. The test is skipped where the PATH has no
// nats-server; Debian's package is called that.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := exec.LookPath("nats-server")
	if err != nil {
		t.Skip("nats-server is not installed")
	}
	s := &Server{Addr: FreeAddr(t), t: t, program: program, dir: t.TempDir()}
	t.Cleanup(func() {
		if s.process != nil {
			s.Kill()
		}
	})
	s.Restart()
	return s
}

// The ports that FreeAddr gives are below those that the system gives to outgoing
// connections, one of which could have it when a server is to come back. Each of
// some processes that run at the same time takes them from a part of its own.
const (
	firstPort  = 20_000
	portsOfOne = 400
	parts      = 30
)

// given counts the ports that this process was given.
var given atomic.Int64

// FreeAddr returns an address on which nobody listens now, another one each time. It
// does not listen there to find that out: a process that is started at that moment
// would inherit the listener and hold the port for a little longer.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range portsOfOne {
		port := firstPort + os.Getpid()%parts*portsOfOne + int(given.Add(1))%portsOfOne
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return addr
		}
		if err == nil {
			_ = conn.Close() // somebody listens
		}
	}
	t.Fatalf("none of %d ports is free", portsOfOne)
	return ""
}

// URL returns the URL of the stream with that name, for package broker.
func (s *Server) URL(stream string) string { return "nats://" + s.Addr + "/" + stream }

// Dir is where the messages lie; the server's log is the file log in it.
func (s *Server) Dir() string { return s.dir }

// Kill ends the server with SIGKILL, and returns when it is gone.
func (s *Server) Kill() {
	s.t.Helper()
	if err := s.process.Process.Kill(); err != nil {
		s.t.Fatalf("killing nats-server: %v", err)
	}
	_ = s.process.Wait() // says that it was killed
	s.process = nil
}

// Restart starts a server that is down again, on its port and with what it had
// stored, and returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	host, port, _ := net.SplitHostPort(s.Addr)
	process := exec.Command(s.program, "-js", "-sd", s.dir, "-a", host, "-p", port,
		"-l", filepath.Join(s.dir, "log"))
	if err := process.Start(); err != nil {
		s.t.Fatalf("starting nats-server: %v", err)
	}
	s.process = process
	for deadline := time.Now().Add(startTimeout); !s.answers(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("nats-server at %s does not answer after %v", s.Addr, startTimeout)
		}
	}
}

// answers says whether JetStream is ready.
func (s *Server) answers() bool {
	conn, err := nats.Connect(s.Addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		return false
	}
	_, err = js.AccountInfo()
	return err == nil
}
