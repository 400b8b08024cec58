package place

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"prserver/prserv/client"
	"prserver/prserv/store"
)

const (
	// maxWireValue is the greatest value that a Python server can answer.
	maxWireValue = math.MaxInt32
	// manyCalls is how many calls are under way at a time where connections are
	// kept, and so cost little.
	manyCalls = 32
	// fewCalls is how many are elsewhere: a Python server lets five wait, and
	// keeps the next for a second.
	fewCalls = 4
)

// serverKind is the kind of [Server].
type serverKind struct{}

func (serverKind) removal() string {
	return "stop the server and remove the row from its file with sqlite3"
}

func (serverKind) refuse(dst Place, o CopyOptions, toItself bool) error {
	return cmp.Or(refuseGeneration(dst, o), refuseAll(dst, o), refuseReplace(dst, o), refuseItself(dst, toItself))
}

func (serverKind) check(ctx context.Context, c *checker, _ *table) (sound bool, err error) {
	err = client.New(c.place.Name, client.Timeout).Ping(ctx)
	var fault *client.FaultError
	if errors.As(err, &fault) {
		return true, c.problem("save what it has: prserv-tool copy "+shellWord(c.place.Name)+" rescue.sql",
			"it gives out no new value: %s", fault.Message)
	}
	return true, err
}

// read reads what a server dumps, or what it exports if it cannot dump.
func (serverKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, o readOptions) (*table, error) {
	server := client.New(p.Name, client.Timeout)
	// A dump may take minutes to begin. A server that is not there or hangs is
	// not to be waited for as long.
	var fault *client.FaultError
	if err := server.Ping(ctx); err != nil && !errors.As(err, &fault) { // one with a fault may still dump
		return nil, ServerError(p, err)
	}
	dump, err := server.DumpDB(ctx)
	if errors.As(err, &fault) && strings.Contains(fault.Message, "not supported") {
		return w.readExport(ctx, s, server, p, name)
	}
	if err != nil {
		return nil, ServerError(p, err)
	}
	defer dump.Close()
	// A server answers from the older table only, whatever else its file has.
	d := dumpParser{lenient: o.lenient, older: true}
	t, err := w.stageText(ctx, s, dump, 0, p, name, d.parse)
	if err != nil {
		return nil, fmt.Errorf("%s: its dump: %w", p, err)
	}
	d.warn(w, p)
	return t, nil
}

// readExport reads what a server exports.
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

// ServerError says why a server has not done what it was asked for.
func ServerError(server Place, err error) error {
	var fault *client.FaultError
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("%s refuses: %w", server, fault)
	case errors.Is(err, client.ErrNoValue):
		return fmt.Errorf("%s gave no value: its log says why", server)
	case errors.Is(err, client.ErrNoAnswer): // names the server
		return err
	}
	return fmt.Errorf("asking %s: %w", server, err)
}

// write imports rows. Those that the server has already are not sent.
func (k serverKind) write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, _ CopyOptions) (Copied, error) {
	in, left, err := w.convert(ctx, s, in, generation1)
	if err != nil {
		return Copied{}, err
	}
	if err := s.refuseUnsendable(ctx, in); err != nil {
		return Copied{}, err
	}
	old, err := k.read(ctx, w, s, dst, "old", readOptions{lenient: true})
	if err != nil {
		return Copied{}, err
	}
	if _, err := s.exec(ctx, "CREATE INDEX main.old_key ON old (version, pkgarch, checksum)"); err != nil {
		return Copied{}, err
	}
	_, err = s.exec(ctx, "CREATE TABLE main.sent AS SELECT i.version, i.pkgarch, i.checksum, i.value, o.value IS NOT NULL AS known FROM "+in.from+" AS i"+
		" LEFT JOIN "+old.from+" AS o ON o.version = i.version AND o.pkgarch = i.pkgarch AND o.checksum = i.checksum"+
		" WHERE o.value IS NULL OR o.value < i.value")
	if err != nil {
		return Copied{}, err
	}
	sent, err := s.number(ctx, "SELECT count(*) FROM main.sent")
	if err != nil {
		return Copied{}, err
	}
	copied := Copied{Kept: in.rows - sent, Left: left}
	if err := s.settle(); err != nil {
		return Copied{}, err
	}
	if sent > 0 {
		s.unfreeze() // importing takes long
		if err := w.importAll(ctx, s, dst, sent, &copied); err != nil {
			return Copied{}, fmt.Errorf("%w; what has arrived stays, and a second run continues", err)
		}
	}
	merged := &table{place: dst, generation: generation1, from: "(SELECT version, pkgarch, checksum, value FROM main.sent UNION ALL " +
		"SELECT version, pkgarch, checksum, value FROM " + old.from + ")"}
	return copied, w.tellTwins(ctx, s, merged, dst)
}

