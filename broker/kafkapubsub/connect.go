package kafkapubsub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// The environment variables that say who the client is and whom it trusts.
const (
	// UserVariable names the user, where the URL does not.
	UserVariable = "KAFKA_USER"
	// PasswordVariable holds the user's password.
	PasswordVariable = "KAFKA_PASSWORD"
	// AuthorityVariable holds the path of a PEM file with the certificates of
	// the authorities that brokers may be signed by, in place of the system's.
	AuthorityVariable = "KAFKA_CA_FILE"
)

const (
	dialTimeout    = 3 * time.Second
	connectTimeout = 5 * time.Second
)

// connect makes a client and waits until a broker answers it, or fails within a
// few seconds with an error that names the brokers.
func connect(ctx context.Context, a Address, options ...kgo.Opt) (*kgo.Client, error) {
	client, err := newClient(a, options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errSilent)
	defer cancel()
	if err := timedOut(ctx, client.Ping(ctx)); err != nil {
		client.Close()
		return nil, fmt.Errorf("connecting to the Kafka broker at %s: %w%s", a.servers(), err, a.hint(err))
	}
	return client, nil
}

// errSilent is what a timeout of this package's own means, which is not that the
// caller's context is done.
var errSilent = errors.New("no answer in time")

// timedOut makes errSilent of an error that is due to it.
func timedOut(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

// newClient makes a client, which connects when it is first used and again
// whenever it has to.
func newClient(a Address, options ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{
		kgo.SeedBrokers(a.Brokers...),
		kgo.ClientID("starling"),
		kgo.DialTimeout(dialTimeout),
		kgo.DisableClientMetrics(),
		kgo.WithLogger(logger{slog.With("topic", a.Topic)}),
	}
	if a.TLS {
		config, err := tlsConfig()
		if err != nil {
			return nil, err
		}
		all = append(all, kgo.DialTLSConfig(config))
	}
	if a.SASL != "" {
		mechanism, err := a.mechanism()
		if err != nil {
			return nil, err
		}
		all = append(all, kgo.SASL(mechanism))
	}
	client, err := kgo.NewClient(append(all, options...)...)
	if err != nil {
		return nil, fmt.Errorf("making a client of the Kafka broker at %s: %w", a.servers(), err)
	}
	return client, nil
}

func tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	file := os.Getenv(AuthorityVariable)
	if file == "" {
		return config, nil
	}
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates named by %s: %w", AuthorityVariable, err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("reading the certificates named by %s: %s holds none in PEM", AuthorityVariable, file)
	}
	return config, nil
}

// mechanism is how the client shows who it is.
func (a Address) mechanism() (sasl.Mechanism, error) {
	user, password := a.User, os.Getenv(PasswordVariable)
	if user == "" {
		user = os.Getenv(UserVariable)
	}
	if user == "" || password == "" {
		return nil, fmt.Errorf("sasl=%s in broker URL needs a user, by ?user=NAME or %s, and a password, by %s",
			a.SASL, UserVariable, PasswordVariable)
	}
	switch a.SASL {
	case "plain":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "scram-sha-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case "scram-sha-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	}
	return nil, checkMechanism(a.SASL)
}

func checkMechanism(text string) error {
	switch text {
	case "plain", "scram-sha-256", "scram-sha-512":
		return nil
	}
	return errors.New("want plain, scram-sha-256 or scram-sha-512")
}

// hint says what to do about a failed connection.
func (a Address) hint(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case isAny(err, kerr.SaslAuthenticationFailed, kerr.IllegalSaslState), a.SASL != "" && errors.Is(err, io.EOF):
		return "; check the user, " + PasswordVariable + " and ?sasl="
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "; the broker wants another ?sasl="
	case errors.As(err, &certificate):
		return "; " + AuthorityVariable + " names the authority that signed the broker's certificate"
	case errors.As(err, &record):
		return "; the broker offers no TLS, leave out ?tls=true"
	case errors.As(err, &dns):
		return ""
	case a.TLS:
		return "; is it running, and does it speak TLS there?"
	}
	return "; is it running, and does it want ?tls=true?"
}

// A logger passes on what the client has to complain about.
type logger struct{ *slog.Logger }

// Level implements kgo.Logger.
func (logger) Level() kgo.LogLevel { return kgo.LogLevelWarn }

// Log implements kgo.Logger.
func (l logger) Log(level kgo.LogLevel, message string, keysAndValues ...any) {
	severity := slog.LevelWarn
	if level == kgo.LogLevelError {
		severity = slog.LevelError
	}
	l.Logger.Log(context.Background(), severity, "kafka: "+message, keysAndValues...)
}
