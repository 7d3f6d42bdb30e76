package embedded

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childDir names the variable that makes the test binary a broker that runs in
// the folder it holds, prints its host, and waits to be killed.
const childDir = "STARLING_TEST_BROKER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		server, err := Start(dir, "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(server.host)
		select {}
	}
	goleak.VerifyTestMain(m)
}
