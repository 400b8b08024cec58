package prserv

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"

	"prserver/prserv/access"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// method is one method of XML-RPC.
type method struct {
	function string   // what the reference calls the function in its faults
	params   []string // what it calls the parameters
	optional int      // how many of the last ones may be missing
	help     string   // what system.methodHelp answers
	failure  failure
	serve    func(*Server, context.Context, *xmlrpc.Call) (any, error)
}

// methods are the methods by their names on the wire. The reference documents
// only those that have a help here.
//
// Source: lib/prserv/serv.py:PRServer.__init__.
var methods map[string]*method

func init() { // not a literal: listMethods refers to the table
	methods = map[string]*method{
		"getPR":     {"getPR", []string{"version", "pkgarch", "checksum"}, 0, "", nilOnTrouble, (*Server).rpcGetPR},
		"importone": {"importone", []string{"version", "pkgarch", "checksum", "value"}, 0, "", faults, (*Server).rpcImportOne},
		"export":    {"export", []string{"version", "pkgarch", "checksum", "colinfo"}, 4, "", nilOnTrouble, (*Server).rpcExport},
		"dump_db": {"dump_db", nil, 0, "The SQL script that makes the whole database again, for the sqlite3 program.\n" +
			"Nil where the database cannot be read.", nilAlways, (*Server).rpcDump},
		"ping": {"ping", nil, 0, "", faults, (*Server).rpcPing},
		"quit": {"quit", nil, 0, "", faults, (*Server).rpcQuit},
		"system.listMethods": {"system_listMethods", nil, 0,
			"The names of the methods, sorted.", faults, (*Server).rpcListMethods},
		"system.methodHelp": {"system_methodHelp", []string{"method_name"}, 0,
			"What the named method does, in words; empty where nobody wrote any.", faults, (*Server).rpcMethodHelp},
		"system.methodSignature": {"system_methodSignature", []string{"method_name"}, 0,
			"The types of the named method's parameters, which this service does not tell.", faults, (*Server).rpcMethodSignature},
	}
}

// call answers a call of XML-RPC.
func (s *Server) call(ctx context.Context, c *xmlrpc.Call) (any, error) {
	m, ok := methods[c.Method]
	if conn, isClient := c.Client.(*client); isClient && conn.rights.Refused {
		conn.noted = true
		if c.Method != "quit" || !isLocal(conn) {
			return nil, s.refuseCall(c, access.ByAllow)
		}
	}
	if !ok || !c.HasMethod {
		return nil, &UnknownMethodError{Name: c.Method, Named: c.HasMethod}
	}
	if n := len(c.Params); n > len(m.params) || n < len(m.params)-m.optional {
		return nil, &ArgumentError{m.function, m.params, m.optional, n}
	}
	v, err := m.serve(s, ctx, c)
	if err == nil {
		return v, nil
	}
	return s.service.failed(m.failure, err, about(m, c)...)
}

// refuseCall takes note that a call is refused, and returns what its client hears.
func (s *Server) refuseCall(c *xmlrpc.Call, reason string) error {
	a := store.Asker{Addr: c.Client.RemoteAddr(), Generation: 1}
	var k store.Key
	if m, ok := methods[c.Method]; ok {
		a.Method = c.Method
		if len(m.params) >= 3 && len(c.Params) >= 3 {
			k, _, _ = keyOf(c.Params) // what cannot be stored is no key
		}
	}
	return s.door.refuse(reason, a, k)
}

// about returns what the log says of a call that has failed: its method, the
// key it names, and who has sent it.
func about(m *method, c *xmlrpc.Call) []any {
	said := []any{"method", c.Method}
	for i, name := range m.params[:min(2, len(c.Params), len(m.params))] {
		if text, ok := c.Params[i].(string); ok {
			said = append(said, name, text)
		}
	}
	return append(said, "client", addressOf(c.Client))
}

// addressOf returns the address of a client, without its port, which differs
// from call to call.
func addressOf(conn net.Conn) string {
	if conn == nil {
		return ""
	}
	return hostOf(conn.RemoteAddr().String())
}

func (s *Server) rpcGetPR(ctx context.Context, c *xmlrpc.Call) (any, error) {
	k, ok, err := keyOf(c.Params)
	if err != nil {
		return nil, err
	}
	var v store.Value
	if err = store.ErrNotFound; ok {
		v, err = s.service.getPR(ctx, k, store.Mode{Peek: rightsOf(c.Client).ReadOnly})
	}
	if errors.Is(err, store.ErrNotFound) {
		s.logNotFound(c)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return loaded(v)
}

func (s *Server) logNotFound(c *xmlrpc.Call) {
	version, _ := c.Dialect.Text(c.Params[0])
	checksum, _ := c.Dialect.Text(c.Params[2])
	s.log.Error("can not find value for", "", "("+version+", "+checksum+")", "client", addressOf(c.Client))
}

func (s *Server) rpcImportOne(ctx context.Context, c *xmlrpc.Call) (any, error) {
	if reason := mayNotImport(c.Client); reason != "" {
		return nil, s.refuseCall(c, reason)
	}
	k, ok, err := keyOf(c.Params)
	if err != nil {
		return nil, err
	}
	given, err := bound(3, c.Params[3])
	if err != nil {
		return nil, err
	}
	if !ok && !s.service.readOnly {
		return nil, nil // the table takes no NULL, and nothing equals it
	}
	v, err := s.service.importOne(ctx, k, given)
	if err != nil {
		return nil, err
	}
	return loaded(v)
}

func (s *Server) rpcExport(ctx context.Context, c *xmlrpc.Call) (any, error) {
	given := []any{nil, nil, nil, true}
	copy(given, c.Params)
	f, err := filterOf(given, c.Dialect.Text)
	if err != nil {
		return nil, err
	}
	meta := structOf()
	if xmlrpc.Truth(given[3]) {
		columns, err := s.service.columns(ctx, false)
		if err != nil {
			return nil, err
		}
		meta = tableInfo(columns, false, structOf)
	}
	return c.NewPair(meta, func(add func(any) error) error {
		return s.service.export(ctx, f, func(r store.Row) error {
			row, err := exportedRow(r)
			if err == nil && xmlrpc.Truth(row[0].Value) { // the reference leaves out an empty version
				err = add(row)
			}
			return err
		})
	})
}

func (s *Server) rpcDump(ctx context.Context, c *xmlrpc.Call) (any, error) {
	return c.NewText(func(w io.Writer) error { return s.service.dump(ctx, w) })
}

// Source: lib/prserv/serv.py:PRServer.ping.
func (s *Server) rpcPing(ctx context.Context, _ *xmlrpc.Call) (any, error) {
	if err := s.service.store.Check(ctx); err != nil {
		return nil, err // BitBake prints it, before it has built anything
	}
	return !s.quitting(), nil
}

// Source: lib/prserv/serv.py:PRServer.quit.
func (s *Server) rpcQuit(_ context.Context, c *xmlrpc.Call) (any, error) {
	if !s.allowRemoteQuit && !isLocal(c.Client) {
		s.log.Warn("quit is not obeyed", "client", addressOf(c.Client))
		return nil, errRemoteQuit
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

func (s *Server) rpcListMethods(context.Context, *xmlrpc.Call) (any, error) {
	var names []any
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		names = append(names, name)
	}
	return names, nil
}

func (s *Server) rpcMethodHelp(_ context.Context, c *xmlrpc.Call) (any, error) {
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

func (s *Server) rpcMethodSignature(context.Context, *xmlrpc.Call) (any, error) {
	return "signatures not supported", nil
}
