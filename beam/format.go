package beam

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"

	"starling"
	"starling/broker"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[formatFn]())
	sdk.RegisterDoFn(reflect.TypeFor[formatShardFn]())
	sdk.RegisterDoFn(reflect.TypeFor[formatChangesFn]())
}

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

// formatShardFn makes the messages of the updates of shards: as those of a whole
// stream, with the shard and the merge.
type formatShardFn struct{}

// ProcessElement makes the message of one update.
func (*formatShardFn) ProcessElement(update ShardUpdate) ([]byte, error) {
	body, err := json.Marshal(update)
	if err != nil {
		return nil, fmt.Errorf("encoding update %d of shard %d: %w", update.Seq, update.Shard, err)
	}
	return wireMessage(body, map[string]string{
		"id": update.ID, "shard": strconv.FormatInt(update.Shard, 10), "update": strconv.FormatInt(update.Seq, 10),
	}), nil
}

// formatChangesFn makes the messages of the events of merges.
type formatChangesFn struct{}

// ProcessElement makes the message of the events of one merge.
func (*formatChangesFn) ProcessElement(changes Changes) ([]byte, error) {
	body, err := json.Marshal(changes)
	if err != nil {
		return nil, fmt.Errorf("encoding the events of merge %d: %w", changes.Merge, err)
	}
	number := strconv.FormatInt(changes.Merge, 10)
	return wireMessage(body, map[string]string{"id": "merge-" + number, "merge": number}), nil
}
