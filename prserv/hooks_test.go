package prserv

import (
	"bufio"
	"context"

	"prserver/xmlrpc"
)

// Call answers a call.
func (s *Server) Call(ctx context.Context, c *xmlrpc.Call) (any, error) { return s.call(ctx, c) }

// ObservedCall answers a call, and tells the observer.
func (s *Server) ObservedCall(ctx context.Context, c *xmlrpc.Call) (any, error) {
	return s.observed(ctx, c)
}

// Protocol is what sniff tells.
type Protocol = protocol

// The protocols.
const (
	XMLRPC    = xmlRPC
	JSONLines = jsonLines
)

// Sniff is sniff.
func Sniff(r *bufio.Reader) (Protocol, error) { return sniff(r) }

// What the tests of this package have to wait for cannot be seen from outside.

// Answering returns how many calls are being answered.
func (s *Server) Answering() int {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	n := 0
	for c := range s.clients.open {
		if c.busy() {
			n++
		}
	}
	return n
}

// Refusing returns how many clients are connected that are not served.
func (s *Server) Refusing() int {
	s.door.clients.mu.Lock()
	defer s.door.clients.mu.Unlock()
	return len(s.door.clients.open)
}

// TellRepeats makes a server's log tell of all that has come again, as if its
// time had come.
func (s *Server) TellRepeats() {
	s.troubles.mu.Lock()
	var keys []troubleKey
	for key := range s.troubles.last {
		keys = append(keys, key)
	}
	s.troubles.mu.Unlock()
	for _, key := range keys {
		s.troubles.tell(key)
	}
}
