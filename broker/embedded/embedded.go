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
// synced to the disk that often. [SyncAlways] syncs each message before it is
// acknowledged, which covers that too and costs most of the speed.
package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
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
	// startTimeout bounds the start, the recovery of the streams included.
	startTimeout = time.Minute
	lockFile     = "starling-broker.lock"
)

// A Server is a running broker.
type Server struct {
	nats *server.Server
	lock *flock.Flock
	// host is HOST:PORT as URLs name the server.
	host string
	stop sync.Once
}

// An Option changes how [Start] starts a server.
type Option func(*settings)

type settings struct {
	options server.Options
	remote  bool
	log     *slog.Logger
}

// SyncAlways syncs every message to the disk before it is acknowledged.
func SyncAlways() Option { return func(s *settings) { s.options.SyncAlways = true } }

// AllowRemote permits an address that other machines reach. The server asks
// nobody for a password, so the network must be trusted.
func AllowRemote() Option { return func(s *settings) { s.remote = true } }

// Logger sends the server's warnings and errors to log, and its notices at the
// debug level; the default is [slog.Default].
func Logger(log *slog.Logger) Option { return func(s *settings) { s.log = log } }

// Start starts a server that keeps its files in dir, which it makes when it is
// absent. It listens on the TCP address listen, HOST:PORT, where no host means
// 127.0.0.1 and port 0 any free one; with listen "" only this process can
// connect. The caller ends it with Shutdown.
func Start(dir, listen string, options ...Option) (*Server, error) {
	s := settings{log: slog.Default(), options: server.Options{
		JetStream: true, StoreDir: dir, JetStreamMaxStore: maxStore, JetStreamMaxMemory: maxMemory,
		MaxPayload: maxPayload, NoSigs: true, DontListen: listen == "", ServerName: "starling",
	}}
	for _, option := range options {
		option(&s)
	}
	if err := s.listen(listen); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	started, err := s.start()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded broker in %s: %w", dir, err), lock.Close())
	}
	result := &Server{nats: started, lock: lock, host: hostOf(started, listen)}
	running.Store(result.host, result)
	return result, nil
}

// listen checks the address and writes it into the options.
func (s *settings) listen(address string) error {
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen address %q of the embedded broker: want HOST:PORT, such as 127.0.0.1:4222", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); !s.remote && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen address %q of the embedded broker: it asks for no password and so listens on "+
			"127.0.0.1 only; for other machines run nats-server with accounts", address)
	}
	// The server only logs that it cannot listen, so try before it does.
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listening on %s: another program, perhaps another broker, has this port: %w", address, err)
	}
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	s.options.Host, s.options.Port = host, listener.Addr().(*net.TCPAddr).Port
	return listener.Close()
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

func (s *settings) start() (*server.Server, error) {
	started, err := server.NewServer(&s.options)
	if err != nil {
		return nil, err
	}
	log := &logger{to: s.log, fatal: make(chan string, 1)}
	started.SetLoggerV2(log, false, false, false)
	ready := make(chan bool, 1)
	go func() {
		started.Start()
		ready <- started.ReadyForConnections(startTimeout)
	}()
	select {
	case message := <-log.fatal:
		err = errors.New(message)
	case ok := <-ready:
		if err = nil; !ok {
			err = fmt.Errorf("not ready after %v", startTimeout)
		} else if !started.JetStreamEnabled() {
			err = errors.New("JetStream did not start; the log says why")
		}
	}
	if err != nil {
		started.Shutdown()
		started.WaitForShutdown()
		return nil, err
	}
	return started, nil
}

// unlistened counts the servers without a TCP address, to tell them apart.
var unlistened atomic.Int64

func hostOf(started *server.Server, listen string) string {
	if listen == "" {
		return "embedded-" + strconv.FormatInt(unlistened.Add(1), 10) + ":4222"
	}
	return started.Addr().String()
}

// URL returns the URL of the stream with that name, for package broker. Where
// the server listens nowhere, it means something to this process only.
func (s *Server) URL(name string) string { return "nats://" + s.host + "/" + name }

// Shutdown stops the server and returns when its files are closed. Messages
// that were stored stay. Calling it again does nothing.
func (s *Server) Shutdown() {
	s.stop.Do(func() {
		running.CompareAndDelete(s.host, s)
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		if err := s.lock.Close(); err != nil {
			slog.Warn("unlocking the broker's folder", "error", err)
		}
	})
}

// running holds the servers of this process by their host.
var running sync.Map // string to *Server

// InProcess finds the server of this process that URLs name by HOST:PORT, for
// [nats.InProcessServer]; nil when there is none.
func InProcess(host string) nats.InProcessConnProvider {
	if s, ok := running.Load(host); ok {
		return s.(*Server).nats
	}
	return nil
}

// IsName says whether HOST:PORT is of the kind that [Server.URL] gives a server
// without a TCP address, so that nothing outside this process can have it.
func IsName(host string) bool {
	var number int64
	_, err := fmt.Sscanf(host, "embedded-%d:4222", &number)
	return err == nil
}
