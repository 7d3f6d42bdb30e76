package main

import (
	"context"
	"fmt"

	"starling/cluster"
	"starling/console"
	"starling/embed"
	"starling/embed/hub"
	"starling/embed/models"
)

type modelCmd struct {
	List  modelListCmd  `cmd:"" help:"List the models at hand."`
	Info  modelInfoCmd  `cmd:"" help:"Describe a model."`
	Pull  modelPullCmd  `cmd:"" help:"Download a model from the hub."`
	Train modelTrainCmd `cmd:"" help:"Find word vectors in a corpus of your own."`
	Eval  modelEvalCmd  `cmd:"" help:"Show what a model takes for alike."`
}

type modelListCmd struct{}

// Help says what is listed.
func (modelListCmd) Help() string {
	return "The built-in model, and models of the hub that have a short name. Any other BERT or DistilBERT encoder of the hub " +
		"is named as there, such as sentence-transformers/stsb-distilbert-base, or by its folder.\n\n" +
		"A server may embed instead: openai+http://HOST:PORT/v1?model=NAME for those with OpenAI's /v1/embeddings, " +
		"tei+http://HOST:PORT for text-embeddings-inference, and the same with https. A key is taken from STARLING_REMOTE_KEY."
}

// Run prints one model a line.
func (modelListCmd) Run(std streams) error {
	for _, info := range models.List() {
		_, err := fmt.Fprintf(std.out, "%-26s  %d dimensions. %s\n", info.Name, info.Dim, console.Safe(info.Description))
		if err != nil {
			return err
		}
	}
	for _, name := range hub.ShortNames() {
		where := "not downloaded"
		if _, err := hub.Find(name, hub.Options{}); err == nil {
			where = "on this machine"
		}
		if _, err := fmt.Fprintf(std.out, "%-26s  %s\n", name, where); err != nil {
			return err
		}
	}
	return nil
}

type modelPullCmd struct {
	Name     string `arg:"" help:"Name of the model, such as sentence-transformers/stsb-distilbert-base."`
	Revision string `help:"Branch, tag or commit; main if not given." placeholder:"NAME"`
}

// Help says where a model is kept and what the settings are.
func (modelPullCmd) Help() string {
	return "The model goes into the cache that the hub's Python tools use as well, and is checked against the hub's digests. A " +
		"download that broke off goes on. Of the environment, HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE count."
}

// Run downloads a model and prints its folder.
func (c modelPullCmd) Run(ctx context.Context, std streams) error {
	dir, err := hub.Pull(ctx, c.Name, hub.Options{Revision: c.Revision, Progress: downloads(std)})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(std.out, dir)
	return err
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
		}{info, struct {
			cluster.Calibration
			Threshold float64 `json:"threshold"`
		}{found, found.Threshold()}})
	}
	_, err = fmt.Fprintf(std.out, "name         %s\ndescription  %s\ndimensions   %d\nlicence      %s\nfingerprint  %s\n"+
		"threshold    %.3f (unrelated texts have cosine %.3f, give or take %.3f)\n",
		console.Safe(info.Name), console.Safe(info.Description), info.Dim, console.Safe(info.Licence), info.Fingerprint,
		found.Threshold(), found.Mean, found.Deviation)
	return err
}