// refuseUnsendable returns an error if a table has a text that XML cannot
// carry, or a value that a server cannot answer.
func (s *scratch) refuseUnsendable(ctx context.Context, in *table) error {
	if err := s.function("is_xml_text", client.IsXMLText); err != nil {
		return err
	}
	err := s.walk(ctx, `SELECT version, pkgarch, checksum, value FROM `+in.from+
		` WHERE NOT (is_xml_text(version) AND is_xml_text(pkgarch) AND is_xml_text(checksum)) LIMIT 1`, nil, func(row []driver.Value) error {
		return fmt.Errorf("%s: the row %s: XML cannot carry it to a server", in.place, shown(row))
	})
	if err != nil {
		return err
	}
	return s.walk(ctx, `SELECT version, pkgarch, checksum, value FROM `+in.from+
		` WHERE value > ?1 OR value < -?1 - 1 LIMIT 1`, []driver.Value{int64(maxWireValue)}, func(row []driver.Value) error {
		return fmt.Errorf("%s: the row %s: a server cannot answer a value beyond %d", in.place, shown(row), maxWireValue)
	})
}

// importAll imports the rows of the table main.sent, and counts them.
func (w *Work) importAll(ctx context.Context, s *scratch, dst Place, rows int64, copied *Copied) error {
	server := client.New(dst.Name, client.Timeout)
	server.KeepConnections(manyCalls)
	defer server.CloseIdleConnections()
	keeps, err := server.KeepsConnections(ctx)
	if err != nil {
		return ServerError(dst, err)
	}
	workers := fewCalls
	if keeps {
		workers = manyCalls
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		work    = make(chan []driver.Value)
		mu      sync.Mutex // guards copied
		waiting sync.WaitGroup
	)
	for range workers {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			for row := range work {
				stored, err := importRow(ctx, server, dst, row)
				if err != nil {
					cancel(err)
					continue
				}
				value, _ := row[3].(int64)
				mu.Lock()
				switch {
				case stored > value: // by now
					copied.Kept++
				case row[columns] == int64(1):
					copied.Raised++
				default:
					copied.New++
				}
				mu.Unlock()
			}
		}()
	}
	var n int64
	err = s.walk(ctx, "SELECT version, pkgarch, checksum, value, known FROM main.sent", nil, func(row []driver.Value) error {
		if n++; n%tellEvery == 0 {
			w.progress(Progress{"importing into " + dst.String(), n, float64(n) / float64(rows)})
		}
		select {
		case work <- append([]driver.Value(nil), row...):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(work)
	waiting.Wait()
	if ctx.Err() != nil { // the first thing that went wrong, not what followed from it
		err = context.Cause(ctx)
	}
	return err
}

// importRow imports a row and returns the value that the server has then, which
// is at least that of the row.
func importRow(ctx context.Context, server *client.Client, dst Place, row []driver.Value) (stored int64, err error) {
	version, _ := row[0].(string)
	pkgarch, _ := row[1].(string)
	checksum, _ := row[2].(string)
	value, _ := row[3].(int64)
	stored, err = server.ImportOne(ctx, version, pkgarch, checksum, value)
	switch {
	case errors.Is(err, client.ErrNoValue):
		err = fmt.Errorf("%s does not store the row %s; its log may say why", dst, shown(row[:columns]))
	case err != nil:
		err = fmt.Errorf("the row %s: %w", shown(row[:columns]), ServerError(dst, err))
	case stored < value:
		err = fmt.Errorf("%s answers %d to the row %s, which is less", dst, stored, shown(row[:columns]))
	}
	return stored, err
}
