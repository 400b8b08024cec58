package prserv

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"prserver/prserv/access"
	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

const (
	// maxRefused is how many clients that are not served may be connected, to be
	// told so. What comes above that is closed at once: they take neither places
	// nor memory from those who are served.
	maxRefused = 16
	// refusedMemory is how many bytes of theirs are held altogether.
	refusedMemory = 1 << 20
	// refusedTimeout is how long one of them may stay.
	refusedTimeout = 5 * time.Second
)

// door is where clients learn what they may not do.
type door struct {
	rules   access.Rules
	clients *clients // those that are not served
	handler *xmlrpc.Handler
	lines   *asyncrpc.Handler
	hourly  access.Hourly
	noted   func(store.Refusal) // nil if nobody wants to know
	log     *slog.Logger
}

// newDoor returns the door of a server. What is wrong with the requests of a
// client that is not served is not logged.
func (s *Server) newDoor(cfg *Config) *door {
	quiet := slog.New(slog.DiscardHandler)
	d := &door{rules: cfg.Access, clients: newClients(maxRefused, 0), noted: cfg.Refused, log: s.log}
	d.clients.room = amounts{memory: refusedMemory}
	d.handler = xmlrpc.NewHandler(xmlrpc.HandlerConfig{
		Dialect: cfg.Dialect, Serve: s.observed, ReadTimeout: refusedTimeout, WriteTimeout: refusedTimeout, Log: quiet,
	})
	d.lines = asyncrpc.NewHandler(asyncrpc.HandlerConfig{
		Protocol: protocolName, Version: protocolVersion, Serve: s.observedLine,
		FirstTimeout: refusedTimeout, WriteTimeout: refusedTimeout, Log: quiet,
	})
	return d
}

// doorFiles returns how many descriptors clients take that are not served.
func doorFiles(rules access.Rules) int {
	if len(rules.Allow) == 0 {
		return 0
	}
	return maxRefused
}

// admit returns the client of a new connection, once it may be open. It is nil for
// a connection that was closed instead. The server goes on unless it has ended.
func (s *Server) admit(conn net.Conn, ended <-chan struct{}) (c *client, goesOn bool) {
	rights := s.door.rules.For(access.Of(conn.RemoteAddr()))
	to := s.clients
	if rights.Refused {
		if to = s.door.clients; to.isFull(time.Now()) {
			conn.Close()
			s.door.note(store.Refusal{Asker: store.Asker{Addr: conn.RemoteAddr()}, Reason: access.ByAllow})
			return nil, true
		}
	} else if !to.makeRoom(ended) {
		// Only now that somebody waits for it, a place is made. Nobody else is
		// accepted meanwhile: the system keeps them waiting.
		conn.Close()
		return nil, false
	}
	c = to.add(conn)
	c.rights = rights
	return c, true
}

// see bounds the time of a client that is not served, and takes note of it when
// the returned function is called, unless it has called something by then.
func (d *door) see(c *client) (out func()) {
	timer := time.AfterFunc(refusedTimeout, func() { c.Close() })
	return func() {
		timer.Stop()
		if !c.noted {
			d.note(store.Refusal{Asker: store.Asker{Addr: c.RemoteAddr()}, Reason: access.ByAllow})
		}
	}
}

// rightsOf returns the rights of the client of a connection.
func rightsOf(conn net.Conn) access.Rights {
	if c, ok := conn.(*client); ok {
		return c.rights
	}
	return access.Rights{}
}

// isReadOnly tells whether a client is served as by a read-only server.
func (s *Server) isReadOnly(conn net.Conn) bool { return s.service.readOnly || rightsOf(conn).ReadOnly }

// mayNotImport returns the reason why a client may not import values, or "".
func mayNotImport(conn net.Conn) string {
	switch rights := rightsOf(conn); {
	case rights.ReadOnly:
		return access.ByReadOnlyFrom
	case rights.NoImport:
		return access.ByAllowImport
	}
	return ""
}

// refuse takes note that a call is refused, and returns what its client hears, a
// [*refusal].
func (d *door) refuse(reason string, a store.Asker, k store.Key) error {
	d.note(store.Refusal{Asker: a, Key: k, Reason: reason})
	switch addr := access.Of(a.Addr); reason {
	case access.ByReadOnlyFrom:
		return &refusal{store.ReadOnly()}
	case access.ByAllowImport:
		return &refusal{fmt.Errorf("this PR server takes no imported values from %s; its operator can add that address to --allow-import", addr)}
	default:
		return &refusal{fmt.Errorf("this PR server does not serve %s; its operator can add that address to --allow", addr)}
	}
}

// whatIsRefused is what the log says of a refusal.
var whatIsRefused = map[string]string{
	access.ByAllow:        "a client is refused: it is not in --allow",
	access.ByReadOnlyFrom: "an import is refused: its client is in --read-only-from",
	access.ByAllowImport:  "an import is refused: its client is not in --allow-import",
}

// note takes note of a refusal, and logs the first one of an address and reason
// within an hour.
func (d *door) note(r store.Refusal) {
	addr := access.Of(r.Asker.Addr)
	first, others := d.hourly.First(addr, r.Reason, time.Now())
	r.First = first && !others
	if d.noted != nil {
		d.noted(r)
	}
	if first && others {
		d.log.Warn(whatIsRefused[r.Reason] + "; so are more addresses than are told apart")
	}
	if !r.First {
		return
	}
	var about []any
	for _, a := range []struct{ name, text string }{
		{"method", r.Asker.Method}, {"version", r.Key.Version}, {"pkgarch", r.Key.Pkgarch}, {"client", addr.String()},
	} {
		if a.text != "" {
			about = append(about, a.name, a.text)
		}
	}
	d.log.Warn(whatIsRefused[r.Reason], about...)
}
