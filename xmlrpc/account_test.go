package xmlrpc_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"prserver/xmlrpc"
	"prserver/xmlrpc/spool"
)

// scarce is an account with little memory, and files if they are not full.
type scarce struct {
	xmlrpc.Unlimited
	memory int
	full   error
}

func (s *scarce) TryHold(n int) bool { s.memory -= n; return s.memory >= 0 }
func (s *scarce) Store(int) error    { return s.full }

// TestScarceMemory has a reply in a file when there is no memory for it, and no
// reply when there is no file either.
func TestScarceMemory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	h, _ := answering()
	full := errors.New("nothing is left")
	const length = 100_000
	for _, account := range []*scarce{{memory: 10}, {memory: 10, full: full}, {memory: 2 * length, full: full}} {
		h.Serve = func(_ context.Context, call *xmlrpc.Call) (any, error) {
			return call.NewPair(nil, func(add func(any) error) error {
				return add(strings.Repeat("x", length))
			})
		}
		got := string(conversation(t, h, post("/", agent3, echo), account))
		failed := account.memory < 0 && account.full != nil
		if wrote := strings.Count(got, "x") > length; wrote == failed || failed != strings.Contains(got, "nothing is left") {
			t.Errorf("%+v: got %.300q", account, got)
		}
	}
}

// conversation sends request to h and returns all that comes back.
func conversation(t *testing.T, h *xmlrpc.Handler, request string, account spool.Account) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		defer ours.Close()
		h.ServeConn(context.Background(), ours, bufio.NewReader(ours), account)
	}()
	theirs.SetDeadline(time.Now().Add(patience))
	go io.WriteString(theirs, request) // fails if the handler stops reading
	got, err := io.ReadAll(theirs)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// counting is an account that lets a request hold so much.
type counting struct {
	xmlrpc.Unlimited
	left int
}

func (c *counting) Hold(n int) error {
	if c.left -= n; c.left < 0 {
		return errors.New("too much is held")
	}
	return nil
}

// TestRequestsAreCounted sends requests that are large in every way, with too
// little room for them and with enough.
func TestRequestsAreCounted(t *testing.T) {
	h, _ := answering()
	const large, enough = 60_000, 1 << 18
	x := strings.Repeat("x", large)
	for name, request := range map[string]string{
		"path":            "POST /" + x + " HTTP/1.1\r\n\r\n",
		"header":          post("/", "Connection: "+x+"\r\n", echo),
		"no header":       post("/", "X: "+x+"\r\n", echo),
		"continued":       post("/", "Connection: y\r\n"+strings.Repeat(" "+x[:3000]+"\r\n", 20), echo),
		"body":            post("/", "", calling("echo", "<value>"+x+"</value>")),
		"gzipped body":    post("/", "Content-Encoding: gzip\r\n", packed(t, calling("echo", "<value>"+x+"</value>"))),
		"all of a length": "POST / HTTP/1.1\r\nConnection: " + x + "\r\nContent-Length: 60000\r\n\r\n" + x,
	} {
		t.Run(name, func(t *testing.T) {
			for _, left := range []int{large / 2, enough} {
				account := &counting{left: left}
				got := conversation(t, h, request, account)
				if refused := account.left < 0; refused != (left < enough) || !refused && len(got) == 0 {
					t.Errorf("with room for %d bytes: got %.100q, refused is %v", left, got, refused)
				}
			}
		})
	}
}
