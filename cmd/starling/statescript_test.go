package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"starling/store"
)

// putAside adds a dead letter with the body of a file to a state.
func putAside(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: putaside DIR MESSAGE REASON FILE [ATTRIBUTE=VALUE...]")
	}
	letter := store.DeadLetter{
		MessageID: args[1], Reason: args[2], Body: []byte(ts.ReadFile(args[3])), Attributes: map[string]string{},
		Time: time.Date(2026, 5, 17, 12, 30, 0, 0, time.UTC),
	}
	for _, attribute := range args[4:] {
		name, value, _ := strings.Cut(attribute, "=")
		letter.Attributes[name] = value
	}
	letter.DocumentID = letter.Attributes["id"]
	ctx := context.Background()
	st, err := store.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(st.Commit(ctx, store.Batch{DeadLetters: []store.DeadLetter{letter}}))
	ts.Check(st.Close())
}

// manyTexts makes a CSV file of n different texts with ids.
func manyTexts(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "manytexts FILE N")
	var b strings.Builder
	b.WriteString("id,text\n")
	words := []string{"parcel", "train", "exam", "beach", "garden", "concert", "dentist", "recipe"}
	for i := range number(ts, args[1]) {
		fmt.Fprintf(&b, "t%d,the %s number %d was late again\n", i, words[i%len(words)], i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// alterState runs a statement on the file of a state.
func alterState(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "alterstate FILE STATEMENT")
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(err)
	ts.Check(db.Close())
}
