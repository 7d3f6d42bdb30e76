package broker

import (
	"context"

	"starling/broker/natspubsub"
)

// CheckSource says whether the source of a URL can be opened. It makes and
// changes nothing at the broker, and takes nothing over from a live reader.
func CheckSource(ctx context.Context, url string) error {
	scheme, err := find(url)
	if err != nil {
		return err
	}
	if scheme.check != nil {
		return scheme.check(ctx, url)
	}
	source, err := OpenSource(ctx, url, SourceOptions{})
	if err != nil {
		return err
	}
	return source.Close(ctx)
}

// CheckTopic says whether the topic of a URL can be opened. It makes and changes
// nothing at the broker.
func CheckTopic(ctx context.Context, url string) error {
	scheme, err := find(url)
	if err != nil {
		return err
	}
	if scheme.check != nil {
		return scheme.check(ctx, url)
	}
	topic, err := OpenTopic(ctx, url)
	if err != nil {
		return err
	}
	return topic.Close(ctx)
}

func checkNATS(ctx context.Context, url string) error {
	address, conn, err := connectNATS(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	return natspubsub.Check(ctx, conn, address)
}
