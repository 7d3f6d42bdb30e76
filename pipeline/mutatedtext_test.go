package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"starling/broker"
	"starling/broker/httpsource"
	"starling/pipeline"
)

// mutations is how many pieces a test damages.
func mutations() int {
	if os.Getenv(soakSetting) != "" {
		return 10_000
	}
	return 400
}

func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// damage changes some bytes, cuts off, repeats or puts in what belongs nowhere, but
// no line ends.
func damage(random *rand.Rand, line []byte) []byte {
	line = bytes.Clone(line)
	at := random.IntN(len(line))
	switch random.IntN(6) {
	case 0:
		line[at] ^= 1 << random.IntN(8)
	case 1:
		line = line[:at]
	case 2:
		line = bytes.Repeat(line, 1+random.IntN(100))
	case 3:
		line = append(line[:at:at], append([]byte("\x00\x1b[2J\u202e\ufeff\"}{][,:"), line[at:]...)...)
	case 4:
		for i := range line {
			line[i] = byte(random.Uint32())
		}
	case 5:
		line = append(bytes.Repeat([]byte(`{"text":[`), 1+random.IntN(2000)), line...)
	}
	return bytes.ReplaceAll(line, []byte("\n"), []byte(" "))
}

func lineOf(t *testing.T, m broker.OutMessage) []byte {
	t.Helper()
	line, err := json.Marshal(map[string]string{"id": m.Attributes["id"], "text": string(m.Body)})
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// checkWhole checks that the state has the documents whose ids are given.
func checkWhole(t *testing.T, dir string, ids []string) {
	t.Helper()
	there := make(map[string]bool)
	for _, document := range dumpState(t, dir).documents {
		there[document.ID] = true
	}
	for _, id := range ids {
		if !there[id] {
			t.Fatalf("document %s is missing", id)
		}
	}
}

// However lines of a file are damaged, each becomes a document or a dead letter, and
// the good ones between them are documents.
func TestMutatedLines(t *testing.T) {
	random, messages := seeded(t), sampleMessages(t, 2*mutations())
	var file bytes.Buffer
	var good []string
	blank := 0
	for i, m := range messages {
		line := lineOf(t, m)
		if i%2 == 0 {
			good = append(good, m.Attributes["id"])
		} else if line = damage(random, line); len(bytes.TrimSpace(line)) == 0 {
			blank++
		}
		file.Write(append(line, '\n'))
	}
	path := filepath.Join(t.TempDir(), "texts.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := stateDir(t)
	got := drain(t, "file:"+path, dir, nil)
	if got.Documents+got.DeadLetters+got.Duplicates != int64(len(messages)-blank) || got.DeadLetters == 0 {
		t.Errorf("of %d lines, %d of them blank, the run counted %+v", len(messages), blank, got)
	}
	checkWhole(t, dir, good)
	t.Logf("%+v", got)
}

// However bodies of requests are damaged, each gets an answer, and what was answered
// with 200 is in the state or among the dead letters.
func TestMutatedBodies(t *testing.T) {
	random, messages := seeded(t), sampleMessages(t, 2*mutations())
	posts := httpsource.NewHandler()
	source := broker.NewSource(posts)
	dir := stateDir(t)
	st := openState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := pipeline.New(pipeline.Settings{Source: source, Model: builtin(t), Store: st, State: state}).Run(ctx)
		ended <- err
	}()
	c := &poster{t: t, handler: posts}
	types := []string{"", "application/json", "application/x-ndjson", "text/plain"}
	for i := 0; i < len(messages); i += 2 {
		c.post(lineOf(t, messages[i]), "application/json", true)
		c.post(damage(random, lineOf(t, messages[i+1])), types[random.IntN(len(types))], false)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	checkWhole(t, dir, c.clustered)
	t.Logf("%d documents, answers by status: %v", len(c.clustered), c.statuses)
}

// A poster posts bodies to a handler.
type poster struct {
	t         *testing.T
	handler   http.Handler
	keys      int
	clustered []string // ids
	statuses  map[int]int
}

// post posts a body, which must be taken if it is good.
func (c *poster) post(body []byte, contentType string, good bool) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, httpsource.Path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	c.keys++
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Idempotency-Key", fmt.Sprint("post ", c.keys))
	answer := httptest.NewRecorder()
	c.handler.ServeHTTP(answer, request)
	if c.statuses == nil {
		c.statuses = map[int]int{}
	}
	c.statuses[answer.Code]++
	if answer.Code >= 500 || good && answer.Code != http.StatusOK {
		c.t.Fatalf("%.100q was answered with %d, %s", body, answer.Code, answer.Body)
	}
	var parsed struct {
		Documents []struct{ ID, Status, Reason string }
		Error     string
	}
	if err := json.NewDecoder(answer.Body).Decode(&parsed); err != nil {
		c.t.Fatalf("%.100q: the answer is not JSON: %v", body, err)
	}
	if answer.Code != http.StatusOK && parsed.Error == "" {
		c.t.Fatalf("%.100q: the answer %d does not say why", body, answer.Code)
	}
	for _, d := range parsed.Documents {
		if d.Status == "clustered" {
			c.clustered = append(c.clustered, d.ID)
		} else if d.Reason == "" && d.Status != "known" {
			c.t.Fatalf("%.100q: of %q it says %q without a reason", body, d.ID, d.Status)
		}
	}
}
