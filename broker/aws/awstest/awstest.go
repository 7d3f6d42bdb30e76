// Package awstest runs fauxqs, a server that behaves as SQS and SNS do, for
// tests. It is written in JavaScript, and installed by
//
//	npm ci --ignore-scripts --prefix broker/aws/awstest/fauxqs
//
// A test calls Start, after which this process and its children talk to it in
// place of AWS:
//
//	server := awstest.Start(t)
//	url := awstest.QueueURL("texts") // for package broker
//	line := server.NewLine(t)        // another way to it, which can be cut
//	url = awstest.QueueURL("texts") + "?endpoint=" + line.URL()
package awstest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

const startTimeout = 20 * time.Second

// A Server is a running fauxqs.
type Server struct{ addr string }

// Start starts an empty server, which ends with the test. The test is skipped
// where Node.js or fauxqs is not installed.
func Start(t *testing.T) *Server {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "fauxqs")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "fauxqs")); err != nil {
		t.Skip("fauxqs is not installed")
	}
	// Below the ports that the system gives to outgoing connections.
	port := 20_000 + rand.N(12_000)
	command := exec.Command(node, "server.mjs", fmt.Sprint(port))
	command.Dir, command.Stderr = dir, os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	s := &Server{fmt.Sprintf("127.0.0.1:%d", port)}
	url := "http://" + s.addr
	await(t, url)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	return s
}

func await(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url + "/health")
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("fauxqs does not answer after %v: %v", startTimeout, err)
		}
	}
}

// QueueURL returns the URL of a queue of the server, for package broker.
func QueueURL(name string) string { return "awssqs://sqs.us-east-1.amazonaws.com/000000000000/" + name }

// TopicURL returns the URL of a topic of the server, for package broker.
func TopicURL(name string) string { return "awssns:///" + TopicARN(name) }

// TopicARN returns the name of a topic in full.
func TopicARN(name string) string { return "arn:aws:sns:us-east-1:000000000000:" + name }
