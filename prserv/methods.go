package prserv

import (
	"context"
	"errors"
	"maps"
	"slices"

	"prserver/xmlrpc"
)

// method is one method of the service.
type method struct {
	function string   // what the reference calls the function in its faults
	params   []string // what it calls the parameters
	optional int      // how many of the last ones may be missing
	help     string   // what system.methodHelp answers
	serve    func(s *Server, ctx context.Context, args []any, d *xmlrpc.Dialect) (any, error)
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
	return m.serve(s, ctx, c.Params, c.Dialect)
}

// orNil makes nil, and a line in the log, of an error of the database.
func (s *Server) orNil(v any, err error) (any, error) {
	if err == nil || !isStoreError(err) {
		return v, err
	}
	s.log.Error(err.Error())
	return nil, nil
}

// Source: lib/prserv/serv.py:PRServer.getPR.
func (s *Server) getPR(ctx context.Context, args []any, d *xmlrpc.Dialect) (any, error) {
	v, err := s.store.GetPR(ctx, args[0], args[1], args[2])
	if errors.Is(err, errNotFound) {
		s.logNotFound(args, d)
		return nil, nil
	}
	return s.orNil(v, err)
}

func (s *Server) logNotFound(args []any, d *xmlrpc.Dialect) {
	version, _ := d.Text(args[0])
	checksum, _ := d.Text(args[2])
	s.log.Error("can not find value for (" + version + ", " + checksum + ")")
}

// Source: lib/prserv/serv.py:PRServer.importone, which lets errors through.
func (s *Server) importone(ctx context.Context, args []any, _ *xmlrpc.Dialect) (any, error) {
	return s.store.ImportOne(ctx, args[0], args[1], args[2], args[3])
}

// Source: lib/prserv/serv.py:PRServer.export.
func (s *Server) export(ctx context.Context, args []any, d *xmlrpc.Dialect) (any, error) {
	given := []any{nil, nil, nil, true}
	copy(given, args)
	var f Filter
	for i, to := range []**string{&f.Version, &f.Pkgarch, &f.Checksum} {
		if !xmlrpc.Truth(given[i]) {
			continue
		}
		text, err := d.Text(given[i])
		if err != nil {
			return s.orNil(nil, err)
		}
		*to = &text
	}
	return s.orNil(s.store.Export(ctx, f, xmlrpc.Truth(given[3])))
}

// Source: lib/prserv/serv.py:PRServer.dump_db.
func (s *Server) dumpDB(ctx context.Context, _ []any, _ *xmlrpc.Dialect) (any, error) {
	text, err := s.store.Dump(ctx)
	if err != nil {
		s.log.Error(err.Error())
		return nil, nil
	}
	return text, nil
}

// Source: lib/prserv/serv.py:PRServer.ping.
func (s *Server) ping(context.Context, []any, *xmlrpc.Dialect) (any, error) {
	return !s.quitting(), nil
}

// Source: lib/prserv/serv.py:PRServer.quit.
func (s *Server) quit(context.Context, []any, *xmlrpc.Dialect) (any, error) {
	s.Quit()
	return nil, nil
}

func (s *Server) listMethods(context.Context, []any, *xmlrpc.Dialect) (any, error) {
	var names []any
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		names = append(names, name)
	}
	return names, nil
}

func (s *Server) methodHelp(_ context.Context, args []any, _ *xmlrpc.Dialect) (any, error) {
	switch name := args[0].(type) {
	case string:
		if m, ok := methods[name]; ok {
			return m.help, nil
		}
	case []any, xmlrpc.Struct, xmlrpc.Binary, xmlrpc.DateTime:
		return nil, &UnhashableError{args[0]}
	}
	return "", nil
}

func (s *Server) methodSignature(context.Context, []any, *xmlrpc.Dialect) (any, error) {
	return "signatures not supported", nil
}
