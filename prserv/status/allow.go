package status

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"prserver/prserv/access"
	"prserver/prserv/store"
)

const (
	// maxRefused is how many clients may be connected to be told that they are
	// refused. What comes above that is closed at once.
	maxRefused = 4
	// refusedTimeout is how long one of them may stay.
	refusedTimeout = 2 * time.Second
	// refusedBytes is how much of their requests is read.
	refusedBytes = 16 << 10
)

// guarded is a listener of those clients only that are allowed.
type guarded struct {
	net.Listener
	status *Status
	places chan struct{} // an element for each client that is being refused
}

// guarded returns a listener of those clients of ln that are allowed.
func (s *Status) guarded(ln net.Listener) net.Listener {
	if len(s.config.Allow) == 0 {
		return ln
	}
	return &guarded{ln, s, make(chan struct{}, maxRefused)}
}

// Accept refuses clients until one comes that is allowed.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil || g.status.config.Allow.Has(access.Of(conn.RemoteAddr())) {
			return conn, err
		}
		g.status.refused(conn)
		select {
		case g.places <- struct{}{}:
			go func() {
				refuse(conn)
				<-g.places
			}()
		default:
			conn.Close()
		}
	}
}

// refused counts a client, and logs the first one of an address within an hour.
func (s *Status) refused(conn net.Conn) {
	r := store.Refusal{Asker: store.Asker{Addr: conn.RemoteAddr()}, Reason: access.ByStatusAllow}
	s.Refused(r)
	addr := access.Of(r.Asker.Addr)
	switch first, others := s.hourly.First(addr, r.Reason, time.Now()); {
	case first && others:
		s.config.Log.Warn("the status refuses clients at more addresses than are told apart")
	case first:
		s.config.Log.Warn("the status refuses a client: it is not in --status-allow", "client", addr.String())
	}
}

// refuse tells a client that it is refused. Its request is read before that: its
// system would throw the answer away otherwise.
func refuse(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(refusedTimeout))
	in := bufio.NewReader(io.LimitReader(conn, refusedBytes))
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	text := fmt.Sprintf("%s is not in --status-allow\n", access.Of(conn.RemoteAddr()))
	answer := http.Response{
		StatusCode: http.StatusForbidden, ProtoMajor: 1, ProtoMinor: 1, Request: req, Close: true,
		Header:        http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
	answer.Write(conn) // it has gone if this fails
}
