package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"starling/broker"
	"starling/store"
)

// maxSentBody bounds the body in the message of a dead letter, so that brokers take
// it. The state has all of it.
const maxSentBody = 64 << 10

// A DeadLetterView is a dead letter as people and topics get it, in JSON.
type DeadLetterView struct {
	Number     int64             `json:"number"`
	MessageID  string            `json:"message_id,omitempty"`
	DocumentID string            `json:"id,omitempty"`
	Reason     string            `json:"reason"`
	Time       time.Time         `json:"time,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"`
	// Body is the message's body, or, where that is not UTF-8, BodyBase64 is.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"body_base64,omitempty"`
	// BodyBytes is the length of a body that is not there to its end.
	BodyBytes int `json:"body_bytes,omitempty"`
}

// ViewDeadLetter returns what is shown of a dead letter, with a body of at most so
// many bytes; 0 for all of it.
func ViewDeadLetter(letter store.DeadLetter, most int) DeadLetterView {
	view := DeadLetterView{
		Number: letter.Number, MessageID: letter.MessageID, DocumentID: letter.DocumentID, Reason: letter.Reason,
		Time: letter.Time, Attributes: letter.Attributes,
	}
	body := letter.Body
	if most > 0 && len(body) > most {
		view.BodyBytes, body = len(body), body[:most]
	}
	if utf8.Valid(letter.Body) {
		for !utf8.Valid(body) { // it is cut within a character
			body = body[:len(body)-1]
		}
		view.Body = string(body)
	} else {
		view.BodyBase64 = body
	}
	return view
}

// deadLetterMessage makes the message of a dead letter. Its id is the document's, or
// where that is not known the message's.
func deadLetterMessage(letter store.DeadLetter) (broker.OutMessage, error) {
	body, err := json.Marshal(ViewDeadLetter(letter, maxSentBody))
	if err != nil {
		return broker.OutMessage{}, fmt.Errorf("encoding dead letter %d: %w", letter.Number, err)
	}
	number := strconv.FormatInt(letter.Number, 10)
	attributes := map[string]string{"dead_letter": number}
	for _, id := range []string{letter.DocumentID, letter.MessageID, number} {
		if id != "" {
			attributes["id"] = id
			break
		}
	}
	return broker.OutMessage{Body: body, JSON: true, Attributes: attributes}, nil
}
