package beam

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling"
	"starling/broker"
)

func init() { register.DoFn1x2[starling.Update, []byte, error](&formatFn{}) }

// formatFn makes the messages of updates, those that the local runtime publishes.
type formatFn struct{}

// ProcessElement makes the message of one update.
func (*formatFn) ProcessElement(update starling.Update) ([]byte, error) {
	m, err := broker.UpdateMessage(update)
	if err != nil {
		return nil, err
	}
	return wireMessage(m.Body, m.Attributes), nil
}
