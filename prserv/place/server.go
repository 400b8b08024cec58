package place

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/client"
	"prserver/prserv/dbfile"
	"prserver/prserv/store"
)

// maxWireValue is the greatest value that a server can answer over XML-RPC.
const maxWireValue = math.MaxInt32

// serverKind is the kind of [Server].
type serverKind struct{}

func (serverKind) removal() string {
	return "stop the server and remove the row from its file with sqlite3"
}

func (serverKind) refuse(dst Place, o CopyOptions, toItself bool) error {
	return cmp.Or(refuseGeneration(dst, o), refuseAll(dst, o), refuseReplace(dst, o), refuseItself(dst, toItself))
}

func (serverKind) check(_ context.Context, c *checker, t *table) (sound bool, err error) {
	if t.trouble == nil {
		return true, c.deleted()
	}
	what, do, ok := strings.Cut(words(t.trouble), "; ")
	if ok { // ours says itself what to do
		return true, c.problem(strings.ReplaceAll(do, "HOST:PORT", shellWord(c.place.Name)), "%s", what)
	}
	return true, c.problem("save what it has: prserv-tool copy "+shellWord(c.place.Name)+" rescue.sql",
		"it gives out no new value: %s", what)
}

// deleted finds out whether a server of this machine keeps its values where they
// are lost when it ends.
func (c *checker) deleted() error {
	if c.Process == nil {
		return nil
	}
	pid := c.Process(c.place.Name)
	if pid == 0 {
		return nil
	}
	files := dbfile.Deleted(pid)
	if len(files) == 0 {
		return nil
	}
	return c.problem("save what it has while it runs: prserv-tool copy "+shellWord(c.place.Name)+" rescue.sql",
		"it (process %d) keeps values in deleted files, and may lose them when it ends: %s", pid, strings.Join(files, " and "))
}

// words returns what a server has said instead of an answer, or "".
func words(err error) string {
	var fault *client.FaultError
	var invoke *asyncrpc.InvokeError
	switch {
	case errors.As(err, &fault):
		return withoutClass(fault.Message)
	case errors.As(err, &invoke):
		return invoke.Message
	}
	return ""
}

// classOfPython is how the message of a fault begins.
var classOfPython = regexp.MustCompile(`^<(class|type) '[^']*'>:`)

// withoutClass returns the message of a fault without Python's name for the error.
func withoutClass(message string) string { return classOfPython.ReplaceAllString(message, "") }

// read reads what a server dumps, or what it exports if it cannot dump.
func (serverKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, o readOptions) (*table, error) {
	server, err := client.Find(ctx, p.Name, client.Timeout)
	if err != nil {
		return nil, ServerError(p, err)
	}
	defer server.Close()
	t, err := w.readServer(ctx, s, server, p, name, o)
	if err == nil {
		t.trouble = server.Trouble
	}
	return t, err
}

func (w *Work) readServer(ctx context.Context, s *scratch, server *client.Server, p Place, name string, o readOptions) (*table, error) {
	if server.XMLRPC == nil {
		return w.readJSON(ctx, s, server.JSON, p, name, o)
	}
	// Also one that refuses a ping may still dump.
	dump, err := server.XMLRPC.DumpDB(ctx)
	var fault *client.FaultError
	if errors.As(err, &fault) && strings.Contains(fault.Message, "not supported") {
		return w.readExport(ctx, s, server.XMLRPC, p, name)
	}
	if err != nil {
		return nil, ServerError(p, server.Why(err))
	}
	defer dump.Close()
	// Ours, which speaks both protocols, answers from both tables. That of BitBake
	// answers from the older one only, whatever else its file has.
	d := dumpParser{lenient: o.lenient, older: server.JSON == nil}
	t, err := w.stageText(ctx, s, dump, 0, p, name, d.parse)
	if err != nil {
		return nil, fmt.Errorf("%s: its dump: %w", p, err)
	}
	d.warn(w, p)
	return d.united(ctx, s, t, name)
}

// readExport reads what a server exports over XML-RPC.
func (w *Work) readExport(ctx context.Context, s *scratch, server *client.Client, p Place, name string) (*table, error) {
	w.warn("%s tells only the greatest value of each version and pkgarch, as all servers up to BitBake 1.28 do; "+
		"all other rows are missing, so copy its file as well once it has stopped", p)
	exported, err := server.Export(ctx, store.Filter{}, false)
	if err != nil {
		return nil, ServerError(p, err)
	}
	t, err := s.stage(ctx, name, func(to *stager) (*generation, error) {
		for _, r := range exported.Rows {
			if err := to.add(store.Row{Version: r.Version, Pkgarch: r.Pkgarch, Checksum: r.Checksum, Value: r.Value}); err != nil {
				return nil, err
			}
		}
		return generation1, nil
	})
	if err != nil {
		return nil, err
	}
	t.place = p
	return t, nil
}

// readJSON reads what a server exports that speaks JSON lines only: all rows from
// BitBake 2.10 on.
func (w *Work) readJSON(ctx context.Context, s *scratch, server *client.JSONLines, p Place, name string, o readOptions) (*table, error) {
	revisions, err := server.HasRevisions(ctx)
	if err != nil {
		return nil, ServerError(p, err)
	}
	of := generation3
	if !revisions {
		of = generation1
		w.warn("%s tells only the greatest value of each version and pkgarch, as all servers of BitBake 1.52 to 2.8 do; all other rows are missing, "+
			"so stop it with bitbake-prserv --stop, without which 2.8 loses its last values, and copy its file as well", p)
	}
	left := leftOut{place: p, warn: w.warn}
	history := true
	exported, err := server.Export(ctx, store.Filter{}, false, &history)
	if err != nil {
		return nil, ServerError(p, err)
	}
	t, err := s.stage(ctx, name, func(to *stager) (*generation, error) {
		for _, row := range exported.Rows {
			for _, v := range []store.Value{row.Version, row.Pkgarch, row.Checksum, row.Value} {
				switch v.(type) {
				case nil, int64, float64, string:
				default:
					return nil, fmt.Errorf("%s exports %v, which no table holds; is it a PR server?", p, v)
				}
			}
			if !o.lenient {
				err := checkRow(row, of)
				switch {
				case err == nil:
				case isZeroAlone(row, of):
					left.add([]driver.Value{row.Version, row.Pkgarch, row.Checksum, row.Value})
					continue
				default:
					return nil, fmt.Errorf("%s: %w", p, err)
				}
			}
			if err := to.add(row); err != nil {
				return nil, err
			}
		}
		return of, nil
	})
	if err != nil {
		return nil, err
	}
	left.tell()
	t.place, t.noXML, t.left = p, true, left.n
	return t, nil
}

// ServerError says why a server has not done what it was asked for.
func ServerError(server Place, err error) error {
	var fault *client.FaultError
	var invoke *asyncrpc.InvokeError // from ours, it names the command itself
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("%s refuses: %w", server, &client.FaultError{Code: fault.Code, Message: withoutClass(fault.Message)})
	case errors.As(err, &invoke):
		return fmt.Errorf("%s refuses: %w", server, invoke)
	case errors.Is(err, client.ErrNoValue):
		return fmt.Errorf("%s gave no value: its log says why", server)
	case errors.Is(err, client.ErrNoAnswer): // names the server
		return err
	}
	return fmt.Errorf("asking %s: %w", server, err)
}
