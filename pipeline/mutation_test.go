package pipeline_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"starling/broker"
)

// mutate damages a message somehow.
func mutate(random *rand.Rand, m broker.OutMessage) broker.OutMessage {
	body := bytes.Clone(m.Body)
	at := random.IntN(len(body))
	switch random.IntN(8) {
	case 0:
		body[at] ^= 1 << random.IntN(8)
	case 1:
		body = body[:at]
	case 2:
		body = bytes.Repeat(body, 1+random.IntN(1000))
	case 3:
		body = append(body[:at], "\x00\x1b[2J\u202e\ufeff"...)
	case 4:
		for i := range body {
			body[i] = byte(random.Uint32())
		}
	case 5:
		body = bytes.Repeat([]byte(" \u200b\n"), at)
	case 6:
		m.Attributes["id"] = strings.Repeat(m.Attributes["id"], 1+random.IntN(800))
	case 7:
		m.Attributes[fmt.Sprint("k", at)] = strings.Repeat("\u00e9", random.IntN(8000))
	}
	m.Body = body
	return m
}

// However messages are damaged, each becomes a document or a dead letter, and the
// good ones between them are documents.
func TestMutatedMessages(t *testing.T) {
	n := 400
	if os.Getenv(soakSetting) != "" {
		n = 20_000 // half of them mutated
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	messages := sampleMessages(t, n)
	for i := range messages {
		if i%2 == 1 {
			messages[i] = mutate(random, messages[i])
		}
	}
	url, dir := startBroker(t).URL("texts"), stateDir(t)
	publish(t, url, messages...)
	got := drain(t, url, dir, nil)
	if got.Documents+got.DeadLetters+got.Duplicates != int64(n) || got.DeadLetters == 0 {
		t.Errorf("of %d messages the run counted %+v", n, got)
	}
	there := make(map[string]bool)
	for _, document := range dumpState(t, dir).documents {
		there[document.ID] = true
	}
	for i := 0; i < n; i += 2 {
		if id := messages[i].Attributes["id"]; !there[id] {
			t.Fatalf("document %s is missing", id)
		}
	}
	t.Logf("%+v", got)
}
