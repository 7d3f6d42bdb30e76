package broker_test

import (
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/twmb/franz-go/pkg/kfake"

	"starling/broker"
	"starling/broker/aws/awstest"
	"starling/broker/brokertest"
	"starling/broker/embedded"
	"starling/broker/natspubsub/natstest"
)

func TestConformanceOfMemory(t *testing.T) {
	var queues atomic.Int64
	brokertest.Run(t, func(*testing.T) brokertest.Queue {
		url := fmt.Sprintf("mem://conformance-%d", queues.Add(1))
		return brokertest.Queue{Source: url, Topic: url, Endless: true}
	})
}

// ackWait is short, so that the end of a lease can be seen.
const (
	ackWait    = time.Second
	setAckWait = "?ack_wait=1s"
)

// TestConformanceOfNATSInThisProcess is about a server that listens nowhere.
func TestConformanceOfNATSInThisProcess(t *testing.T) {
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		url := startEmbedded(t, t.TempDir(), "").URL("texts")
		return brokertest.Queue{Source: url + setAckWait, Topic: url, Ordered: true, Rewinds: true, Renewal: ackWait}
	})
}

func TestConformanceOfEmbeddedNATS(t *testing.T) {
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		dir, addr := t.TempDir(), natstest.FreeAddr(t)
		server := startEmbedded(t, dir, addr)
		url := server.URL("texts")
		return brokertest.Queue{
			Source: url + setAckWait, Topic: url, Ordered: true, Rewinds: true, Renewal: ackWait, Lease: 2 * ackWait,
			Stop:  func() { server.Shutdown() },
			Start: func() { server = startEmbedded(t, dir, addr) },
		}
	})
}

// TestConformanceOfInstalledNATS kills the server with SIGKILL where others stop
// theirs.
func TestConformanceOfInstalledNATS(t *testing.T) {
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		server := natstest.Start(t)
		url := server.URL("texts") + "?max_bytes=100000000"
		return brokertest.Queue{
			Source: url + "&ack_wait=1s", Topic: url, Ordered: true, Rewinds: true, Renewal: ackWait, Lease: 2 * ackWait,
			Stop: server.Kill, Start: server.Restart,
		}
	})
}

func TestConformanceOfKafka(t *testing.T) {
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		dir, addr := t.TempDir(), natstest.FreeAddr(t)
		cluster := startKafka(t, dir, addr)
		url := "kafka://" + addr + "/texts?session_timeout=1s"
		return brokertest.Queue{
			Source: url, Topic: url, Ordered: true, Rewinds: true, Renewal: time.Second, Lease: 10 * time.Second,
			Stop:  func() { cluster.Close() },
			Start: func() { cluster = startKafka(t, dir, addr) },
		}
	})
}

// TestConformanceOfPubSub is against the client's own fake of the service.
func TestConformanceOfPubSub(t *testing.T) {
	server := pstest.NewServer()
	t.Cleanup(func() { _ = server.Close() })
	t.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
	var queues atomic.Int64
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		n := queues.Add(1)
		topic, subscription := fmt.Sprint("projects/tests/topics/texts-", n), fmt.Sprint("projects/tests/subscriptions/texts-", n)
		if _, err := server.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topic}); err != nil {
			t.Fatal(err)
		}
		_, err := server.GServer.CreateSubscription(t.Context(),
			&pubsubpb.Subscription{Name: subscription, Topic: topic, AckDeadlineSeconds: 10})
		if err != nil {
			t.Fatal(err)
		}
		return brokertest.Queue{Source: "gcppubsub://" + subscription, Topic: "gcppubsub://" + topic, Delays: true}
	})
}

// TestConformanceOfSQS is against fauxqs, with leases of 2 s, and cuts the line to
// it where others stop theirs.
func TestConformanceOfSQS(t *testing.T) {
	server := awstest.Start(t)
	var queues atomic.Int64
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		line := server.NewLine(t)
		url := awstest.QueueURL(fmt.Sprint("texts-", queues.Add(1))) + "?endpoint=" + line.URL()
		if err := broker.CreateSource(t.Context(), url+"&visibility=2s"); err != nil {
			t.Fatal(err)
		}
		return brokertest.Queue{
			Source: url, Topic: url, Lines: true, Renewal: 2 * time.Second, Lease: 3 * time.Second,
			Stop: line.Cut, Start: line.Mend,
		}
	})
}

func startEmbedded(t *testing.T, dir, listen string) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(dir, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return server
}

func startKafka(t *testing.T, dir, addr string) *kfake.Cluster {
	t.Helper()
	_, service, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second),
		kfake.Ports(port), kfake.DataDir(dir), kfake.SeedTopics(1, "texts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}
