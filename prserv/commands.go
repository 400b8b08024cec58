package prserv

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"prserver/prserv/access"
	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
)

// request is a message of the JSON-lines protocol, to one command.
type request struct {
	session *asyncrpc.Session
	command string
	args    any

	takesHistory bool // a client of generation 3 says what it wants by the member history
}

// is2a tells a client of BitBake 1.52 to 2.6, which sends no header. It knows
// fewer commands, and no answer in words.
func (r *request) is2a() bool { return r.session.Headers == 0 }

// command is a command of the JSON-lines protocol.
type command struct {
	name    string
	since2b bool // BitBake 1.52 to 2.6 does not know it
	history bool // clients of generation 3 send the member history
	serve   func(*Server, context.Context, *request) (any, error)
}

// commands are the commands. If a message has several, the first one of this
// order is obeyed.
//
// Source: lib/prserv/serv.py:PRServerClient.__init__ of BitBake 2.10.
var commands = []command{
	{"ping", false, false, (*Server).jsonPing},
	{"get-pr", false, true, (*Server).jsonGetPR},
	{"test-pr", true, true, (*Server).jsonTestPR},
	{"test-package", true, false, (*Server).jsonTestPackage},
	{"max-package-pr", true, false, (*Server).jsonMaxPackagePR},
	{"import-one", false, false, (*Server).jsonImportOne},
	{"export", false, true, (*Server).jsonExport},
	{"is-readonly", false, false, (*Server).jsonIsReadOnly},
}

// Errors of messages that are not answered: the connection is closed.
var (
	errNoCommand = errors.New("no command that this server knows")
	errNoObject  = errors.New("no JSON object")
	errNoText    = errors.New("no text that can be stored")
)

// command answers a message of the JSON-lines protocol.
func (s *Server) command(ctx context.Context, r *request, message any) (any, error) {
	members, ok := message.(asyncrpc.Object)
	if !ok {
		return nil, errNoObject
	}
	for _, c := range commands {
		if r.args, ok = members.Get(c.name); !ok || c.since2b && r.is2a() {
			continue
		}
		r.command, r.takesHistory = c.name, c.history
		if s.askers {
			ctx = s.asker(ctx, r.session.Conn, r.generation(), c.name)
		}
		reply, err := s.obey(ctx, c, r)
		if err != nil {
			return s.commandFailed(r, err)
		}
		return reply, nil
	}
	return nil, errNoCommand
}

// obey answers a command, unless its client is not served.
func (s *Server) obey(ctx context.Context, c command, r *request) (any, error) {
	if conn, ok := r.session.Conn.(*client); ok && conn.rights.Refused {
		conn.noted = true
		return nil, s.refuse(r, access.ByAllow)
	}
	return c.serve(s, ctx, r)
}

// refuse takes note that a command is refused, and returns what its client hears.
func (s *Server) refuse(r *request, reason string) error {
	k, _, _ := r.key() // not every command has one
	return s.door.refuse(reason, store.Asker{Addr: r.session.Conn.RemoteAddr(), Generation: r.generation(), Method: r.command}, k)
}

// commandFailed returns what a client is answered where a command has failed.
// What is wrong with the command itself closes the connection. Trouble of the
// storage is told in words, with which BitBake ends at once; those who know no
// words get null. That the database does not answer passes, so all are told in a way
// that lets them ask again.
func (s *Server) commandFailed(r *request, err error) (any, error) {
	var bad *requestError
	if errors.As(err, &bad) {
		return nil, err
	}
	var refused *refusal
	if !errors.As(err, &refused) {
		about := []any{"method", r.command}
		if k, _, e := r.key(); e == nil {
			about = append(about, "version", k.Version, "pkgarch", k.Pkgarch)
		}
		s.service.logTrouble(err, append(about, "client", r.session.Client())...)
	}
	passes := errors.Is(err, store.ErrUnavailable)
	if r.is2a() && !passes {
		return nil, nil
	}
	return nil, &asyncrpc.InvokeError{Message: r.command + ": " + err.Error(), Passes: passes}
}

// requestError is an error of a command that is not answered.
type requestError struct{ error }

func (e *requestError) Unwrap() error { return e.error }

// refusal is the reason for which a call is not obeyed that the original would
// obey.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// arg returns an argument of the command. The error is a [*requestError] where it
// is missing.
func (r *request) arg(name string) (any, error) {
	args, ok := r.args.(asyncrpc.Object)
	if !ok {
		return nil, &requestError{fmt.Errorf("%s: %w", r.command, errNoObject)}
	}
	v, ok := args.Get(name)
	if !ok {
		return nil, &requestError{fmt.Errorf("%s: %s is missing", r.command, name)}
	}
	return v, nil
}

// columns returns arguments as they are stored, of which some may be nil. The
// error is a [*requestError] where one is missing or cannot be stored.
func (r *request) columns(names ...string) ([]store.Value, error) {
	columns := make([]store.Value, len(names))
	for i, name := range names {
		v, err := r.arg(name)
		if err != nil {
			return nil, err
		}
		if columns[i], err = column(i, v); err != nil {
			if errors.Is(err, ErrTextTooLong) {
				return nil, &refusal{fmt.Errorf("%s: %w", name, err)} // commandFailed names the command
			}
			return nil, &requestError{fmt.Errorf("%s: %s: %w", r.command, name, err)}
		}
	}
	return columns, nil
}

// key returns the key that a command names. ok is false where a part of it is
// null: no row has such a key.
func (r *request) key() (k store.Key, ok bool, err error) {
	columns, err := r.columns("version", "pkgarch", "checksum")
	if err != nil {
		return k, false, err
	}
	k, ok = keyOfColumns(columns)
	return k, ok, nil
}

