package client

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
)

// JSONLines asks one PR server in the protocol of BitBake 1.52 and later, over
// one connection, which it keeps. Many goroutines may call its methods; they
// wait for each other. Their errors name the command and wrap what went wrong:
// an [*asyncrpc.InvokeError], [ErrNoValue], [ErrNoAnswer], or another error of
// the connection.
//
// PR values are whole numbers to a server of BitBake up to 2.8, and texts to a
// later one. Here both are a [store.Revision], of which nil is no value.
type JSONLines struct {
	addr     string
	timeout  time.Duration
	conns    chan *asyncrpc.Conn // has the connection, or nil, while no call is made
	answered atomic.Bool         // so it is, or was, a PR server
	question string              // for a person, if it does not answer
}

// NewJSONLines returns a client of the server at addr, HOST:PORT. It connects at
// its first call, and again when the server has closed the connection. A call
// takes no longer than timeout, whatever its context says; each line of an
// export may take as long.
func NewJSONLines(addr string, timeout time.Duration) *JSONLines {
	c := &JSONLines{addr: addr, timeout: timeout, conns: make(chan *asyncrpc.Conn, 1), question: otherJSON}
	c.conns <- nil
	return c
}

// Close closes the connection once a call that is being made has its answer.
// The next call makes a new one.
func (c *JSONLines) Close() {
	if conn := <-c.conns; conn != nil {
		conn.Close()
	}
	c.conns <- nil
}

// Ping returns nil if the server answers.
func (c *JSONLines) Ping(ctx context.Context) error {
	_, err := c.truth(ctx, "ping", nil, "alive")
	return err
}

// IsReadOnly tells whether the server stores nothing.
func (c *JSONLines) IsReadOnly(ctx context.Context) (bool, error) {
	v, err := c.ask(ctx, "is-readonly", nil)
	if err != nil {
		return false, err
	}
	object, _ := v.(asyncrpc.Object)
	readOnly, ok := object.Get("readonly")
	if is, isBool := readOnly.(bool); ok && (isBool || readOnly == nil) {
		return is, nil // BitBake 1.52 to 2.6 says null for false
	}
	return false, unexpectedJSON("is-readonly", v)
}

// GetPR returns the PR value of a checksum, which the server makes if need be.
// For a server of BitBake 2.10 and later history must be given: it says whether
// a checksum keeps a value that is not the greatest any more. It is nil for one
// before that.
func (c *JSONLines) GetPR(ctx context.Context, version, pkgarch, checksum string, history *bool) (store.Revision, error) {
	return c.value(ctx, "get-pr", withHistory(history, key(version, pkgarch, checksum)))
}

// TestPR returns the PR value of a checksum, or nil if it has none. See
// [JSONLines.GetPR] for history.
func (c *JSONLines) TestPR(ctx context.Context, version, pkgarch, checksum string, history *bool) (store.Revision, error) {
	return c.valueOrNone(ctx, "test-pr", withHistory(history, key(version, pkgarch, checksum)))
}

// TestPackage tells whether the server has a value for a package.
func (c *JSONLines) TestPackage(ctx context.Context, version, pkgarch string) (bool, error) {
	return c.truth(ctx, "test-package", key(version, pkgarch), "value")
}

// MaxPackagePR returns the greatest value of a package, or nil if it has none.
func (c *JSONLines) MaxPackagePR(ctx context.Context, version, pkgarch string) (store.Revision, error) {
	return c.valueOrNone(ctx, "max-package-pr", key(version, pkgarch))
}

// ImportOne stores a value, and returns what the server says is stored then. The
// value is an int64, which every server takes, or a [store.Revision] or a
// string, which is sent as text.
func (c *JSONLines) ImportOne(ctx context.Context, version, pkgarch, checksum string, value store.Value) (store.Revision, error) {
	switch v := value.(type) {
	case store.Revision:
		value = v.String()
	case int64, string:
	default:
		return nil, fmt.Errorf("import-one: %v (%T) is no PR value", v, v)
	}
	args := append(key(version, pkgarch, checksum), asyncrpc.Member{Name: "value", Value: value})
	return c.value(ctx, "import-one", args)
}

// key makes the members that name a package, or a checksum of it.
func key(names ...string) asyncrpc.Object {
	args := make(asyncrpc.Object, 0, len(names)+2)
	for i, name := range names {
		args = append(args, asyncrpc.Member{Name: []string{"version", "pkgarch", "checksum"}[i], Value: name})
	}
	return args
}

func withHistory(history *bool, args asyncrpc.Object) asyncrpc.Object {
	if history == nil {
		return args
	}
	return append(args, asyncrpc.Member{Name: "history", Value: *history})
}

// value gives a command whose answer is a PR value.
func (c *JSONLines) value(ctx context.Context, command string, args asyncrpc.Object) (store.Revision, error) {
	r, err := c.valueOrNone(ctx, command, args)
	if err == nil && r == nil {
		return nil, fmt.Errorf("%s: %w", command, ErrNoValue)
	}
	return r, err
}

// valueOrNone gives a command whose answer is a PR value, or null.
func (c *JSONLines) valueOrNone(ctx context.Context, command string, args asyncrpc.Object) (store.Revision, error) {
	v, err := c.ask(ctx, command, args)
	if err != nil || v == nil {
		return nil, err
	}
	object, _ := v.(asyncrpc.Object)
	value, ok := object.Get("value")
	switch value := value.(type) {
	case nil:
		if ok {
			return nil, nil
		}
	case int64:
		return store.Revision{value}, nil
	case string:
		if r, ok := store.ParseRevision(value); ok {
			return r, nil
		}
		return nil, fmt.Errorf("%s: the server has the value %q, which is no PR value", command, value)
	}
	return nil, unexpectedJSON(command, v)
}

// truth gives a command whose answer has true or false under a name.
func (c *JSONLines) truth(ctx context.Context, command string, args asyncrpc.Object, name string) (is bool, err error) {
	v, err := c.ask(ctx, command, args)
	if err != nil {
		return false, err
	}
	object, _ := v.(asyncrpc.Object)
	if !take(object, name, &is) {
		return false, unexpectedJSON(command, v)
	}
	return is, nil
}

func unexpectedJSON(command string, v any) error {
	const most = 80
	text := asyncrpc.Append(nil, v)
	if len(text) > most {
		text = append(text[:most], "..."...)
	}
	return fmt.Errorf("%s: the server answered %s, which is not an answer of a PR server", command, text)
}
