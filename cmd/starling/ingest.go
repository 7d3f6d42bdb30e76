package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"starling/broker"
	"starling/console"
	"starling/dataset"
)

// datasetFlags say which texts.
type datasetFlags struct {
	Dataset    string   `help:"sample, emotion, a file (JSONL, CSV, TSV, Parquet or plain lines), or - for standard input; by default ${default}." default:"sample" placeholder:"sample|emotion|FILE"`
	Data       string   `help:"Folder with the files of emotion; without it, they are downloaded from the Hugging Face hub once." placeholder:"DIR" type:"path"`
	Split      string   `help:"Split of emotion: train, validation, test or all; by default train, in a demo all." placeholder:"NAME"`
	Classes    []string `help:"Only texts of these classes, or all; by default all, for emotion joy,love,fear except in a demo." placeholder:"CLASS"`
	Limit      int      `help:"At most that many texts; 0 for all." placeholder:"N"`
	TextField  string   `help:"Field that holds the text; guessed from usual names." placeholder:"FIELD"`
	LabelField string   `help:"Field that holds the class." placeholder:"FIELD"`
	IDField    string   `help:"Field that holds the id of a text; without it every text gets a random UUID." placeholder:"FIELD"`
}

// open opens the collection, with a progress bar for what must be downloaded.
func (f datasetFlags) open(ctx context.Context, std streams) (*dataset.Collection, error) {
	var bar *console.Progress
	collection, err := dataset.Open(ctx, dataset.Options{
		Name: f.Dataset, Dir: f.Data, Split: f.Split, Classes: f.Classes, Limit: f.Limit,
		TextField: f.TextField, LabelField: f.LabelField, IDField: f.IDField,
		Stdin: std.in,
		Progress: func(done, total int64) {
			if bar == nil {
				bar = console.NewProgress(std.err, "downloading "+f.Dataset, total)
			}
			bar.Set(done)
		},
	})
	if bar != nil {
		bar.Done()
	}
	return collection, err
}

// collectionTitle names a collection to people.
func collectionTitle(c *dataset.Collection) string {
	if c.Name == "-" {
		return "standard input"
	}
	return console.Safe(c.Name)
}

type ingestCmd struct {
	datasetFlags
	Rate float64 `help:"Texts a second; 0 for as fast as the broker takes them." placeholder:"N"`
	To   string  `required:"" help:"Where to publish: nats://HOST:PORT/NAME, kafka://HOST:PORT/TOPIC, gcppubsub://projects/P/topics/T, awssqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, awssns:///arn:aws:sns:REGION:ACCOUNT:TOPIC, or http://HOST:PORT/api/documents of a starling run." placeholder:"URL"`
	createFlag
	topicFlags
}

// Help says what a message looks like.
func (ingestCmd) Help() string {
	return "Each text becomes one message: the body is the text in UTF-8, the attribute id a random UUID, or with --id-field " +
		"the id that the collection has for it. A document whose id a state has already is counted once, so with ids of " +
		"their own texts may be published again.\n\n" +
		"A topic of Pub/Sub keeps a message for the subscriptions that it has at that moment: to make one with the topic, " +
		"publish to gcppubsub://projects/P/topics/T?subscription=S with --create."
}

// Run publishes a collection.
func (c *ingestCmd) Run(ctx context.Context, std streams) error {
	if err := checkRate(c.Rate); err != nil {
		return err
	}
	collection, err := c.open(ctx, std)
	if err != nil {
		return err
	}
	if err := c.createTopic(ctx, c.To); err != nil {
		return err
	}
	topic, err := broker.OpenTopicWith(ctx, c.To, c.topicOptions())
	if err != nil {
		return err
	}
	defer closing(std.err, "the topic", topic.Close)
	bar := console.NewProgress(std.err, "publishing", collection.Total)
	started := time.Now()
	p := publisher{topic: topic, ownIDs: c.IDField != "", perSecond: c.Rate, progress: bar.Set, warn: std.err}
	err = p.publish(ctx, collection)
	bar.Done()
	p.report(std.err, broker.Redact(c.To), time.Since(started))
	return err
}

func checkRate(perSecond float64) error {
	if !(perSecond >= 0) {
		return fmt.Errorf("--rate %v: must be a number of texts a second, or 0", perSecond)
	}
	return nil
}

// publishAtATime bounds the texts between two looks at the rate.
const publishAtATime = 256

// publishGrace is how long messages on their way may still be acknowledged after
// the order to stop, so that the count of those published is that of the broker.
const publishGrace = 5 * time.Second

// A publisher sends a collection to a topic, in its order.
type publisher struct {
	topic     *broker.Topic
	ownIDs    bool    // texts keep the ids that the collection has for them
	perSecond float64 // 0 means no limit
	progress  func(done int64)
	warn      io.Writer

	published, skipped int64
}

func (p *publisher) publish(ctx context.Context, collection *dataset.Collection) error {
	limiter, size := p.pace()
	batch := make([]broker.OutMessage, 0, size)
	for item, err := range collection.Items() {
		if p.passOver(err) {
			continue
		}
		if err != nil {
			return err
		}
		id := uuid.NewString()
		if p.ownIDs && item.ID != "" {
			id = item.ID
		}
		batch = append(batch, broker.OutMessage{Body: []byte(item.Text), Attributes: map[string]string{"id": id}})
		if len(batch) < size {
			continue
		}
		if err := p.send(ctx, limiter, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	return p.send(ctx, limiter, batch)
}

// pace returns the limiter for the rate, and how many messages go out together:
// few where the rate is low, so that they flow evenly.
func (p *publisher) pace() (*rate.Limiter, int) {
	if p.perSecond == 0 {
		return rate.NewLimiter(rate.Inf, publishAtATime), publishAtATime
	}
	size := int(min(publishAtATime, max(1, p.perSecond/20)))
	return rate.NewLimiter(rate.Limit(p.perSecond), size), size
}

// passOver says of a malformed line, which is no reason to stop.
func (p *publisher) passOver(err error) bool {
	var malformed *dataset.LineError
	if !errors.As(err, &malformed) {
		return false
	}
	const warnings = 10
	p.skipped++
	if p.skipped <= warnings {
		complain(p.warn, err)
	}
	if p.skipped == warnings {
		fmt.Fprintln(p.warn, "starling: further malformed lines are counted, not shown")
	}
	return true
}

func (p *publisher) send(ctx context.Context, limiter *rate.Limiter, batch []broker.OutMessage) error {
	if len(batch) == 0 {
		return nil
	}
	if err := limiter.WaitN(ctx, len(batch)); err != nil {
		return err
	}
	sending, stop := finishing(ctx, publishGrace)
	defer stop()
	if err := p.topic.Publish(sending, batch); err != nil {
		return fmt.Errorf("publishing after %d messages: %w", p.published, err)
	}
	p.published += int64(len(batch))
	p.progress(p.published)
	return nil
}

// finishing returns a context that outlives ctx by the grace, for what must not
// be left half done when somebody says stop.
func finishing(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() {
		forget()
		cancel()
	}
}

// report says what was done.
func (p *publisher) report(w io.Writer, to string, took time.Duration) {
	fmt.Fprintf(w, "published %d messages to %s in %v (%.0f/s)", p.published, to,
		took.Round(time.Millisecond), float64(p.published)/took.Seconds())
	if p.skipped > 0 {
		fmt.Fprintf(w, ", passed over %d malformed lines", p.skipped)
	}
	fmt.Fprintln(w)
}
