package beam

import (
	"errors"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/google/uuid"

	"starling"
)

// The steps of the pipeline that publishes a collection, by the names that they have
// in Beam's example.
const (
	stepLoad    = "Load Documents"
	stepUnique  = "Assign unique key"
	stepConvert = "Convert to PubSub Message"
)

// IngestSettings say what the publishing pipeline does.
type IngestSettings struct {
	// Documents are what is published: those of a collection, read where the pipeline
	// is started. One with an id keeps it.
	Documents []starling.Document
	// To is the topic: projects/P/topics/T, or a URL that package broker knows.
	To string
}

func init() {
	register.DoFn1x1[starling.Document, starling.Document](&uniqueFn{})
	register.DoFn1x1[starling.Document, []byte](&convertFn{})
}

// Ingest returns the pipeline that publishes documents. It ends by itself. It
// publishes through the client on every runner, because it is bounded and Dataflow's
// own write is for streams.
func Ingest(settings IngestSettings) (*sdk.Pipeline, error) {
	if settings.To == "" {
		return nil, errors.New("no topic to publish to")
	}
	if len(settings.Documents) == 0 {
		return nil, errors.New("no documents to publish")
	}
	p, s := sdk.NewPipelineWithRoot()
	documents := sdk.CreateList(s.Scope(stepLoad), settings.Documents)
	documents = sdk.Reshuffle(s.Scope(stepLoad), documents)
	documents = sdk.ParDo(s.Scope(stepUnique), &uniqueFn{}, documents)
	// What is published again after a failure has the ids of before.
	documents = sdk.Reshuffle(s.Scope(stepUnique), documents)
	messages := sdk.ParDo(s.Scope(stepConvert), &convertFn{}, documents)
	sdk.ParDo0(s.Scope(stepWrite), &writeFn{Topic: settings.To}, messages)
	return p, nil
}

// uniqueFn gives documents that have none an id: a random UUID.
type uniqueFn struct{}

// ProcessElement gives one document its id.
func (*uniqueFn) ProcessElement(d starling.Document) starling.Document {
	if d.ID == "" {
		d.ID = uuid.NewString()
	}
	return d
}

// convertFn makes messages of documents: the text, with the id as an attribute.
type convertFn struct{}

// ProcessElement makes the message of one document.
func (*convertFn) ProcessElement(d starling.Document) []byte {
	return wireMessage([]byte(d.Text), map[string]string{"id": d.ID})
}
