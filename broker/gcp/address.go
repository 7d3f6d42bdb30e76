package gcp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"starling/broker/internal/params"
)

// An Address is what a gcppubsub:// URL says.
type Address struct {
	// Project is that of the resource which the URL names first.
	Project string
	// Topic is projects/P/topics/T. Of a subscription's URL it is the topic that
	// [Create] makes the subscription of; "" leaves that open.
	Topic string
	// Subscription is projects/P/subscriptions/S. Of a topic's URL it is one that
	// [Create] makes with the topic, so that nothing published is lost; "" for none.
	Subscription string
	// OrderingKey is the key of all that is published to the topic; "" for none.
	OrderingKey string

	// What follows is how Create makes a subscription; one that exists stays as it
	// is.

	// AckDeadline is how long the service waits for a reader that is silent; the
	// service's 10 s by default.
	AckDeadline time.Duration
	// Ordered has messages of one ordering key delivered in their order.
	Ordered bool
	// ExactlyOnce has the service confirm each acknowledgement, and deliver none
	// again that it has confirmed.
	ExactlyOnce bool
	// DeadLetterTopic is projects/P/topics/D, where the service puts what was
	// delivered MaxAttempts times and never acknowledged; "" for nowhere.
	DeadLetterTopic string
	// MaxAttempts is 5 by default, at most 100.
	MaxAttempts int
}

const defaultMaxAttempts = 5

// Names hold nothing that a URL would escape, nor an @, which would mean that
// someone put a password before them.
var (
	topicPath        = regexp.MustCompile(`^projects/([\w.:-]+)/topics/([\w.~+%-]+)$`)
	subscriptionPath = regexp.MustCompile(`^projects/([\w.:-]+)/subscriptions/([\w.~+%-]+)$`)
	bareName         = regexp.MustCompile(`^[\w.~+%-]+$`)
)

const scheme = "gcppubsub://"

var (
	errMalformedTopic        = errors.New("malformed broker URL: want gcppubsub://projects/PROJECT/topics/TOPIC to publish")
	errMalformedSubscription = errors.New("malformed broker URL: " +
		"want gcppubsub://projects/PROJECT/subscriptions/SUBSCRIPTION to receive")
	errName = errors.New("want a name of letters, digits and -_.~+%, or a path such as projects/PROJECT/topics/TOPIC")
)

// ParseTopic reads the URL of a topic, gcppubsub://projects/P/topics/T.
func ParseTopic(url string) (Address, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(url, scheme), "?")
	match := topicPath.FindStringSubmatch(path)
	if match == nil {
		return Address{}, errMalformedTopic
	}
	a := Address{Project: match[1], Topic: path}
	return a, a.read(query)
}

// ParseSubscription reads the URL of a subscription,
// gcppubsub://projects/P/subscriptions/S.
func ParseSubscription(url string) (Address, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(url, scheme), "?")
	match := subscriptionPath.FindStringSubmatch(path)
	if match == nil {
		return Address{}, errMalformedSubscription
	}
	a := Address{Project: match[1], Subscription: path}
	return a, a.read(query)
}

func (a *Address) read(query string) error {
	ofTopic := a.Topic != ""
	_, err := params.Read(query, func(key, value string) error { return a.parameter(ofTopic, key, value) })
	if err == nil && a.DeadLetterTopic == "" && a.MaxAttempts != 0 {
		err = errors.New("parameter max_attempts in broker URL: it says when a message goes to dead_letter_topic, which is missing")
	}
	if a.MaxAttempts == 0 {
		a.MaxAttempts = defaultMaxAttempts
	}
	return err
}

func (a *Address) parameter(ofTopic bool, key, value string) (err error) {
	switch {
	case key == "topic" && !ofTopic:
		a.Topic, err = a.resource("topics", value, topicPath)
	case key == "subscription" && ofTopic:
		a.Subscription, err = a.resource("subscriptions", value, subscriptionPath)
	case key == "ordering_key" && ofTopic:
		if a.OrderingKey = value; value == "" || len(value) > 1024 {
			return errors.New("want 1 to 1024 bytes")
		}
	case key == "ack_deadline":
		a.AckDeadline, err = params.Duration(value, 10*time.Second, 10*time.Minute)
	case key == "ordered":
		a.Ordered, err = params.Bool(value)
	case key == "exactly_once":
		a.ExactlyOnce, err = params.Bool(value)
	case key == "dead_letter_topic":
		a.DeadLetterTopic, err = a.resource("topics", value, topicPath)
	case key == "max_attempts":
		var n int64
		n, err = params.Integer(value, 5, 100)
		a.MaxAttempts = int(n)
	default:
		return a.unknown(ofTopic)
	}
	return err
}

func (*Address) unknown(ofTopic bool) error {
	known := []string{"ack_deadline", "dead_letter_topic", "exactly_once", "max_attempts", "ordered"}
	if ofTopic {
		return params.Unknown(append(known, "ordering_key", "subscription")...)
	}
	return params.Unknown(append(known, "topic")...)
}

// resource completes a name that a parameter gives with the project of the URL.
func (a *Address) resource(kind, value string, path *regexp.Regexp) (string, error) {
	if bareName.MatchString(value) {
		return fmt.Sprintf("projects/%s/%s/%s", a.Project, kind, value), nil
	}
	if path.MatchString(value) {
		return value, nil
	}
	return "", errName
}
