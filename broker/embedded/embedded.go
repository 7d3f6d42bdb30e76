// Package embedded runs a NATS JetStream server inside this process, so that
// Starling needs no broker installed:
//
//	server, err := embedded.Start(dir, "127.0.0.1:4222") // "" listens nowhere
//	defer server.Shutdown()
//	url := server.URL("texts") // for package broker
//
// # Durability
//
// The messages lie in files under dir. A message is acknowledged to its
// publisher when it has been handed to the operating system: from then on it
// survives the death of the process, kill -9 included. It may be lost when the
// whole machine loses power within the next two minutes, because the files are
// synced to the disk that often, or when the disk damages them later.
package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// maxPayload is the size of the largest message, attributes included.
	maxPayload = 8 << 20
	// maxStore is how many bytes the streams may promise to hold together. The
	// disk is the real limit; what does not fit is refused to its publisher.
	maxStore = 1 << 50
	// maxMemory is unused by streams in files; it bounds those someone else
	// makes in memory.
	maxMemory = 64 << 20
	// listenTimeout is how long a server that has recovered its streams may take
	// until it accepts connections.
	listenTimeout = 10 * time.Second
	lockFile      = "starling-broker.lock"
)

// A Server is a running broker.
type Server struct {
	nats *server.Server
	lock *flock.Flock
	// host is HOST:PORT as URLs name the server.
	host string
	stop sync.Once
}

// Start starts a server that keeps its files in dir, which it makes when it is
// absent. It listens on the TCP address listen, HOST:PORT, where no host means
// 127.0.0.1 and port 0 any free one; with listen "" only this process can
// connect. The server asks nobody for a password, so an address that other
// machines reach is refused. Its log goes to [slog.Default]. The caller ends it
// with Shutdown.
func Start(dir, listen string) (*Server, error) {
	options := server.Options{
		JetStream: true, StoreDir: dir, JetStreamMaxStore: maxStore, JetStreamMaxMemory: maxMemory,
		MaxPayload: maxPayload, NoSigs: true, DontListen: listen == "", ServerName: "starling",
	}
	if listen != "" {
		var err error
		if options.Host, options.Port, err = listenOn(listen); err != nil {
			return nil, err
		}
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	started, err := start(&options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded broker in %s: %w", dir, err), lock.Close())
	}
	result := &Server{nats: started, lock: lock}
	if listen != "" {
		result.host = started.Addr().String()
		return result, nil
	}
	result.host = fmt.Sprintf("embedded-%d:4222", unlistened.Add(1))
	running.Store(result.host, result)
	return result, nil
}

// listenOn reads a listen address and checks that it can be listened on, for
// the server says so only in its log.
func listenOn(address string) (host string, port int, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("listen address %q of the embedded broker: want HOST:PORT, such as 127.0.0.1:4222", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("listen address %q of the embedded broker: it asks for no password and so listens on "+
			"127.0.0.1 only; for other machines run nats-server with accounts", address)
	}
	if service == "0" {
		return host, server.RANDOM_PORT, nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, service))
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", 0, fmt.Errorf("listening on %s: another program, perhaps another broker, has this port: %w", address, err)
	}
	if err != nil {
		return "", 0, fmt.Errorf("listening on %s: %w", address, err)
	}
	return host, listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// lockDir makes dir and keeps every other process out of it.
func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the broker's folder %s: %w", dir, err)
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	locked, err := lock.TryLock()
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, fmt.Errorf("writing to the broker's folder %s: %w", dir, err)
	case err != nil:
		return nil, fmt.Errorf("locking the broker's folder %s: %w", dir, err)
	case !locked:
		return nil, fmt.Errorf("locking the broker's folder %s: another broker is using it", dir)
	}
	return lock, nil
}

// start starts a server and waits until it is ready.
func start(options *server.Options) (*server.Server, error) {
	started, err := server.NewServer(options)
	if err != nil {
		return nil, err
	}
	log := &logger{to: slog.Default(), fatal: make(chan string, 1)}
	started.SetLoggerV2(log, false, false, false)
	started.Start() // returns when the streams are recovered
	select {
	case message := <-log.fatal:
		err = errors.New(message)
	default:
		if !started.ReadyForConnections(listenTimeout) {
			err = fmt.Errorf("not ready for connections after %v", listenTimeout)
		}
	}
	if err != nil {
		started.Shutdown()
		started.WaitForShutdown()
		return nil, err
	}
	return started, nil
}

// unlistened counts the servers that listen nowhere, to tell them apart.
var unlistened atomic.Int64

// URL returns the URL of the stream with that name, for package broker. Where
// the server listens nowhere, it means something to this process only.
func (s *Server) URL(name string) string { return "nats://" + s.host + "/" + name }

// Shutdown stops the server and returns when its files are closed. Messages
// that were stored stay. Calling it again does nothing.
func (s *Server) Shutdown() {
	s.stop.Do(func() {
		running.Delete(s.host)
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		if err := s.lock.Close(); err != nil {
			slog.Warn("unlocking the broker's folder", "error", err)
		}
	})
}

// running holds the servers of this process that listen nowhere, by their host.
var running sync.Map // string to *Server

// InProcess returns how to connect to a server of this process that listens
// nowhere, given its HOST:PORT from [Server.URL]; nil when HOST:PORT is an
// address, which something outside this process can have.
func InProcess(host string) nats.InProcessConnProvider {
	var number int64
	if _, err := fmt.Sscanf(host, "embedded-%d:4222", &number); err != nil {
		return nil
	}
	return name(host)
}

// A name stands for the server that has it at the time of connecting.
type name string

// InProcessConn implements nats.InProcessConnProvider.
func (n name) InProcessConn() (net.Conn, error) {
	s, ok := running.Load(string(n))
	if !ok {
		return nil, errors.New("no such embedded broker runs in this process")
	}
	return s.(*Server).nats.InProcessConn()
}
