package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"starling/broker"
)

// decodingFlags say how messages become documents.
type decodingFlags struct {
	Format    string   `help:"How messages are read: text, the body is the text; json, an object with fields; auto, json where it is an object; of files also csv and tsv. By default as the source says, of files their name and beginning, and text for brokers." enum:"text,json,auto,csv,tsv," default:"" env:"STARLING_MESSAGE_FORMAT" placeholder:"text|json|auto|csv|tsv"`
	TextField string   `help:"Field of an object that holds the text, such as user.posts.0.body; by default text." placeholder:"PATH"`
	IDField   string   `help:"Field that holds the id; by default id, and - for none. A state counts each id once, so keep it the same." placeholder:"PATH"`
	TimeField string   `help:"Field that holds the time, in RFC 3339, or seconds or milliseconds since 1970; by default time, and - for none." placeholder:"PATH"`
	KeepField []string `help:"Fields that become attributes of the document." placeholder:"PATH"`
}

// decoder returns what makes documents of messages.
func (f decodingFlags) decoder() (*broker.Decoder, error) {
	format := broker.Format(f.Format)
	if f.isTable() {
		format = broker.Unsaid // the source makes objects of the rows
	}
	return broker.NewDecoder(broker.Decoding{
		Format: format, TextField: f.TextField, IDField: f.IDField, TimeField: f.TimeField, KeepFields: f.KeepField,
	})
}

func (f decodingFlags) isTable() bool { return f.Format == "csv" || f.Format == "tsv" }

// sourceFlags say how a source is read.
type sourceFlags struct {
	decodingFlags
	Follow    bool   `help:"At the end of the file wait for more, as tail -F does, also when it is rotated."`
	TokenFile string `help:"File with the token that who posts documents over HTTP, or looks at the page of --web, must send; needed to listen at more than this machine." placeholder:"FILE" type:"path"`
}

// positionsName is the file of a state that keeps how far files are read.
const positionsName = "files.json"

// sourceOptions returns how the source of a state is opened.
func (f sourceFlags) sourceOptions(state string) broker.SourceOptions {
	options := broker.SourceOptions{
		TokenFile: f.TokenFile, FileFormat: f.Format, TextField: f.TextField, Follow: f.Follow,
		Positions: filepath.Join(state, positionsName),
	}
	if f.Format == string(broker.Auto) {
		options.FileFormat = string(broker.Text) // each line is looked at when it is decoded
	}
	return options
}

// checkFor refuses what is for files only where url names something else.
func (f sourceFlags) checkFor(url string) error {
	switch {
	case broker.IsFile(url):
		return nil
	case f.Follow:
		return errors.New("--follow: only a file is followed; a broker goes on by itself")
	case f.isTable():
		return fmt.Errorf("--format %s: only a file is read so", f.Format)
	}
	return nil
}

// topicFlags say how topics are published to.
type topicFlags struct {
	ToHeaderFile string `help:"File with header fields for a webhook, Name: value a line, such as a secret." placeholder:"FILE" type:"path"`
}

func (f topicFlags) openTopic(ctx context.Context, url string) (*broker.Topic, error) {
	return broker.OpenTopicWith(ctx, url, f.topicOptions())
}

func (f topicFlags) topicOptions() broker.TopicOptions {
	return broker.TopicOptions{HeaderFile: f.ToHeaderFile}
}
