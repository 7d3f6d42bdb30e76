package cluster

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"testing"
)

// version3 is a state as the program wrote it before version 4 of the form: after
// 400 documents of stream(5, 400, 12, 16).
func version3(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open("testdata/version3.state.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOlderStatesAreRead(t *testing.T) {
	s, err := Decode(version3(t))
	if err != nil {
		t.Fatal(err)
	}
	var want []Summary
	data, err := os.ReadFile("testdata/version3.json")
	if err == nil {
		err = json.Unmarshal(data, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Clusters(0); !reflect.DeepEqual(got, want) {
		t.Errorf("the clusters are %+v, want %+v", got, want)
	}
	again, err := Decode(encode(t, s))
	if err != nil {
		t.Fatal(err)
	}
	documents, vectors := stream(6, 400, 12, 16)
	if got, want := apply(t, again, documents, vectors), apply(t, s, documents, vectors); !reflect.DeepEqual(got, want) {
		t.Error("the state goes on otherwise once it was written in today's form")
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	for version, want := range map[byte]error{oldestEncoding - 1: ErrOlder, encodingVersion + 1: ErrNewer} {
		data := version3(t)
		data[len(encodingMagic)] = version
		if _, err := Decode(data); !errors.Is(err, want) {
			t.Errorf("version %d: %v, want %v", version, err, want)
		}
	}
}
