package kafkapubsub

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"starling/broker/internal/params"
)

// An Address is what a kafka:// URL says.
type Address struct {
	// Brokers are HOST:PORT each. The port is 9092 where the URL has none.
	Brokers []string
	// Topic is the topic's name.
	Topic string
	// Group is the consumer group; "starling" by default.
	Group string
	// SessionTimeout is how long a reader may be silent before the group takes
	// its partitions away; 10 s by default, at least 1 s.
	SessionTimeout time.Duration
	// Partitions is how many a topic that is absent is made with; 0, the
	// default, for an error instead.
	Partitions int
	// TLS says whether connections are encrypted.
	TLS bool
	// SASL is the mechanism by which the client shows who it is: "plain",
	// "scram-sha-256", "scram-sha-512", or "" for none.
	SASL string
	// User is who that is; KAFKA_USER where it is empty.
	User string

	// set names the parameters that the URL itself gave.
	set map[string]bool
}

const (
	defaultPort           = "9092"
	defaultGroup          = "starling"
	defaultSessionTimeout = 10 * time.Second
	maxBrokers            = 64
	maxPartitions         = 10_000
)

var (
	// name is what Kafka allows as the name of a topic.
	name = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)
	host = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)
)

// errMalformed repeats nothing of the URL: a piece of a password may end up
// anywhere.
var errMalformed = errors.New("malformed broker URL: want kafka://HOST:PORT[,HOST:PORT]/TOPIC, " +
	"without user and password: ?sasl=plain or another mechanism asks for them, " +
	"with the user in ?user= or " + UserVariable + " and the password in " + PasswordVariable)

var errName = errors.New("want 1 to 249 letters, digits, '.', '_' or '-', not '.' or '..'")

// ParseURL reads a URL with the scheme kafka. It refuses one with a user or a
// password, and repeats neither.
func ParseURL(text string) (Address, error) {
	rest, found := strings.CutPrefix(text, "kafka://")
	if !found || strings.ContainsAny(rest, "@#") {
		return Address{}, errMalformed
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, topic, _ := strings.Cut(rest, "/")
	a := Address{Topic: topic, Group: defaultGroup, SessionTimeout: defaultSessionTimeout}
	var err error
	if a.Brokers, err = brokers(hosts); err != nil {
		return Address{}, err
	}
	if err := checkName(topic); err != nil {
		return Address{}, fmt.Errorf("topic name %.40q in broker URL: %w", topic, err)
	}
	a.set, err = params.Read(query, a.parameter)
	return a, err
}

// DefaultGroup sets the consumer group where the URL did not.
func (a *Address) DefaultGroup(group string) error {
	if a.set["group"] {
		return nil
	}
	if err := a.parameter("group", group); err != nil {
		return fmt.Errorf("consumer group %.40q: %w", group, err)
	}
	return nil
}

// servers names the brokers for messages.
func (a Address) servers() string { return strings.Join(a.Brokers, ",") }

func checkName(text string) error {
	if !name.MatchString(text) || text == "." || text == ".." {
		return errName
	}
	return nil
}

// brokers reads HOST:PORT,HOST:PORT with the ports that may be left out.
func brokers(text string) ([]string, error) {
	all := strings.Split(text, ",")
	if len(all) > maxBrokers {
		return nil, fmt.Errorf("broker URL names %d hosts, want at most %d: a few are enough to find the others",
			len(all), maxBrokers)
	}
	for i, one := range all {
		full, ok := hostPort(one)
		if !ok {
			return nil, errMalformed
		}
		all[i] = full
	}
	return all, nil
}

func hostPort(text string) (string, bool) {
	h, port, err := net.SplitHostPort(text)
	if err != nil {
		h, port, err = net.SplitHostPort(text + ":" + defaultPort)
	}
	if err != nil {
		return "", false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	_, notIP := netip.ParseAddr(h)
	if err != nil || n == 0 || notIP != nil && !host.MatchString(h) {
		return "", false
	}
	return net.JoinHostPort(h, port), true
}

func (a *Address) parameter(key, value string) (err error) {
	switch key {
	case "group":
		a.Group = value
		return checkName(value)
	case "session_timeout":
		a.SessionTimeout, err = params.Duration(value, time.Second, 30*time.Minute)
	case "partitions":
		var n int64
		n, err = params.Integer(value, 1, maxPartitions)
		a.Partitions = int(n)
	case "tls":
		a.TLS, err = params.Bool(value)
	case "sasl":
		a.SASL = value
		return checkMechanism(value)
	case "user":
		a.User = value
	case "password":
		return errors.New("a URL is no place for it; set " + PasswordVariable + " in the environment")
	default:
		return params.Unknown("group", "partitions", "sasl", "session_timeout", "tls", "user")
	}
	return err
}
