// Package broker is where documents come from and where updates go. It opens
// sources and topics by URL, over gocloud.dev/pubsub:
//
//	source, err := broker.OpenSource(ctx, "nats://127.0.0.1:4222/texts", broker.SourceOptions{})
//	message, err := source.Receive(ctx) // then message.Ack()
//	topic, err := broker.OpenTopic(ctx, "nats://127.0.0.1:4222/updates")
//	err = topic.Publish(ctx, []broker.OutMessage{{Body: body, Attributes: attributes}})
//
// # URLs
//
//   - nats://HOST:PORT/NAME and tls://HOST:PORT/NAME: the stream NAME of a NATS
//     JetStream server, made when it is absent; see package natspubsub for the
//     parameters. The URL that package embedded gives a server works too.
//   - kafka://HOST:PORT[,HOST:PORT]/TOPIC: a topic of Apache Kafka, read as a
//     member of a consumer group; see package kafkapubsub for the parameters.
//   - file:PATH, file:///PATH and -, which is standard input, to receive from: JSON
//     lines, CSV, TSV or lines of text; see package filesource.
//   - http://HOST:PORT, to receive from: documents are posted to that address; see
//     package httpsource.
//   - https://HOST/PATH and http://HOST/PATH, to publish to: messages are posted to
//     that address; see package webhook.
//   - mem://NAME: a queue in the memory of this process, with one subscription
//     that all its sources share. It does not keep the order. It is for tests.
//   - gcppubsub://projects/P/topics/T and gcppubsub://projects/P/subscriptions/S:
//     Google Cloud Pub/Sub, or the emulator that PUBSUB_EMULATOR_HOST names; see
//     package gcp for the parameters.
//   - awssqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE: a queue of Amazon SQS, and to
//     publish alone awssns:///arn:aws:sns:REGION:ACCOUNT:TOPIC; see package aws.
//
// Nothing is made by opening, but streams of NATS and, where the URL says how many
// partitions, topics of Kafka; see [CreateSource] and [CreateTopic].
//
// Delivery is at least once: whoever receives a message knows it again by an id
// of its own.
package broker

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"starling/broker/feed"
)

// A Message is one message received. Whoever receives it calls Ack or Nack, from
// any goroutine; the second call of either does nothing.
type Message struct {
	// ID is the broker's own name of the message, such as "texts:42", the
	// sequence in a stream, or "texts/0/42", the offset in a partition of a
	// topic; not the attribute "id". A redelivery has the same.
	ID string
	// Body is the payload. It belongs to the receiver.
	Body []byte
	// Attributes are the message's attributes; nil when it has none.
	Attributes map[string]string
	// Time is when the message was published, in UTC; zero where the broker
	// does not say.
	Time time.Time
	// Attempt counts the deliveries of the message, this one included; 0 where
	// the broker does not say.
	Attempt int
	// Bad says why the message cannot be a document, where the source knows; nil
	// where it does not.
	Bad error
	// Outcome is what became of the message. Who acknowledges it says so here
	// before, for a source that tells the sender, such as one over HTTP.
	Outcome feed.Outcome

	inner  *feed.Message
	source *Source
	settle sync.Once
}

// Ack tells the broker that the message is done. It returns at once; the
// acknowledgement has been sent when [Source.Close] has returned. One that is
// lost with the connection brings the message again.
func (m *Message) Ack() { m.answer(true) }

// Nack asks the broker to deliver the message again, now; nothing where the
// broker cannot.
func (m *Message) Nack() { m.answer(false) }

func (m *Message) answer(ack bool) {
	m.settle.Do(func() {
		m.source.settled(m)
		if ack {
			m.inner.Settle(&m.Outcome)
		} else {
			m.inner.Settle(nil)
		}
	})
}

// An OutMessage is one message to publish.
type OutMessage struct {
	Body       []byte
	Attributes map[string]string
	// JSON says that Body is a JSON object, for a webhook, which has no other form
	// for it.
	JSON bool
}

// A scheme opens the URLs of one kind of broker.
type scheme struct {
	openSource func(ctx context.Context, url string, options SourceOptions) (*Source, error)
	openTopic  func(ctx context.Context, url string) (*Topic, error)
	// openWebhook takes the place of openTopic for a webhook, which has options.
	openWebhook func(ctx context.Context, url string, options TopicOptions) (*Topic, error)
	// checkFeed takes the place of checkSource where it looks at options.
	checkFeed func(ctx context.Context, url string, options SourceOptions) error
	// checkSource and checkTopic look without making anything; nil where opening
	// makes nothing.
	checkSource, checkTopic func(ctx context.Context, url string) error
	// createSource and createTopic make what a URL names; nil where opening does.
	createSource, createTopic func(ctx context.Context, url string) error
}

var schemes = map[string]scheme{
	"awssns":    snsScheme,
	"awssqs":    sqsScheme,
	"http":      {openSource: openHTTPSource, checkFeed: checkHTTPSource, openWebhook: openWebhookTopic},
	"https":     {openWebhook: openWebhookTopic},
	"file":      {openSource: openFileSource, checkFeed: checkFileSource, openTopic: openFileTopic},
	"gcppubsub": gcpScheme,
	"kafka":     kafkaScheme,
	"mem":       {openSource: openMemSource, openTopic: openMemTopic},
	"nats":      natsScheme,
	"tls":       natsScheme,
}

// Schemes returns the URL schemes that can be opened, sorted.
func Schemes() []string {
	names := make([]string, 0, len(schemes))
	for name := range schemes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// find returns what opens url. Its error shows no more of url than the scheme,
// for the rest may hold a password.
func find(url string) (scheme, error) {
	if IsFile(url) {
		return schemes["file"], nil
	}
	name, _, found := strings.Cut(url, "://")
	if s, ok := schemes[name]; ok && found {
		return s, nil
	}
	known := strings.Replace(strings.Join(Schemes(), "://, ")+"://", "file://", "file:PATH", 1)
	if !found || strings.ContainsAny(name, ":@/") {
		return scheme{}, fmt.Errorf("broker URL has no scheme; known are %s", known)
	}
	return scheme{}, fmt.Errorf("broker URL has the unknown scheme %.20q; known are %s", name, known)
}

// secretParameter is one that a webhook may take, or that no broker here does and
// people try.
var secretParameter = regexp.MustCompile(
	`(?i)([?&](?:[a-z_.-]*(?:password|secret|token|access_?key|api_?key|signature)[a-z_.-]*|sig|key))=[^&#]*`)

// Redact returns a broker URL without user, password and token, for people to
// read. It understands malformed URLs, and then rather leaves out too much.
func Redact(url string) string {
	if IsFile(url) { // a path has none of them
		return url
	}
	return secretParameter.ReplaceAllString(redactUser(url), "$1=***")
}

func redactUser(url string) string {
	at := strings.LastIndex(url, "@")
	if at < 0 {
		return url
	}
	prefix := ""
	if name, _, found := strings.Cut(url, "://"); found && slices.Contains(Schemes(), name) {
		prefix = name + "://"
	}
	return prefix + "***" + url[at:]
}
