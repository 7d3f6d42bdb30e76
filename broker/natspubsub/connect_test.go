package natspubsub

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startGuarded starts a server that asks for a password and returns its address.
func startGuarded(t *testing.T) string {
	t.Helper()
	guarded, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, Username: "bob", Password: "hunter2",
	})
	if err != nil {
		t.Fatal(err)
	}
	guarded.Start()
	t.Cleanup(guarded.WaitForShutdown)
	t.Cleanup(guarded.Shutdown)
	if !guarded.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	return guarded.Addr().String()
}

// connectError connects to what it must not reach, and returns why not.
func connectError(t *testing.T, url string) string {
	t.Helper()
	a, err := ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	conn, err := Connect(a)
	if err == nil {
		conn.Close()
		t.Fatalf("connected to %s", a.Server)
	}
	if took := time.Since(begin); took > 2*connectTimeout {
		t.Errorf("it took %v to say %v", took, err)
	}
	if !strings.Contains(err.Error(), a.Server) {
		t.Errorf("the error %q does not name the server %s", err, a.Server)
	}
	return err.Error()
}

func TestConnectGivesThePassword(t *testing.T) {
	leaveNothing(t)
	a, err := ParseURL("nats://bob:hunter2@" + startGuarded(t) + "/texts")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := Connect(a)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestConnectSaysThatThePasswordIsWrong(t *testing.T) {
	leaveNothing(t)
	guarded := startGuarded(t)
	for _, user := range []string{"bob:hunter3@", "hunter3@", ""} {
		message := connectError(t, "nats://"+user+guarded+"/texts")
		if !strings.Contains(message, "check the user and password in the URL") || strings.Contains(message, "hunter") {
			t.Errorf("as %q, got the error %s", user, message)
		}
	}
}

func TestConnectSaysWhatCannotBeReached(t *testing.T) {
	leaveNothing(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for host, want := range map[string]string{
		"127.0.0.1:1":            "is it running? `starling broker --listen 127.0.0.1:1",
		silent.Addr().String():   "is it running? `starling broker",
		"no.such.host.invalid:1": "no.such.host.invalid",
	} {
		if message := connectError(t, "nats://"+host+"/texts"); !strings.Contains(message, want) {
			t.Errorf("got the error %s, want %q in it", message, want)
		}
	}
	if message := connectError(t, "tls://"+startEmbedded(t)+"/texts"); !strings.Contains(message, "use nats://") {
		t.Errorf("got the error %s, want the advice to use nats://", message)
	}
}

func TestConnectNamesTheCredentialsFileThatIsMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nowhere.creds")
	t.Setenv(CredentialsVariable, file)
	_, err := Connect(Address{Server: "127.0.0.1:1"})
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), CredentialsVariable) {
		t.Errorf("got the error %v, want one that names %s", err, file)
	}
}
