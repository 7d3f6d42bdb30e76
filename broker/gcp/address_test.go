package gcp

import (
	"strings"
	"testing"
	"time"
)

func TestParseSubscription(t *testing.T) {
	got, err := ParseSubscription("gcppubsub://projects/p/subscriptions/s?topic=t&ordered=true&exactly_once=true" +
		"&ack_deadline=1m&dead_letter_topic=projects/q/topics/d&max_attempts=9")
	want := Address{
		Project: "p", Subscription: "projects/p/subscriptions/s", Topic: "projects/p/topics/t", Ordered: true, ExactlyOnce: true,
		AckDeadline: time.Minute, DeadLetterTopic: "projects/q/topics/d", MaxAttempts: 9,
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseTopic(t *testing.T) {
	got, err := ParseTopic("gcppubsub://projects/example.com:p/topics/t?ordering_key=updates&subscription=s")
	want := Address{
		Project: "example.com:p", Topic: "projects/example.com:p/topics/t",
		Subscription: "projects/example.com:p/subscriptions/s", OrderingKey: "updates", MaxAttempts: 5,
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseSaysWhatIsMalformed(t *testing.T) {
	for _, path := range []string{
		"", "texts", "projects/p", "projects//topics/t", "projects/p/topics/", "projects/p/topics/a/b",
		"projects/p/topics/a b", "user:hunter2@projects/p/topics/t", "/projects/p/topics/t",
	} {
		_, err := ParseTopic("gcppubsub://" + path)
		checkError(t, err, "want gcppubsub://projects/PROJECT/topics/TOPIC")
		_, subscriptionErr := ParseSubscription("gcppubsub://" + strings.Replace(path, "topics", "subscriptions", 1))
		checkError(t, subscriptionErr, "want gcppubsub://projects/PROJECT/subscriptions/SUBSCRIPTION")
		if strings.Contains(err.Error()+subscriptionErr.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	_, err := ParseSubscription("gcppubsub://projects/p/topics/t")
	checkError(t, err, "subscriptions/SUBSCRIPTION to receive")
}

func TestParseSaysWhichParameterIsWrong(t *testing.T) {
	for query, want := range map[string]string{
		"x=1":                                  "parameter x in broker URL: unknown; known are ack_deadline, dead_letter_topic,",
		"ordering_key=k":                       "parameter ordering_key in broker URL: unknown",
		"subscription=s":                       "parameter subscription in broker URL: unknown",
		"ack_deadline=1s":                      "want a duration from 10s to 10m",
		"ordered=1":                            "want true or false",
		"topic=a/b":                            "want a name of letters",
		"topic=projects/p/topics/a b":          "want a name of letters",
		"max_attempts=20":                      "dead_letter_topic, which is missing",
		"max_attempts=4&dead_letter=tt":        "unknown",
		"dead_letter_topic=d&max_attempts=101": "want a whole number from 5 to 100",
	} {
		_, err := ParseSubscription("gcppubsub://projects/p/subscriptions/s?" + query)
		checkError(t, err, want)
	}
	_, err := ParseTopic("gcppubsub://projects/p/topics/t?topic=u")
	checkError(t, err, "parameter topic in broker URL: unknown; known are", "ordering_key, subscription")
	_, err = ParseTopic("gcppubsub://projects/p/topics/t?ordering_key=")
	checkError(t, err, "want 1 to 1024 bytes")
}

func FuzzParse(f *testing.F) {
	f.Add("gcppubsub://projects/p/subscriptions/s?topic=t&ordered=true&max_attempts=9&dead_letter_topic=d")
	f.Add("gcppubsub://projects/p/topics/t?ordering_key=k&subscription=s")
	f.Fuzz(func(t *testing.T, url string) {
		if a, err := ParseSubscription(url); err == nil && !subscriptionPath.MatchString(a.Subscription) {
			t.Errorf("%q reads as %+v", url, a)
		}
		if a, err := ParseTopic(url); err == nil && !topicPath.MatchString(a.Topic) {
			t.Errorf("%q reads as %+v", url, a)
		}
	})
}
