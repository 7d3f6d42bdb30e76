package natspubsub

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

// CredentialsVariable names the environment variable that holds the path of a
// NATS credentials file, used where the URL carries no user.
const CredentialsVariable = "STARLING_NATS_CREDS"

const (
	connectTimeout = 3 * time.Second
	maxBackOff     = 5 * time.Second
)

// Connect connects to the server of an address, or fails within a few seconds
// with an error that names it. A connection that is lost later is made anew,
// with back-off, for as long as it is not closed; losing and regaining it is
// logged. The caller closes the connection after what it opened on it.
func Connect(a Address, options ...nats.Option) (*nats.Conn, error) {
	credentials, err := a.credentials()
	if err != nil {
		return nil, err
	}
	scheme := "nats://"
	if a.TLS {
		scheme = "tls://"
	}
	options = append(append(a.baseOptions(), credentials...), options...)
	conn, err := nats.Connect(scheme+a.Server, options...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the NATS server at %s: %w%s", a.Server, err, a.hint(err))
	}
	return conn, nil
}

func (a Address) baseOptions() []nats.Option {
	log := slog.With("server", a.Server, "stream", a.Stream)
	return []nats.Option{
		nats.Name("starling"),
		nats.Timeout(connectTimeout),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(backOff),
		// What is written while the connection is away fails at once, and is
		// sent again by whoever wrote it, who knows what the server has stored.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() && err != nil {
				log.Warn("lost the broker, reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("reconnected to the broker") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("the broker reports an error", "error", err)
		}),
	}
}

// backOff doubles from 50 ms to maxBackOff, with jitter.
func backOff(attempts int) time.Duration {
	wait := min(50*time.Millisecond<<min(attempts, 10), maxBackOff)
	return wait/2 + rand.N(wait/2)
}

func (a Address) credentials() ([]nats.Option, error) {
	if a.user != nil {
		password, both := a.user.Password()
		if !both {
			return []nats.Option{nats.Token(a.user.Username())}, nil
		}
		return []nats.Option{nats.UserInfo(a.user.Username(), password)}, nil
	}
	file := os.Getenv(CredentialsVariable)
	if file == "" {
		return nil, nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("opening the credentials file named by %s: %w", CredentialsVariable, err)
	}
	return []nats.Option{nats.UserCredentials(file)}, nil
}

// hint says what to do about a failed connection.
func (a Address) hint(err error) string {
	var pathError *fs.PathError
	var dns *net.DNSError
	var network net.Error
	switch {
	case isAny(err, nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked):
		return "; check the user and password in the URL, or the file named by " + CredentialsVariable
	case isAny(err, nats.ErrSecureConnRequired):
		return "; use tls:// in place of nats://"
	case isAny(err, nats.ErrSecureConnWanted):
		return "; the server offers no TLS, use nats:// in place of tls://"
	case errors.As(err, &pathError), errors.As(err, &dns):
		return ""
	case isAny(err, nats.ErrNoServers, nats.ErrTimeout) || errors.As(err, &network):
		return "; is it running?" + a.startHint()
	}
	return ""
}

// startHint tells how to start the server where that is on this machine.
func (a Address) startHint() string {
	host, _, _ := net.SplitHostPort(a.Server)
	if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
		return ""
	}
	return fmt.Sprintf(" `starling broker --listen %s --data DIR` starts one", a.Server)
}
