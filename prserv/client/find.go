package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
)

// keptConns is how many connections a [Server] keeps for calls over XML-RPC.
const keptConns = 32

// Server is a PR server that [Find] has asked what it speaks. Ours speaks both
// protocols, those of BitBake one of them.
type Server struct {
	XMLRPC *Client    // nil if it does not speak XML-RPC
	JSON   *JSONLines // nil if it does not speak JSON lines
	// Keeps tells that it keeps the connections of XML-RPC, as ours does.
	Keeps bool
	// Trouble is the error that a ping is answered with, or nil: a [*FaultError]
	// or an [*asyncrpc.InvokeError]. The server may still answer other calls.
	Trouble error
}

// Find finds out what the server at addr, HOST:PORT, speaks. It asks over XML-RPC
// first, since a server of BitBake 1.52 and later closes such a connection
// without an answer, whereas one of up to 1.50 logs an error for a line of JSON.
// A call of the clients takes no longer than timeout: see [New] and
// [NewJSONLines]. The caller closes the server. The error is [ErrNoAnswer] where
// nobody answers, and another one where no PR server does.
func Find(ctx context.Context, addr string, timeout time.Duration) (*Server, error) {
	s := &Server{XMLRPC: New(addr, timeout), JSON: NewJSONLines(addr, timeout)}
	s.XMLRPC.question, s.JSON.question = isPRServer, isPRServer
	s.XMLRPC.KeepConnections(keptConns)
	var err error
	s.Keeps, err = s.XMLRPC.KeepsConnections(ctx)
	var fault *FaultError
	switch {
	case err == nil || errors.As(err, &fault):
		s.Trouble = err
		// Python's server keeps no connection, and needs no line of JSON.
		if !s.Keeps || !speaksJSON(s.JSON.Ping(ctx)) {
			s.JSON = nil
		}
		return s, nil
	case !errors.Is(err, ErrNoAnswer) || !wasClosed(err):
		s.Close()
		return nil, err
	}
	s.XMLRPC = nil
	s.Trouble = s.JSON.Ping(ctx)
	if speaksJSON(s.Trouble) {
		return s, nil
	}
	s.Close()
	if errors.Is(s.Trouble, ErrNoAnswer) {
		err = s.Trouble
	}
	return nil, err
}

// speaksJSON tells by the error of a ping whether a server speaks JSON lines.
func speaksJSON(err error) bool {
	var words *asyncrpc.InvokeError
	return err == nil || errors.As(err, &words)
}

// Close closes the connections that are not in use.
func (s *Server) Close() {
	if s.XMLRPC != nil {
		s.XMLRPC.CloseIdleConnections()
	}
	if s.JSON != nil {
		s.JSON.Close()
	}
}

// GetPR returns the PR value of a checksum, which the server makes if need be. It
// asks as a client of the server's own generation does, and where that is any,
// for a whole number.
func (s *Server) GetPR(ctx context.Context, version, pkgarch, checksum string) (store.Revision, error) {
	if s.XMLRPC != nil {
		value, err := s.XMLRPC.GetPR(ctx, version, pkgarch, checksum)
		return store.Revision{value}, err
	}
	history := (*bool)(nil)
	revisions, err := s.JSON.HasRevisions(ctx)
	if err != nil {
		return nil, err
	}
	if revisions {
		history = new(bool)
	}
	return s.JSON.GetPR(ctx, version, pkgarch, checksum, history)
}

// HasRevisions tells whether the values of the server are texts, as from BitBake
// 2.10 on, and not whole numbers. Nothing is stored. Only one that tells so takes
// the history of [JSONLines.GetPR].
func (c *JSONLines) HasRevisions(ctx context.Context) (bool, error) {
	none, history := "no-such-version", false // 2.10 insists on a history, and 2.8 does not mind it
	table, err := c.Export(ctx, store.Filter{Version: &none, Pkgarch: &none, Checksum: &none}, true, &history)
	switch {
	case err != nil:
		return false, err
	case table.Table == store.MainTable:
		return true, nil
	case table.Table == store.NohistTable:
		return false, nil
	}
	return false, fmt.Errorf("export: the server has the table %.60q, which is not one of a PR server", table.Table)
}
