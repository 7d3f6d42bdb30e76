package main

import (
	"context"
	"fmt"

	"starling/broker/embedded"
)

type brokerCmd struct {
	Listen string `help:"Address to listen on; port 0 takes a free one. By default ${default}." default:"127.0.0.1:4222" placeholder:"HOST:PORT"`
	Data   string `required:"" env:"STARLING_BROKER_DATA" help:"Folder of the streams; made when absent." placeholder:"DIR" type:"path"`
}

// Help says how others reach it.
func (brokerCmd) Help() string {
	return "Streams are made when they are first used: as nats://HOST:PORT/NAME in ingest --to and in run --from. " +
		"It asks nobody for a password and so listens on this machine only. Messages stay for seven days."
}

// Run serves until told to stop.
func (c *brokerCmd) Run(ctx context.Context, std streams) error {
	server, err := embedded.Start(c.Data, c.Listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "broker listening; use %s\n", server.URL("NAME"))
	<-ctx.Done()
	server.Shutdown()
	return nil
}
