package main

import (
	"context"
	"fmt"

	"starling/console"
	"starling/embed"
	"starling/embed/models"
)

type modelCmd struct {
	List modelListCmd `cmd:"" help:"List the models at hand."`
	Info modelInfoCmd `cmd:"" help:"Describe a model."`
}

type modelListCmd struct{}

// Run prints one model a line.
func (modelListCmd) Run(std streams) error {
	for _, info := range models.List() {
		_, err := fmt.Fprintf(std.out, "%-20s %4d dimensions  %s\n", info.Name, info.Dim, console.Safe(info.Description))
		if err != nil {
			return err
		}
	}
	return nil
}

type modelInfoCmd struct {
	Model string `arg:"" optional:"" help:"Name of a model, or its folder." default:"builtin"`
	JSON  bool   `help:"Print one JSON object."`
}

// Run prints what is known of a model, and the threshold found for it.
func (c modelInfoCmd) Run(ctx context.Context, std streams) error {
	model, err := models.Open(ctx, c.Model, models.Options{})
	if err != nil {
		return err
	}
	found, err := calibrate(ctx, model)
	if err != nil {
		return err
	}
	info := model.Info()
	if c.JSON {
		return console.WriteJSON(std.out, struct {
			embed.Info
			Calibration any `json:"calibration"`
		}{info, found})
	}
	_, err = fmt.Fprintf(std.out, "name         %s\ndescription  %s\ndimensions   %d\nlicence      %s\nfingerprint  %s\n"+
		"threshold    %.3f (unrelated texts have cosine %.3f, give or take %.3f)\n",
		console.Safe(info.Name), console.Safe(info.Description), info.Dim, console.Safe(info.Licence), info.Fingerprint,
		found.Threshold, found.Mean, found.Deviation)
	return err
}
