package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/tools/internal/scripttest"
)

// patience bounds every wait of a script.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"prserv-bench": main})
}

// TestScripts runs the program as a user does. No script looks at how fast
// anything was.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:         filepath.Join("testdata", "script"),
		WorkdirRoot: t.TempDir(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // every program would take a second longer
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"asked":   cmdAsked,
			"build":   cmdBuild,
			"exits":   scripttest.Exits,
			"numbers": cmdNumbers,
			"prserv":  scripttest.PRServer,
			"serve":   cmdServe,
		},
	})
}

// fake answers the same to every call, up to a number of calls.
type fake struct {
	ln      net.Listener
	answer  string
	calls   int
	silent  bool          // what it is then, or gone
	asked   chan struct{} // gets something when it is asked more often
	stopped chan struct{} // closed when the script has ended
}

// cmdServe starts a fake server and sets $ADDR to its address.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	answers := map[string]string{
		"value": reply(headClose, nothing), "nil": reply(headClose, nilBody), "fault": reply(headClose, faultBody),
		"status": "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n",
	}
	if neg || len(args) != 3 || answers[args[0]] == "" || args[2] != "gone" && args[2] != "silent" {
		ts.Fatalf("usage: serve value|nil|fault|status CALLS gone|silent")
	}
	calls, err := strconv.Atoi(args[1])
	ts.Check(err)
	f := &fake{scripttest.Listen(ts), answers[args[0]], calls, args[2] == "silent", make(chan struct{}, 1), make(chan struct{})}
	fakes.Store(f.ln.Addr().String(), f)
	ts.Defer(func() {
		close(f.stopped)
		f.ln.Close()
	})
	go f.serve()
}

// fakes are the fake servers by their addresses.
var fakes sync.Map

func (f *fake) serve() {
	for n := 0; ; n++ {
		conn, err := f.ln.Accept()
		if err != nil {
			return
		}
		if n >= f.calls {
			select {
			case f.asked <- struct{}{}:
			default:
			}
			if !f.silent {
				f.ln.Close()
				conn.Close()
				return
			}
		}
		go func() {
			defer conn.Close()
			if n >= f.calls {
				<-f.stopped
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				io.Copy(io.Discard, r.Body)
				io.WriteString(conn, f.answer)
			}
		}()
	}
}

// cmdAsked waits until the fake server is asked more often than it answers.
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	f, ok := fakes.Load(ts.Getenv("ADDR"))
	if neg || len(args) != 0 || !ok {
		ts.Fatalf("usage: asked, behind serve")
	}
	select {
	case <-f.(*fake).asked:
	case <-time.After(patience):
		ts.Fatalf("the server is not asked")
	}
}

// cmdNumbers checks that the JSON on stdout has finite numbers above 0 at the
// given paths. With a negation they have to be 0.
func cmdNumbers(ts *testscript.TestScript, neg bool, args []string) {
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	for _, path := range args {
		at := doc
		for name := range strings.SplitSeq(path, ".") {
			members, _ := at.(map[string]any)
			at = members[name]
		}
		n, ok := at.(float64)
		if !ok || neg && n != 0 || !neg && n <= 0 {
			ts.Fatalf("%s is %v", path, at)
		}
	}
}
