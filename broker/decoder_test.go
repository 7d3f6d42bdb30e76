package broker

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"starling"
	"starling/broker/feed"
)

func decoder(t testing.TB, d Decoding) *Decoder {
	t.Helper()
	made, err := NewDecoder(d)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var published = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// Without settings, a body is a text and the attribute id the id, whatever it
// looks like.
func TestABodyIsTheText(t *testing.T) {
	for _, c := range []struct {
		message *Message
		want    starling.Document
	}{
		{&Message{ID: "texts:1", Body: []byte("a text"), Time: published}, starling.Document{ID: "texts:1", Text: "a text", Time: published}},
		{&Message{ID: "texts:1", Body: []byte(`{"text":"a"}`), Attributes: map[string]string{"id": "7", "lang": "en"}},
			starling.Document{ID: "7", Text: `{"text":"a"}`, Attributes: map[string]string{"lang": "en"}}},
	} {
		got, err := c.message.Document()
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("got %+v, %v, want %+v", got, err, c.want)
		}
	}
}

func TestFieldsOfAnObject(t *testing.T) {
	for _, c := range []struct {
		name, body string
		decoding   Decoding
		want       starling.Document
	}{
		{"the usual names", `{"text":"a b","id":"7","time":"2024-01-02T03:04:05.5+01:00"}`, Decoding{},
			starling.Document{ID: "7", Text: "a b", Time: time.Date(2024, 1, 2, 2, 4, 5, 5e8, time.UTC)}},
		{"what is missing comes from the message", `{"text":"a"}`, Decoding{}, starling.Document{ID: "m", Text: "a", Time: published}},
		{"null and empty are missing", `{"text":"a","id":"","time":null}`, Decoding{}, starling.Document{ID: "m", Text: "a", Time: published}},
		{"a string is a text", `"a \"quoted\" text"`, Decoding{}, starling.Document{ID: "m", Text: `a "quoted" text`, Time: published}},
		{"nested", `{"tweet":{"full":{"body":"a"}},"user":{"id":12345678901234567890}}`,
			Decoding{TextField: "tweet.full.body", IDField: "user.id"}, starling.Document{ID: "12345678901234567890", Text: "a", Time: published}},
		{"in arrays", `{"e":[{"t":"no"},{"t":"a","x":[["k"]]}]}`,
			Decoding{TextField: "e.1.t", IDField: "e.1.x.0.0"}, starling.Document{ID: "k", Text: "a", Time: published}},
		{"keys with points", `{"a.b":{"c":"yes"},"a":{"b":{"c":"no"}}}`, Decoding{TextField: "a.b.c"}, starling.Document{ID: "m", Text: "yes", Time: published}},
		{"fields that are not wanted", `{"text":"a","id":true,"time":"yesterday"}`,
			Decoding{IDField: NoField, TimeField: NoField}, starling.Document{ID: "m", Text: "a", Time: published}},
		{"kept", `{"text":"a","lang":"en","n":1.50,"o":{"p":[1, 2]},"gone":null,"yes":true}`,
			Decoding{KeepFields: []string{"lang", "n", "o", "o.p.1", "gone", "yes", "absent"}},
			starling.Document{ID: "m", Text: "a", Time: published, Attributes: map[string]string{
				"lang": "en", "n": "1.50", "o": `{"p":[1, 2]}`, "o.p.1": "2", "yes": "true"}}},
		{"seconds", `{"text":"a","time":1700000000}`, Decoding{}, starling.Document{ID: "m", Text: "a", Time: time.Unix(1700000000, 0).UTC()}},
		{"seconds in a string", `{"text":"a","time":"1700000000.25"}`, Decoding{}, starling.Document{ID: "m", Text: "a", Time: time.Unix(1700000000, 25e7).UTC()}},
		{"milliseconds", `{"text":"a","time":1700000000123}`, Decoding{}, starling.Document{ID: "m", Text: "a", Time: time.UnixMilli(1700000000123).UTC()}},
		{"before 1970", `{"text":"a","time":-86400}`, Decoding{}, starling.Document{ID: "m", Text: "a", Time: time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.decoding.Format = JSON
			m := &Message{ID: "m", Body: []byte(c.body), Time: published}
			got, err := decoder(t, c.decoding).Document(m)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

// What an update says of its document makes the document again.
func TestAnUpdateIsDecodedToItsDocument(t *testing.T) {
	want := starling.Document{ID: "7", Text: "a\n\u2028<b>", Time: published}
	m, err := UpdateMessage(starling.Update{Seq: 1, Document: want})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decoder(t, Decoding{Format: Auto}).Document(&Message{ID: "m", Body: m.Body})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatCannotBeADocument(t *testing.T) {
	for _, c := range []struct {
		name, body string
		decoding   Decoding
		says, id   string
	}{
		{"no text", `{"id":"7","txt":"a"}`, Decoding{}, `the field "text" with the text is missing`, "7"},
		{"no nested text", `{"id":"7","a":{"b":1}}`, Decoding{TextField: "a.b.c"}, `the field "a.b.c" with the text is missing`, "7"},
		{"beyond an array", `{"a":["x"]}`, Decoding{TextField: "a.1"}, `the field "a.1" with the text is missing`, "m"},
		{"a text that is a number", `{"text":1}`, Decoding{}, `the field "text" is a number, want a string for the text`, "m"},
		{"an empty text", `{"text":" "}`, Decoding{}, "the text is empty", "m"},
		{"a long text", `{"text":"` + strings.Repeat("a", 65537) + `"}`, Decoding{}, "the text is longer than 65536 bytes", "m"},
		{"an id that is an object", `{"text":"a","id":{}}`, Decoding{}, `the field "id" is an object, want a string or a number for the id`, "m"},
		{"a long id", `{"text":"a","id":"` + strings.Repeat("a", 1025) + `"}`, Decoding{}, "the id is longer than 1024 bytes", ""},
		{"a word for a time", `{"text":"a","time":"yesterday"}`, Decoding{}, `the field "time": "yesterday" is no time`, "m"},
		{"a time that is true", `{"text":"a","time":true}`, Decoding{}, `the field "time": a time cannot be a truth value`, "m"},
		{"a time beyond the calendar", `{"text":"a","time":1e300}`, Decoding{}, "is no time", "m"},
		{"not a number", `{"text":"a","time":"NaN"}`, Decoding{}, "is no time", "m"},
		{"the year 2300", `{"text":"a","time":"2300-01-01T00:00:00Z"}`, Decoding{}, "not of the years 1678 to 2262", "m"},
		{"the year 1000", `{"text":"a","time":"1000-01-01T00:00:00Z"}`, Decoding{}, "not of the years 1678 to 2262", "m"},
		{"milliseconds of the year 10000", `{"text":"a","time":253402300800000}`, Decoding{}, "not of the years 1678 to 2262", "m"},
		{"a key that is there twice", `{"text":"a","text":"b"}`, Decoding{}, `the field "text" is there twice`, "m"},
		{"a nested key that is there twice", `{"a":{"t":"a","t":"b"}}`, Decoding{TextField: "a.t"}, `the field "t" is there twice`, "m"},
		{"no JSON", `{"text":"a"`, Decoding{}, "the message is not valid JSON", "m"},
		{"two values", `{"text":"a"}{}`, Decoding{}, "the message is not valid JSON", "m"},
		{"nothing", "", Decoding{}, "the message is not valid JSON", "m"},
		{"no UTF-8", "{\"text\":\"\xff\"}", Decoding{}, "the message is not valid UTF-8", "m"},
		{"an array", `["a"]`, Decoding{}, "the message is an array in JSON, want an object or a string", "m"},
		{"nested too deeply", strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), Decoding{}, "the message is not valid JSON", "m"},
		{"too long", `{"text":"a","more":"` + strings.Repeat("a", 1<<20) + `"}`, Decoding{}, "the message is longer than 1048576 bytes", "m"},
		{"too much kept", `{"text":"a","more":"` + strings.Repeat("a", 70_000) + `"}`, Decoding{KeepFields: []string{"more"}}, "the attributes are longer than", "m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.decoding.Format = JSON
			got, err := decoder(t, c.decoding).Document(&Message{ID: "m", Body: []byte(c.body), Time: published})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the reason is %v, want %q", err, c.says)
			}
			if !reflect.DeepEqual(got, starling.Document{ID: c.id}) {
				t.Errorf("what is left is %+v", got)
			}
		})
	}
}

// Who says how a body is read: the setting, else the message, else it is a text.
func TestWhichFormat(t *testing.T) {
	says := func(format string) map[string]string { return map[string]string{feed.FormatAttribute: format} }
	for _, c := range []struct {
		format     Format
		attributes map[string]string
		body, want string
	}{
		{Unsaid, nil, `{"text":"a"}`, `{"text":"a"}`},
		{Unsaid, says(feed.JSON), `{"text":"a"}`, "a"},
		{Unsaid, says(feed.Text), `{"text":"a"}`, `{"text":"a"}`},
		{Unsaid, says("yaml"), `{"text":"a"}`, `{"text":"a"}`},
		{Text, says(feed.JSON), `{"text":"a"}`, `{"text":"a"}`},
		{JSON, says(feed.Text), `{"text":"a"}`, "a"},
		{Auto, nil, ` {"text":"a"}`, "a"},
		{Auto, nil, `{not json}`, `{not json}`},
		{Auto, nil, `"a"`, `"a"`},
		{Auto, nil, `plain`, `plain`},
	} {
		got, err := decoder(t, Decoding{Format: c.format}).Document(&Message{ID: "m", Body: []byte(c.body), Attributes: c.attributes})
		if err != nil || got.Text != c.want || got.Attributes != nil {
			t.Errorf("%q %v %s: got %+v, %v", c.format, c.attributes, c.body, got, err)
		}
	}
}

func TestDecodingsThatMakeNoSense(t *testing.T) {
	for _, d := range []Decoding{{Format: "yaml"}, {TextField: NoField}} {
		if _, err := NewDecoder(d); err == nil {
			t.Errorf("%+v was taken", d)
		}
	}
}

// FuzzDecode decodes anything with paths of any kind: what is a document can be
// stored, and what is not says why.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"text":"a","id":7,"time":1700000000.5,"a":{"b":[1,{"c":"x"}]}}`, `"a"`, `{"text":"\ud800"}`, "{\"text\":\"\xff\"}", `[`,
		`{"text":"a","text":"b"}`, `{"a.b":{"c":null}}`, "plain",
	} {
		f.Add([]byte(body), "text", "a.b.1.c", "json")
	}
	f.Fuzz(func(t *testing.T, body []byte, text, path, format string) {
		d, err := NewDecoder(Decoding{Format: Format(format), TextField: text, IDField: path, TimeField: path, KeepFields: []string{path, text}})
		if err != nil {
			return
		}
		got, err := d.Document(&Message{ID: "m", Body: body})
		if err != nil {
			if got.Text != "" || got.Attributes != nil || !utf8.ValidString(got.ID) {
				t.Errorf("a message that was refused (%v) left %+v", err, got)
			}
			return
		}
		again, err := checked(got)
		if err != nil || !reflect.DeepEqual(got, again) || got.ID == "" {
			t.Errorf("%+v is no document: %v", got, err)
		}
		if encoded, err := json.Marshal(got); err != nil || !json.Valid(encoded) {
			t.Errorf("%+v cannot be encoded: %v", got, err)
		}
	})
}

func BenchmarkDecodeJSON(b *testing.B) {
	d := decoder(b, Decoding{Format: JSON, TextField: "tweet.text", KeepFields: []string{"lang"}})
	m := &Message{ID: "m", Body: []byte(`{"id":"17","lang":"en","tweet":{"text":"im feeling rather rotten so im not very ambitious right now","likes":3},"time":"2026-01-02T03:04:05Z"}`)}
	b.SetBytes(int64(len(m.Body)))
	for b.Loop() {
		if _, err := d.Document(m); err != nil {
			b.Fatal(err)
		}
	}
}
