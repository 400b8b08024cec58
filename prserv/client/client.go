// Package client asks PR servers, ours or BitBake's own.
//
// Start with [Find] where it is not known what a server speaks; with [New] for
// those that speak XML-RPC, as BitBake's own up to 1.50 do; and with
// [NewJSONLines] for those of 1.52 and later. Ours speaks both. The methods of a
// [Client] and of a [JSONLines] are those of the protocol. DumpDB returns a
// reader, because a dump may be larger than memory.
package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"prserver/prserv/store"
)

// Timeout is how long to wait for an answer: as long as BitBake's own client of
// XML-RPC does.
const Timeout = 60 * time.Second

// ErrNoValue is returned where a PR server answers nil: its database failed, or
// it cannot compare what it was given.
var ErrNoValue = errors.New("the server has no value")

// FaultError is returned where a PR server answers with a fault.
type FaultError struct {
	Code    int
	Message string
}

func (e *FaultError) Error() string { return fmt.Sprintf("fault %d: %s", e.Code, e.Message) }

// Client asks one PR server. Many goroutines may call its methods. Their errors
// wrap what went wrong: a [*FaultError], [ErrNoValue], or another error, which
// all name the method; or [ErrNoAnswer], which names the server, and the method
// if there was a connection.
type Client struct {
	addr, url string
	timeout   time.Duration
	firstByte time.Duration     // how long a dump may take to begin
	once      http.RoundTripper // closes a connection after one call
	calls     http.RoundTripper // once, or one that keeps connections
	keeps     bool
	answered  atomic.Bool // so it is, or was, a PR server
	question  string      // for a person, if it does not answer
}

// New returns a client of the server at addr, HOST:PORT. A call takes no longer
// than timeout, whatever its context says, except [Client.DumpDB].
func New(addr string, timeout time.Duration) *Client {
	// A PR server closes the connection after every answer.
	once := newTransport(timeout)
	once.DisableKeepAlives = true
	return &Client{
		addr: addr, url: "http://" + addr + "/RPC2",
		timeout: timeout, firstByte: max(timeout, dumpPatience),
		once: once, calls: once, question: otherXMLRPC,
	}
}

// Addr returns the address of the server, HOST:PORT.
func (c *Client) Addr() string { return c.addr }

// GetPR returns the PR value of a checksum, which the server makes if need be.
func (c *Client) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	return c.value(ctx, "getPR", version, pkgarch, checksum)
}

// ImportOne stores a value, unless a greater one is stored, and returns what is
// stored then.
func (c *Client) ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error) {
	return c.value(ctx, "importone", version, pkgarch, checksum, value)
}

// Ping returns nil if the server answers and is not about to end.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.KeepsConnections(ctx)
	return err
}

// Quit asks the server to end.
func (c *Client) Quit(ctx context.Context) error {
	// Sent again on another connection, it might end the next server, too.
	_, _, err := c.callOver(ctx, c.once, "quit")
	return err
}

// Row is a row of an export.
type Row struct {
	Version, Pkgarch, Checksum string
	Value                      int64
}

// Column describes a column of the server's table.
type Column struct {
	Name, Type string
	NotNull    bool
	PrimaryKey int // the column's place in the primary key, or 0
}

// Exported is the answer to an export. Only Rows is set if no columns were
// asked for.
type Exported struct {
	Table, CoreVersion string
	Columns            []Column
	Rows               []Row
}

// Export returns the rows that hold the greatest value of their version and
// pkgarch and that f lets through. With columns, it also describes the table.
func (c *Client) Export(ctx context.Context, f store.Filter, columns bool) (*Exported, error) {
	// An empty string filters nothing. The library would leave out a nil.
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	v, err := c.call(ctx, "export", text(f.Version), text(f.Pkgarch), text(f.Checksum), columns)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, fmt.Errorf("export: %w", ErrNoValue)
	}
	pair, _ := v.([]any)
	if len(pair) != 2 {
		return nil, unexpected("export", v)
	}
	out := &Exported{}
	if meta, ok := pair[0].(map[string]any); !ok || !out.setMeta(meta) {
		return nil, unexpected("export", pair[0])
	}
	rows, ok := pair[1].([]any)
	if !ok {
		return nil, unexpected("export", pair[1])
	}
	for _, r := range rows {
		row, ok := exportedRow(r)
		if !ok {
			return nil, unexpected("export", r)
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// setMeta takes over the description of the table, which may be empty. It
// returns false if it is not one.
func (e *Exported) setMeta(meta map[string]any) bool {
	if len(meta) == 0 {
		return true
	}
	var ok1, ok2 bool
	e.Table, ok1 = meta["tbl_name"].(string)
	e.CoreVersion, ok2 = meta["core_ver"].(string)
	columns, ok3 := meta["col_info"].([]any)
	for _, c := range columns {
		info, _ := c.(map[string]any)
		name, okName := info["name"].(string)
		typ, okType := textOf(info["type"])
		notNull, okNull := info["notnull"].(int64)
		pk, okPK := info["pk"].(int64)
		if !okName || !okType || !okNull || !okPK {
			return false
		}
		e.Columns = append(e.Columns, Column{name, typ, notNull != 0, int(pk)})
	}
	return ok1 && ok2 && ok3
}

func exportedRow(v any) (row Row, ok bool) {
	members, _ := v.(map[string]any)
	var okV, okP, okC, okN bool
	row.Version, okV = textOf(members["version"])
	row.Pkgarch, okP = textOf(members["pkgarch"])
	row.Checksum, okC = textOf(members["checksum"])
	row.Value, okN = members["value"].(int64)
	return row, okV && okP && okC && okN
}

// textOf returns a text that the library has decoded. The library decodes an
// empty text as nil.
func textOf(v any) (string, bool) {
	if v == nil {
		return "", true
	}
	s, ok := v.(string)
	return s, ok
}

// value makes a call whose answer is a PR value.
func (c *Client) value(ctx context.Context, method string, args ...any) (int64, error) {
	v, err := c.call(ctx, method, args...)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	switch {
	case v == nil:
		return 0, fmt.Errorf("%s: %w", method, ErrNoValue)
	case !ok:
		return 0, unexpected(method, v)
	}
	return n, nil
}
