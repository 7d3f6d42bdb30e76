package kafkapubsub

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// connectError connects to what it must not reach, and returns why not.
func connectError(t *testing.T, url string) string {
	t.Helper()
	a, err := ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	client, err := connect(t.Context(), a)
	if err == nil {
		client.Close()
		t.Fatalf("connected by %s", url)
	}
	if took := time.Since(begin); took > connectTimeout+time.Second {
		t.Errorf("it took %v to say %v", took, err)
	}
	return err.Error()
}

func TestConnectShowsWhoItIs(t *testing.T) {
	leaveNothing(t)
	for sasl, mechanism := range map[string]string{
		"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512",
	} {
		t.Run(sasl, func(t *testing.T) {
			cluster := startKafka(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "bob", "hunter2"))
			url := "kafka://" + cluster.ListenAddrs()[0] + "/texts?partitions=1&sasl=" + sasl
			t.Setenv(PasswordVariable, "hunter2")
			a, err := ParseURL(url + "&user=bob")
			if err != nil {
				t.Fatal(err)
			}
			publish(t, a, 1)
			s := open(t, a)
			receive(t, s).Ack()
			shutDown(t, s)

			t.Setenv(UserVariable, "bob") // in place of the parameter
			if a, err = ParseURL(url); err != nil {
				t.Fatal(err)
			}
			if err := CheckTopic(t.Context(), a); err != nil {
				t.Error(err)
			}
			t.Setenv(PasswordVariable, "hunter3")
			message := connectError(t, url)
			if !strings.Contains(message, "check the user, KAFKA_PASSWORD") || strings.Contains(message, "hunter") {
				t.Errorf("with a wrong password, got the error %s", message)
			}
		})
	}
}

func TestConnectAsksForTheUserAndThePassword(t *testing.T) {
	t.Setenv(UserVariable, "")
	t.Setenv(PasswordVariable, "")
	message := connectError(t, "kafka://127.0.0.1:1/texts?sasl=plain")
	if !strings.Contains(message, UserVariable) || !strings.Contains(message, PasswordVariable) {
		t.Errorf("got the error %s, want one that names the variables", message)
	}
}

func TestConnectByTLS(t *testing.T) {
	leaveNothing(t)
	certificate, file := testCertificate(t)
	cluster := startKafka(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
	url := "kafka://" + cluster.ListenAddrs()[0] + "/texts?partitions=1"
	t.Setenv(AuthorityVariable, file)
	a, err := ParseURL(url + "&tls=true")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, a, 1)
	s := open(t, a)
	receive(t, s).Ack()
	shutDown(t, s)

	if message := connectError(t, url); !strings.Contains(message, "?tls=true") {
		t.Errorf("without TLS, got the error %s", message)
	}
	t.Setenv(AuthorityVariable, "")
	if message := connectError(t, url+"&tls=true"); !strings.Contains(message, AuthorityVariable) {
		t.Errorf("without the authority, got the error %s", message)
	}
	for name, content := range map[string]string{"nowhere.pem": "", "empty.pem": "nothing"} {
		path := filepath.Join(t.TempDir(), name)
		if content != "" {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv(AuthorityVariable, path)
		if message := connectError(t, url+"&tls=true"); !strings.Contains(message, path) {
			t.Errorf("got the error %s, want one that names %s", message, path)
		}
	}
}

// testCertificate is one for 127.0.0.1, signed by itself, and the file that
// holds it.
func testCertificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	server := httptest.NewTLSServer(nil) // has such a certificate
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0], file
}

func TestConnectSaysWhatCannotBeReached(t *testing.T) {
	leaveNothing(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for host, want := range map[string]string{
		"127.0.0.1:1":            "is it running",
		silent.Addr().String():   "is it running",
		"no.such.host.invalid:1": "no.such.host.invalid",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			message := connectError(t, "kafka://"+host+"/texts")
			if !strings.Contains(message, want) || !strings.Contains(message, "the Kafka broker at "+host) {
				t.Errorf("got the error %s, want %q in it", message, want)
			}
		})
	}
}

func TestConnectWantsTheRightProtocolAndOneBroker(t *testing.T) {
	leaveNothing(t)
	server := startKafka(t).ListenAddrs()[0]
	message := connectError(t, "kafka://"+server+"/texts?tls=true")
	if !strings.Contains(message, "does it speak TLS") {
		t.Errorf("got the error %s, want the question whether it speaks TLS", message)
	}
	// One broker that answers is enough.
	a, err := ParseURL("kafka://127.0.0.1:1," + server + "/texts?partitions=1")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, a, 1)
}
