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
	if len(args) == 5 {
		r.Header.Set("Authorization", "Bearer "+args[4])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o600))
	if strconv.Itoa(answer.StatusCode) != args[0] {
		ts.Fatalf("the answer is %s: %s", answer.Status, body)
	}
}
