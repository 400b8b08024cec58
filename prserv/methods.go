package prserv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"

	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
	"prserver/xmlrpc"
)

// method is one method of the service.
type method struct {
	function string   // what the reference calls the function in its faults
	params   []string // what it calls the parameters
	optional int      // how many of the last ones may be missing
	help     string   // what system.methodHelp answers
	serve    func(*Server, context.Context, *xmlrpc.Call) (any, error)
}

// methods are the methods by their names on the wire. The reference documents
// only those that have a help here.
//
// Source: lib/prserv/serv.py:PRServer.__init__.
var methods map[string]*method

func init() { // not a literal: listMethods refers to the table
	methods = map[string]*method{
		"getPR":     {"getPR", []string{"version", "pkgarch", "checksum"}, 0, "", (*Server).getPR},
		"importone": {"importone", []string{"version", "pkgarch", "checksum", "value"}, 0, "", (*Server).importone},
		"export":    {"export", []string{"version", "pkgarch", "checksum", "colinfo"}, 4, "", (*Server).export},
		"dump_db": {"dump_db", nil, 0, "The SQL script that makes the whole database again, for the sqlite3 program.\n" +
			"Nil where the database cannot be read.", (*Server).dumpDB},
		"ping": {"ping", nil, 0, "", (*Server).ping},
		"quit": {"quit", nil, 0, "", (*Server).quit},
		"system.listMethods": {"system_listMethods", nil, 0,
			"The names of the methods, sorted.", (*Server).listMethods},
		"system.methodHelp": {"system_methodHelp", []string{"method_name"}, 0,
			"What the named method does, in words; empty where nobody wrote any.", (*Server).methodHelp},
		"system.methodSignature": {"system_methodSignature", []string{"method_name"}, 0,
			"The types of the named method's parameters, which this service does not tell.", (*Server).methodSignature},
	}
}

// call answers a call.
func (s *Server) call(ctx context.Context, c *xmlrpc.Call) (any, error) {
	m, ok := methods[c.Method]
	if !ok || !c.HasMethod {
		return nil, &UnknownMethodError{Name: c.Method, Named: c.HasMethod}
	}
	if n := len(c.Params); n > len(m.params) || n < len(m.params)-m.optional {
		return nil, &ArgumentError{m.function, m.params, m.optional, n}
	}
	return m.serve(s, ctx, c)
}

// orNil makes nil, and a line in the log, of an error of the database.
func (s *Server) orNil(v any, err error) (any, error) {
	if err == nil || !sqlite.IsStoreError(err) {
		return v, err
	}
	s.log.Error(err.Error())
	return nil, nil
}

// Source: lib/prserv/serv.py:PRServer.getPR.
func (s *Server) getPR(ctx context.Context, c *xmlrpc.Call) (any, error) {
	v, err := s.store.GetPR(ctx, c.Params[0], c.Params[1], c.Params[2])
	if errors.Is(err, sqlite.ErrNotFound) {
		s.logNotFound(c)
		return nil, nil
	}
	return s.orNil(v, err)
}

func (s *Server) logNotFound(c *xmlrpc.Call) {
	version, _ := c.Dialect.Text(c.Params[0])
	checksum, _ := c.Dialect.Text(c.Params[2])
	s.log.Error("can not find value for (" + version + ", " + checksum + ")")
}

// Source: lib/prserv/serv.py:PRServer.importone, which lets errors through.
func (s *Server) importone(ctx context.Context, c *xmlrpc.Call) (any, error) {
	return s.store.ImportOne(ctx, c.Params[0], c.Params[1], c.Params[2], c.Params[3])
}

// Source: lib/prserv/serv.py:PRServer.export.
func (s *Server) export(ctx context.Context, c *xmlrpc.Call) (any, error) {
	given := []any{nil, nil, nil, true}
	copy(given, c.Params)
	var f store.Filter
	for i, to := range []**string{&f.Version, &f.Pkgarch, &f.Checksum} {
		if !xmlrpc.Truth(given[i]) {
			continue
		}
		text, err := c.Dialect.Text(given[i])
		if err != nil {
			return s.orNil(nil, err)
		}
		*to = &text
	}
	return s.orNil(s.store.Export(ctx, f, xmlrpc.Truth(given[3])))
}

// Source: lib/prserv/serv.py:PRServer.dump_db.
func (s *Server) dumpDB(ctx context.Context, _ *xmlrpc.Call) (any, error) {
	return xmlrpc.Text(func(w io.Writer) error { return s.store.Dump(ctx, w) }), nil
}

// Source: lib/prserv/serv.py:PRServer.ping.
func (s *Server) ping(context.Context, *xmlrpc.Call) (any, error) {
	return !s.quitting(), nil
}

// Source: lib/prserv/serv.py:PRServer.quit.
func (s *Server) quit(_ context.Context, c *xmlrpc.Call) (any, error) {
	if !s.allowRemoteQuit && !isLocal(c.Client) {
		s.log.Warn(fmt.Sprintf("quit from %s is not obeyed", c.Client.RemoteAddr()))
		return nil, ErrRemoteQuit
	}
	s.Quit()
	return nil, nil
}

// isLocal tells whether a connection comes from one of this machine's own
// addresses.
func isLocal(conn net.Conn) bool {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	if local, ok := conn.LocalAddr().(*net.TCPAddr); remote.IP.IsLoopback() || ok && local.IP.Equal(remote.IP) {
		return true
	}
	addrs, _ := net.InterfaceAddrs() // without them the client is a stranger
	return slices.ContainsFunc(addrs, func(a net.Addr) bool {
		ipNet, ok := a.(*net.IPNet)
		return ok && ipNet.IP.Equal(remote.IP)
	})
}

func (s *Server) listMethods(context.Context, *xmlrpc.Call) (any, error) {
	var names []any
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		names = append(names, name)
	}
	return names, nil
}

func (s *Server) methodHelp(_ context.Context, c *xmlrpc.Call) (any, error) {
	switch name := c.Params[0].(type) {
	case string:
		if m, ok := methods[name]; ok {
			return m.help, nil
		}
	case []any, xmlrpc.Struct, xmlrpc.Binary, xmlrpc.DateTime:
		return nil, &UnhashableError{c.Params[0]}
	}
	return "", nil
}

func (s *Server) methodSignature(context.Context, *xmlrpc.Call) (any, error) {
	return "signatures not supported", nil
}
