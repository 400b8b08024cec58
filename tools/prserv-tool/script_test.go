package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/compat"
	"prserver/prserv"
)

// scriptPatience bounds every wait of a script.
const scriptPatience = 20 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"prserv-tool": main})
}

// TestScripts runs the program as a user does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:         filepath.Join("testdata", "script"),
		WorkdirRoot: t.TempDir(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // every program would take a second longer
			env.Setenv("PRSERV_HOST", "")
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"asked":  cmdAsked,
			"exits":  cmdExits,
			"prserv": cmdPRServer,
			"serve":  cmdServe,
		},
	})
}

// cmdPRServer starts our server and sets $ADDR to its address.
func cmdPRServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: prserv")
	}
	server, err := prserv.New(context.Background(), prserv.Config{
		File: ts.MkAbs("prserv.sqlite3"), Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	ts.Check(err)
	ln := listen(ts)
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), ln) }()
	ts.Defer(func() {
		server.Quit()
		ts.Check(errors.Join(<-served, server.Close()))
	})
}

// listen listens at a free port and sets $ADDR to it.
func listen(ts *testscript.TestScript) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("ADDR", ln.Addr().String())
	return ln
}

const (
	nilBody   = "<?xml version='1.0'?>\n<methodResponse><params><param><value><nil/></value></param></params></methodResponse>\n"
	trueBody  = "<?xml version='1.0'?>\n<methodResponse><params><param><value><boolean>1</boolean></value></param></params></methodResponse>\n"
	faultBody = "<?xml version='1.0'?>\n<methodResponse><fault><value><struct>" +
		"<member><name>faultCode</name><value><int>1</int></value></member>" +
		"<member><name>faultString</name><value><string>no\nmeans \x7fno</string></value></member>" +
		"</struct></value></fault></methodResponse>\n"
)

// fakes are what servers do that are no PR servers, or are not well.
var fakes = map[string]http.HandlerFunc{
	"nil":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, nilBody) },
	"fault":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, faultBody) },
	"status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	// What BitBake 1.52 and later do with a protocol that they do not know.
	"hang-up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"other": func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.WriteString(conn, "220 mail.example ESMTP\r\n")
			conn.Close()
		}
	},
	"silent": func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // until then nobody sees that the client is gone
		r.Context().Value(askedKey{}).(func())()
		<-r.Context().Done()
	},
}

// askedKey is the key of the function that tells of a call to a silent server.
type askedKey struct{}

// cmdServe starts a fake server and sets $ADDR to its address.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || fakes[args[0]] == nil {
		ts.Fatalf("usage: serve nil|fault|status|hang-up|other|silent")
	}
	asked := make(chan struct{}, 1)
	tell := func() {
		select {
		case asked <- struct{}{}:
		default:
		}
	}
	ln := listen(ts)
	server := &http.Server{
		Handler:     fakes[args[0]],
		BaseContext: func(net.Listener) context.Context { return context.WithValue(context.Background(), askedKey{}, tell) },
	}
	go server.Serve(ln)
	ts.Defer(func() { server.Close() })
	askedOf.Store(ln.Addr().String(), asked)
}

// askedOf has a channel for each address of a fake server.
var askedOf sync.Map

// cmdAsked waits until the silent server is asked.
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	asked, ok := askedOf.Load(ts.Getenv("ADDR"))
	if neg || len(args) != 0 || !ok {
		ts.Fatalf("usage: asked, behind serve")
	}
	select {
	case <-asked.(chan struct{}):
	case <-time.After(scriptPatience):
		ts.Fatalf("the server is not asked")
	}
}

// cmdExits runs a program that has to end with the given code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENTS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	ts.Logf("[stdout]\n%s[stderr]\n%s[exit code] %d", ts.ReadFile("stdout"), ts.ReadFile("stderr"), got)
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// freeAddress returns an address at which nobody listens, of loopback's many,
// so that nobody else comes upon it.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp4", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250)))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