// group returns the version and pkgarch that a command names, as key does.
func (r *request) group() (k store.Key, ok bool, err error) {
	columns, err := r.columns("version", "pkgarch")
	if err != nil {
		return k, false, err
	}
	k, ok = keyOfColumns(columns)
	return k, ok, nil
}

// mode tells by the member history, which only clients of generation 3 send,
// what a client wants.
func (r *request) mode() store.Mode {
	args, _ := r.args.(asyncrpc.Object)
	history, ok := args.Get("history")
	return store.Mode{Revisions: ok, History: ok && truth(history)}
}

// answer is the reply that most commands have.
func answer(v any) asyncrpc.Object { return asyncrpc.Object{{Name: "value", Value: v}} }

func (s *Server) jsonPing(ctx context.Context, r *request) (any, error) {
	if err := s.service.store.Check(ctx); err != nil && !r.is2a() {
		return nil, err
	}
	return asyncrpc.Object{{Name: "alive", Value: true}}, nil
}

// noText is nothing that can be stored, as null is not. A server that stores
// nothing says what would be next for it.
const noText = "\xff"

func (s *Server) jsonGetPR(ctx context.Context, r *request) (any, error) {
	columns, err := r.columns("version", "pkgarch", "checksum")
	var bind *BindError
	if r.is2a() && errors.As(err, &bind) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.isReadOnly(r.session.Conn) {
		for i := range columns {
			if columns[i] == nil {
				columns[i] = noText
			}
		}
	}
	k, ok := keyOfColumns(columns)
	m := r.mode()
	m.Peek = rightsOf(r.session.Conn).ReadOnly
	var v store.Value
	if err = store.ErrNotFound; ok {
		v, err = s.service.getPR(ctx, k, m)
	}
	if errors.Is(err, store.ErrNotFound) {
		if m.Revisions {
			return nil, &requestError{errors.New("get-pr: a part of the key is null")}
		}
		s.log.Error("can not find value for", "", "("+k.Version+", "+k.Checksum+")", "client", r.session.Client())
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	value, err := jsonValue(v)
	return answer(value), err
}

// Source: lib/prserv/serv.py:PRServerClient.handle_test_pr of BitBake 2.8 and 2.10.
func (s *Server) jsonTestPR(ctx context.Context, r *request) (any, error) {
	k, ok, err := r.key()
	if err != nil || !ok {
		return answer(nil), err
	}
	m := r.mode()
	found, err := s.service.find(ctx, k, m)
	if err != nil {
		return nil, err
	}
	v := found.Last
	if m.History {
		v = found.First
	}
	value, err := jsonValue(v)
	return answer(value), err
}

// Source: lib/prserv/serv.py:PRServerClient.handle_test_package of BitBake 2.10.
func (s *Server) jsonTestPackage(ctx context.Context, r *request) (any, error) {
	greatest, err := s.greatest(ctx, r)
	return answer(greatest != nil), err
}

// jsonMaxPackagePR answers a text, as BitBake 2.10 and later want it. That of
// 2.8, which would want a number, never asks.
//
// Source: lib/prserv/serv.py:PRServerClient.handle_max_package_pr of BitBake 2.10.
func (s *Server) jsonMaxPackagePR(ctx context.Context, r *request) (any, error) {
	greatest, err := s.greatest(ctx, r)
	if err != nil {
		return nil, err
	}
	if n, ok := greatest.(int64); ok {
		greatest = store.Revision{n}
	}
	value, err := jsonValue(greatest)
	return answer(value), err
}

func (s *Server) greatest(ctx context.Context, r *request) (store.Value, error) {
	k, ok, err := r.group()
	if err != nil || !ok {
		return nil, err
	}
	found, err := s.service.find(ctx, k, store.Mode{})
	return found.Greatest, err
}

// jsonImportOne serves clients of both generations, which from BitBake 2.8 on
// cannot be told apart: the answer is of the type that was given.
//
// Source: lib/prserv/serv.py:PRServerClient.handle_import_one of BitBake 2.8 and 2.10.
func (s *Server) jsonImportOne(ctx context.Context, r *request) (any, error) {
	switch reason := mayNotImport(r.session.Conn); {
	case reason == access.ByReadOnlyFrom:
		s.refuse(r, reason) // with no word, as by a read-only server
		return nil, nil
	case reason != "":
		return nil, s.refuse(r, reason)
	case s.service.readOnly:
		return nil, nil
	}
	k, ok, err := r.key()
	if err != nil {
		return nil, err
	}
	given, err := r.arg("value")
	if err != nil {
		return nil, err
	}
	v, err := imported(given)
	if err != nil || v == nil || !ok {
		return nil, err
	}
	stored, err := s.service.importOne(ctx, k, v)
	if err != nil {
		return nil, err
	}
	value, err := jsonValue(stored)
	if err != nil {
		return nil, err
	}
	switch n, isInt := stored.(int64); {
	case isInt && r.is2a():
		return answer(n), nil
	case isSame(v, stored):
		return answer(given), nil
	case isInt && isText(given):
		return answer(strconv.FormatInt(n, 10)), nil
	}
	return answer(value), nil
}

// Source: lib/prserv/serv.py:PRServerClient.handle_is_readonly.
func (s *Server) jsonIsReadOnly(_ context.Context, r *request) (any, error) {
	readOnly := s.isReadOnly(r.session.Conn)
	if r.is2a() && !readOnly {
		return asyncrpc.Object{{Name: "readonly", Value: nil}}, nil
	}
	return asyncrpc.Object{{Name: "readonly", Value: readOnly}}, nil
}
