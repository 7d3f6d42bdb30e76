package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// post posts the content of a file, checks the status of the answer and writes its
// body to the file "answer".
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || len(args) > 5 {
		ts.Fatalf("usage: post STATUS URL CONTENT-TYPE FILE [TOKEN]")
	}
	r, err := http.NewRequest(http.MethodPost, args[1], bytes.NewReader([]byte(ts.ReadFile(args[3]))))
	ts.Check(err)
	r.Header.Set("Content-Type", args[2])
	ask(ts, r, args[0], args[4:])
}

// get asks for something in the same way.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get STATUS URL [TOKEN]")
	}
	r, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	ask(ts, r, args[0], args[2:])
}

// waitReady waits until the run whose page is at a port is ready.
func waitReady(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "waitready PORT")
	await(ts, "a page at port "+args[0], func() bool {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		answer, err := client.Get("http://127.0.0.1:" + args[0] + "/readyz")
		if err != nil {
			return false
		}
		ts.Check(answer.Body.Close())
		return answer.StatusCode == http.StatusOK
	})
}

// ask sends a request, with a token if there is one, and checks the answer's status.
func ask(ts *testscript.TestScript, r *http.Request, status string, token []string) {
	if len(token) > 0 {
		r.Header.Set("Authorization", "Bearer "+token[0])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o600))
	if strconv.Itoa(answer.StatusCode) != status {
		ts.Fatalf("the answer is %s: %s", answer.Status, body)
	}
}
