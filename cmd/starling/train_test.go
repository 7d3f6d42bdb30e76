package main

import (
	"testing"

	"starling/embed/static/train"
)

func TestFlagsNotGivenTrainWithTheDefaults(t *testing.T) {
	var commands cli
	parser, err := newParser(&commands, streams{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"model", "train", "--corpus", "texts", "--out", "model"}); err != nil {
		t.Fatal(err)
	}
	if got, want := commands.Model.Train.settings(), train.Defaults(); got != want {
		t.Errorf("settings %+v, want %+v", got, want)
	}
}
