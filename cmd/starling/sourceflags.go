package main

import (
	"context"

	"starling/broker"
)

// decodingFlags say how messages become documents.
type decodingFlags struct {
	Format    string   `help:"How messages are read: text, the body is the text; json, an object with fields; auto, json where it is an object. By default as the source says, and text for brokers." enum:"text,json,auto," default:"" env:"STARLING_MESSAGE_FORMAT" placeholder:"text|json|auto"`
	TextField string   `help:"Field of an object that holds the text, such as user.posts.0.body; by default text." placeholder:"PATH"`
	IDField   string   `help:"Field that holds the id; by default id, and - for none. A state counts each id once, so keep it the same." placeholder:"PATH"`
	TimeField string   `help:"Field that holds the time, in RFC 3339, or seconds or milliseconds since 1970; by default time, and - for none." placeholder:"PATH"`
	KeepField []string `help:"Fields that become attributes of the document." placeholder:"PATH"`
}

// decoder returns what makes documents of messages.
func (f decodingFlags) decoder() (*broker.Decoder, error) {
	return broker.NewDecoder(broker.Decoding{
		Format: broker.Format(f.Format), TextField: f.TextField, IDField: f.IDField, TimeField: f.TimeField, KeepFields: f.KeepField,
	})
}

// sourceFlags say how a source is read.
type sourceFlags struct {
	decodingFlags
	TokenFile string `help:"File with the token that who posts documents over HTTP, or looks at the page of --web, must send; needed to listen at more than this machine." placeholder:"FILE" type:"path"`
}

func (f sourceFlags) openSource(ctx context.Context, url string) (*broker.Source, error) {
	return broker.OpenSource(ctx, url, f.sourceOptions())
}

func (f sourceFlags) sourceOptions() broker.SourceOptions {
	return broker.SourceOptions{TokenFile: f.TokenFile}
}

// topicFlags say how topics are published to.
type topicFlags struct {
	ToHeaderFile string `help:"File with header fields for a webhook, Name: value a line, such as a secret." placeholder:"FILE" type:"path"`
}

func (f topicFlags) topicOptions() broker.TopicOptions {
	return broker.TopicOptions{HeaderFile: f.ToHeaderFile}
}
