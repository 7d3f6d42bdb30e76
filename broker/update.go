package broker

import (
	"encoding/json"
	"fmt"
	"strconv"

	"starling"
)

// UpdateMessage makes the message of an update: JSON, with the document's id, which
// is the update's own since a document causes one, in the attribute "id".
func UpdateMessage(update starling.Update) (OutMessage, error) {
	body, err := json.Marshal(update)
	if err != nil {
		return OutMessage{}, fmt.Errorf("encoding update %d: %w", update.Seq, err)
	}
	return OutMessage{Body: body, JSON: true, Attributes: map[string]string{
		idAttribute: update.ID,
		"update":    strconv.FormatInt(update.Seq, 10),
	}}, nil
}
