package aws

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"starling/broker/internal/params"
)

// An Address is what an awssqs:// or awssns:// URL says.
type Address struct {
	// Queue is the URL of an SQS queue; "" for a topic.
	Queue string
	// Account and QueueName are the parts of it.
	Account, QueueName string
	// TopicARN is the name of an SNS topic; "" for a queue.
	TopicARN string
	// Region is what the URL names, or else the queue's host or the topic's name;
	// "" leaves it to AWS_REGION and the shared configuration.
	Region string
	// Profile is the part of the shared configuration to use; "" for AWS_PROFILE.
	Profile string
	// Endpoint is the URL of another server that speaks the protocol, such as
	// http://127.0.0.1:4566; "" for AWS_ENDPOINT_URL or AWS itself.
	Endpoint string
	// Visibility is the lease that [CreateQueue] gives the messages of a queue; 0 for
	// the service's 30 s.
	Visibility time.Duration
	// Raw is set where a body that looks like a notification of SNS is not one.
	Raw bool
}

var (
	queuePath = regexp.MustCompile(`^([A-Za-z0-9.-]+(?::\d{1,5})?)/(\d{12})/([A-Za-z0-9_-]{1,80})$`)
	queueHost = regexp.MustCompile(`^sqs\.([a-z0-9-]+)\.`)
	topicARN  = regexp.MustCompile(`^arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:([A-Za-z0-9_-]{1,256})$`)
)

var (
	errMalformedQueue = errors.New("malformed broker URL: want awssqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, " +
		"with the account's 12 digits; queues whose name ends in .fifo are not supported")
	errMalformedTopic = errors.New("malformed broker URL: want awssns:///arn:aws:sns:REGION:ACCOUNT:TOPIC, " +
		"with the account's 12 digits; topics whose name ends in .fifo are not supported")
)

// ParseQueue reads the URL of a queue.
func ParseQueue(text string) (Address, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(text, "awssqs://"), "?")
	match := queuePath.FindStringSubmatch(path)
	if match == nil {
		return Address{}, errMalformedQueue
	}
	a := Address{Queue: "https://" + path, Account: match[2], QueueName: match[3]}
	if host := queueHost.FindStringSubmatch(match[1]); host != nil {
		a.Region = host[1]
	}
	_, err := params.Read(query, a.parameter)
	return a, err
}

// ParseTopic reads the URL of a topic.
func ParseTopic(text string) (Address, error) {
	arn, query, _ := strings.Cut(strings.TrimPrefix(text, "awssns:///"), "?")
	match := topicARN.FindStringSubmatch(arn)
	if match == nil {
		return Address{}, errMalformedTopic
	}
	a := Address{TopicARN: arn, Region: match[1]}
	_, err := params.Read(query, a.parameter)
	return a, err
}

func (a *Address) parameter(key, value string) (err error) {
	switch {
	case key == "region":
		a.Region = value
	case key == "profile":
		a.Profile = value
	case key == "endpoint":
		a.Endpoint = value
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("want http://HOST:PORT or https://HOST:PORT")
		}
	case key == "visibility" && a.Queue != "":
		a.Visibility, err = params.Duration(value, time.Second, 12*time.Hour)
	case key == "raw" && a.Queue != "":
		a.Raw, err = params.Bool(value)
	case a.Queue != "":
		return params.Unknown("endpoint", "profile", "raw", "region", "visibility")
	default:
		return params.Unknown("endpoint", "profile", "region")
	}
	return err
}
