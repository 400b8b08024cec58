package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/tools/internal/scripttest"
)

func TestMain(m *testing.M) {
	scripttest.Main(tests{m}, map[string]func(){"prserv-bench": main})
}

// TestScripts runs the program as a user does. No script checks how fast anything
// was.
func TestScripts(t *testing.T) {
	scripttest.Run(t, testscript.Params{Cmds: map[string]scripttest.Command{
		"asked":   scripttest.Asked,
		"build":   cmdBuild,
		"numbers": cmdNumbers,
		"prserv":  scripttest.PRServer,
		"serve":   cmdServe,
	}})
}

// fake is a server that gives the same answer to a number of calls.
type fake struct {
	ln      net.Listener
	answer  string
	calls   int
	silent  bool          // after that it does not answer; otherwise it is gone
	tell    func()        // called at the first call that it does not answer
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
	ln := scripttest.Listen(ts)
	tell := scripttest.TellAsked(ln.Addr().String())
	f := &fake{ln, answers[args[0]], calls, args[2] == "silent", tell, make(chan struct{})}
	ts.Defer(func() {
		close(f.stopped)
		f.ln.Close()
	})
	go f.serve()
}

func (f *fake) serve() {
	for n := 0; ; n++ {
		conn, err := f.ln.Accept()
		if err != nil {
			return
		}
		if n >= f.calls {
			f.tell()
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

// cmdNumbers checks that the JSON on stdout has numbers above 0 at the given
// paths. With a negation they have to be 0.
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
