package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/tools/internal/pyserver"
	"prserver/tools/internal/scripttest"
)

const (
	nilBody   = "<?xml version='1.0'?>\n<methodResponse><params><param><value><nil/></value></param></params></methodResponse>\n"
	trueBody  = "<?xml version='1.0'?>\n<methodResponse><params><param><value><boolean>1</boolean></value></param></params></methodResponse>\n"
	faultBody = "<?xml version='1.0'?>\n<methodResponse><fault><value><struct>" +
		"<member><name>faultCode</name><value><int>1</int></value></member>" +
		"<member><name>faultString</name><value><string>no\nmeans \x7fno</string></value></member>" +
		"</struct></value></fault></methodResponse>\n"
	dumpBegin = "<?xml version='1.0'?>\n<methodResponse><params><param><value><string>BEGIN TRANSACTION;\n" +
		"CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, " +
		"value INTEGER, PRIMARY KEY (version, pkgarch, checksum));\n"
	exportBody = "<?xml version='1.0'?>\n<methodResponse><params><param><value><array><data>" +
		"<value><struct></struct></value><value><array><data><value><struct>" +
		"<member><name>version</name><value><string>bash-4.2-r0</string></value></member>" +
		"<member><name>pkgarch</name><value><string>core2-64</string></value></member>" +
		"<member><name>checksum</name><value><string>aa</string></value></member>" +
		"<member><name>value</name><value><int>7</int></value></member>" +
		"</struct></value></data></array></value></data></array></value></param></params></methodResponse>\n"
	dumpEnd = "</string></value></param></params></methodResponse>\n"
)

// fakes are what servers do that are no PR servers, or are not well.
var fakes = map[string]http.HandlerFunc{
	"nil":    pings(func(w http.ResponseWriter, _ string) { io.WriteString(w, nilBody) }),
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
	"page": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<html><body>It works!</body></html>\n")
	},
	// One of BitBake 1.50 that was given a file with both tables.
	"both": pings(func(w http.ResponseWriter, _ string) {
		io.WriteString(w, dumpBegin+"INSERT INTO \"PRMAIN_nohist\" VALUES('bash','all','aa',6);\n"+
			store.Stored(store.MainSchema)+"\nINSERT INTO \"PRMAIN\" VALUES('bash','all','aa','6.1');\nCOMMIT;\n"+dumpEnd)
	}),
	// One that dies while it sends its dump.
	"cut": pings(func(w http.ResponseWriter, _ string) {
		io.WriteString(w, dumpBegin+strings.Repeat("INSERT INTO PRMAIN_nohist VALUES('bash','all','aa',1);\n", 10000))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}),
	// One with what is no dump.
	"hostile": pings(func(w http.ResponseWriter, _ string) {
		io.WriteString(w, dumpBegin+"DROP TABLE PRMAIN_nohist;\n"+dumpEnd)
	}),
	"old": pings(func(w http.ResponseWriter, call string) {
		if strings.Contains(call, "dump_db") {
			io.WriteString(w, strings.Replace(faultBody, "no\nmeans \x7fno", "method \"dump_db\" is not supported", 1))
			return
		}
		io.WriteString(w, exportBody)
	}),
	// One that never ends its answer.
	"endless": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, dumpBegin)
		for err := error(nil); err == nil; {
			_, err = io.WriteString(w, strings.Repeat("x", 1<<16))
		}
	},
	// One that has no row, and whose database fails then.
	"failing": pings(func(w http.ResponseWriter, call string) {
		if strings.Contains(call, "dump_db") {
			io.WriteString(w, dumpBegin+"COMMIT;\n"+dumpEnd)
			return
		}
		io.WriteString(w, nilBody)
	}),
	"silent": func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // until then nobody sees that the client is gone
		r.Context().Value(askedKey{}).(func())()
		<-r.Context().Done()
	},
}

// cmdPython starts a server of a release of BitBake, 2.0, 2.8 or 2.18, on a file of
// its own, and sets $ADDR to its address. It is the real one if the environment
// names a checkout and its Python, for 2.8 PRSERV_BITBAKE_2_8 and
// PRSERV_PYTHON_2_8, and else one of ours that understands no more.
func cmdPython(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || !slices.Contains([]string{"2.0", "2.8", "2.18"}, args[0]) {
		ts.Fatalf("usage: python 2.0|2.8|2.18")
	}
	file := "python-" + args[0] + ".sqlite3"
	name := strings.ReplaceAll(args[0], ".", "_")
	// Scripts do not see the variables of the tests.
	checkout, python := os.Getenv("PRSERV_BITBAKE_"+name), os.Getenv("PRSERV_PYTHON_"+name)
	if checkout != "" && python != "" {
		server, err := pyserver.Python(python, checkout).Start(context.Background(), ts.MkAbs(file))
		ts.Check(err)
		ts.Defer(func() { ts.Check(server.Stop()) })
		ts.Setenv("ADDR", server.Addr)
		return
	}
	scripttest.PRServer(ts, false, []string{file})
	behind := ts.Getenv("ADDR")
	ln := scripttest.Listen(ts)
	ts.Defer(func() { ln.Close() })
	go prservtest.AsPython(ln, behind, args[0] == "2.18")
}

// pings answers ping, and lets another handler answer everything else.
func pings(others func(w http.ResponseWriter, call string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call, _ := io.ReadAll(r.Body)
		if strings.Contains(string(call), "ping") {
			io.WriteString(w, trueBody)
			return
		}
		others(w, string(call))
	}
}

// askedKey is the key of the function that tells of a call to a silent server.
type askedKey struct{}

// cmdServe starts a fake server and sets $ADDR to its address.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || fakes[args[0]] == nil {
		ts.Fatalf("usage: serve NAME, which is one of fakes")
	}
	startFake(ts, fakes[args[0]])
}

// startFake starts a server of one handler, and sets $ADDR to its address.
func startFake(ts *testscript.TestScript, handler http.Handler) {
	ln := scripttest.Listen(ts)
	tell := scripttest.TellAsked(ln.Addr().String())
	server := &http.Server{
		Handler:     handler,
		BaseContext: func(net.Listener) context.Context { return context.WithValue(context.Background(), askedKey{}, tell) },
	}
	go server.Serve(ln)
	ts.Defer(func() { server.Close() })
}

// cmdBreaks puts a server before that of $ADDR, and sets $ADDR to it. It lets
// a number of importones through, and dies or hangs then.
func cmdBreaks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[1] != "dies" && args[1] != "hangs" {
		ts.Fatalf("usage: breaks IMPORTONES dies|hangs")
	}
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: ts.Getenv("ADDR")})
	behind.ErrorLog = log.New(io.Discard, "", 0) // of calls that are given up
	var imported atomic.Int64
	var answered sync.WaitGroup
	answered.Add(most)
	startFake(ts, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(call))
		switch {
		case err != nil || !bytes.Contains(call, []byte("importone")):
			behind.ServeHTTP(w, r)
		case imported.Add(1) <= int64(most):
			defer answered.Done()
			behind.ServeHTTP(w, r)
		case args[1] == "dies":
			answered.Wait()
			panic(http.ErrAbortHandler)
		default:
			answered.Wait()
			r.Context().Value(askedKey{}).(func())()
			<-r.Context().Done()
		}
	}))
}
