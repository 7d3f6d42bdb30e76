package aws

import (
	"strings"
	"testing"
	"time"
)

func TestParseQueue(t *testing.T) {
	got, err := ParseQueue("awssqs://sqs.eu-central-1.amazonaws.com/123456789012/texts?visibility=90s&profile=work&raw=true")
	want := Address{
		Queue: "https://sqs.eu-central-1.amazonaws.com/123456789012/texts", Account: "123456789012", QueueName: "texts",
		Region: "eu-central-1", Profile: "work", Visibility: 90 * time.Second, Raw: true,
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = ParseQueue("awssqs://queues.example:8443/123456789012/texts?region=eu-west-3")
	if err != nil || got.Region != "eu-west-3" || got.Queue != "https://queues.example:8443/123456789012/texts" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseTopic(t *testing.T) {
	got, err := ParseTopic("awssns:///arn:aws-cn:sns:cn-north-1:123456789012:updates?profile=work")
	want := Address{TopicARN: "arn:aws-cn:sns:cn-north-1:123456789012:updates", Region: "cn-north-1", Profile: "work"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	const queue, topic = "awssqs://sqs.eu-central-1.amazonaws.com/123456789012/texts", "awssns:///arn:aws:sns:eu-central-1:123456789012:texts"
	for url, want := range map[string]string{
		"awssqs://": "want awssqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE",
		"awssqs://key:hunter2@sqs.eu-central-1.amazonaws.com/123456789012/texts": "want awssqs://",
		"awssqs://sqs.eu-central-1.amazonaws.com/1/texts":                        "the account's 12 digits",
		queue + ".fifo":                          ".fifo are not supported",
		queue + "/more":                          "want awssqs://",
		queue + "?secret=hunter2":                "parameter secret in broker URL: unknown; known are endpoint, profile, raw, region, visibility",
		queue + "?visibility=hunter2":            "want a duration from 1s to 12h",
		queue + "?endpoint=127.0.0.1:1":          "want http://HOST:PORT",
		queue + "?endpoint=http://k:hunter2@h":   "want http://HOST:PORT",
		queue + "?raw=1":                         "want true or false",
		"awssns://arn:aws:sns:x":                 "want awssns:///arn:aws:sns:REGION:ACCOUNT:TOPIC",
		"awssns:///arn:aws:sqs:r:123456789012:t": "want awssns:///arn:aws:sns:",
		topic + ".fifo":                          ".fifo are not supported",
		topic + "?raw=true":                      "parameter raw in broker URL: unknown; known are endpoint, profile, region",
	} {
		parse := ParseQueue
		if strings.HasPrefix(url, "awssns") {
			parse = ParseTopic
		}
		if _, err := parse(url); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got the error %v, want %q in it", url, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("awssqs://sqs.eu-central-1.amazonaws.com/123456789012/texts?visibility=90s")
	f.Add("awssns:///arn:aws:sns:eu-central-1:123456789012:texts")
	f.Fuzz(func(t *testing.T, url string) {
		if a, err := ParseQueue(url); err == nil && (a.QueueName == "" || a.Account == "" || strings.ContainsAny(a.Queue, "@?# ")) {
			t.Errorf("%q reads as %+v", url, a)
		}
		if a, err := ParseTopic(url); err == nil && !topicARN.MatchString(a.TopicARN) {
			t.Errorf("%q reads as %+v", url, a)
		}
	})
}
