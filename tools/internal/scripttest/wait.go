package scripttest

import (
	"os"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Patience bounds every wait. It only ends tests that hang: it has to be far
// more than anything takes on a machine that does much else.
const Patience = 2 * time.Minute

// IsLong reports whether scripts/test --long runs the tests.
func IsLong() bool { return os.Getenv("PRSERV_LONG") != "" }

// WaitFor waits until done returns true. If it never does, the test or script t
// fails and names what it was waiting for.
func WaitFor(t interface{ Fatalf(string, ...any) }, what string, done func() bool) {
	for deadline := time.Now().Add(Patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// asked has, by the address of each fake server, the channel on which it tells
// of a call that it does not answer.
var asked sync.Map

// TellAsked returns the function with which the fake server at an address
// tells [Asked] of a call that it does not answer.
func TellAsked(addr string) (tell func()) {
	calls := make(chan struct{}, 1)
	asked.Store(addr, calls)
	return func() {
		select {
		case calls <- struct{}{}:
		default:
		}
	}
}

// Asked waits until the fake server at $ADDR gets a call that it does not
// answer.
func Asked(ts *testscript.TestScript, neg bool, args []string) {
	calls, ok := asked.Load(ts.Getenv("ADDR"))
	if neg || len(args) != 0 || !ok {
		ts.Fatalf("usage: asked, after the command that starts a fake server")
	}
	select {
	case <-calls.(chan struct{}):
	case <-time.After(Patience):
		ts.Fatalf("the server is not asked")
	}
}
