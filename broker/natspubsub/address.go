package natspubsub

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"starling/broker/internal/params"
)

// An Address is what a nats:// or tls:// URL says.
type Address struct {
	// Server is HOST:PORT. The port is 4222 where the URL has none.
	Server string
	// TLS is set by the scheme tls. The server's certificate must be signed by
	// an authority that the system trusts (SSL_CERT_FILE adds one).
	TLS bool
	// Stream is the name of the stream and of its subject.
	Stream string
	// Consumer is the durable consumer's name; "starling" by default.
	Consumer string
	// AckWait is how long the server waits for an acknowledgement or a renewal
	// before it delivers a message again; 30 s by default, at least 1 s.
	AckWait time.Duration
	// MaxAckPending is how many messages may be delivered and not acknowledged;
	// 8,192 by default, 64 to 65,536.
	MaxAckPending int
	// MaxBytes is the size at which a stream that is made refuses more; 8 GiB
	// by default.
	MaxBytes int64
	// MaxAge is how long a stream that is made keeps a message; 7 days by
	// default.
	MaxAge time.Duration

	// set names the parameters that the URL itself gave.
	set map[string]bool
	// user holds the credentials, which no message may show.
	user *url.Userinfo
}

const (
	defaultPort          = "4222"
	defaultConsumer      = "starling"
	defaultAckWait       = 30 * time.Second
	defaultMaxAckPending = 8192
	defaultMaxBytes      = 8 << 30
	defaultMaxAge        = 7 * 24 * time.Hour
	maxDuration          = 100 * 365 * 24 * time.Hour
)

// name is what JetStream allows as the name of a stream, of a consumer and as
// one token of a subject at once.
var name = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// errMalformed repeats nothing of the URL: a piece of a password that holds an
// unescaped character ends up anywhere.
var errMalformed = errors.New("malformed broker URL: want nats://HOST:PORT/NAME, " +
	"with special characters in user and password written as %XX")

var errName = errors.New("want 1 to 128 letters, digits, '_' or '-'")

// ParseURL reads a URL with the scheme nats or tls. User and password, or a
// token in the place of the user, may stand before the host. No error repeats
// them.
func ParseURL(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Fragment != "" || u.Opaque != "" || strings.Contains(u.Path+u.RawQuery, "@") {
		return Address{}, errMalformed
	}
	a := Address{
		TLS: u.Scheme == "tls", Stream: strings.TrimPrefix(u.Path, "/"), Consumer: defaultConsumer,
		AckWait: defaultAckWait, MaxAckPending: defaultMaxAckPending,
		MaxBytes: defaultMaxBytes, MaxAge: defaultMaxAge, user: u.User,
	}
	if u.Scheme != "nats" && u.Scheme != "tls" {
		return Address{}, errMalformed
	}
	if a.Server, err = hostPort(u); err != nil {
		return Address{}, err
	}
	if !name.MatchString(a.Stream) {
		return Address{}, fmt.Errorf("stream name %q in broker URL: %w", a.Stream, errName)
	}
	a.set, err = params.Read(u.RawQuery, a.parameter)
	return a, err
}

// DefaultConsumer sets the consumer's name where the URL did not.
func (a *Address) DefaultConsumer(consumer string) error {
	if a.set["consumer"] {
		return nil
	}
	if err := a.parameter("consumer", consumer); err != nil {
		return fmt.Errorf("consumer name %q: %w", consumer, err)
	}
	return nil
}

// hostPort returns where the server is, with the port that a URL may leave out.
func hostPort(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || u.Hostname() == "" {
		return "", errMalformed
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

func (a *Address) parameter(key, value string) (err error) {
	switch key {
	case "consumer":
		if a.Consumer = value; !name.MatchString(value) {
			return errName
		}
		return nil
	case "ack_wait":
		a.AckWait, err = params.Duration(value, time.Second, maxDuration)
	case "max_age":
		a.MaxAge, err = params.Duration(value, time.Minute, maxDuration)
	case "max_ack_pending":
		var n int64
		n, err = params.Integer(value, 64, 65536)
		a.MaxAckPending = int(n)
	case "max_bytes":
		a.MaxBytes, err = params.Integer(value, 1<<20, 1<<50)
	default:
		return params.Unknown("ack_wait", "consumer", "max_ack_pending", "max_age", "max_bytes")
	}
	return err
}
