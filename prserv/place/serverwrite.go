package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"

	"prserver/prserv/client"
	"prserver/prserv/store"
)

const (
	// manyCalls is how many calls are under way at a time to a server of ours.
	manyCalls = 32
	// fewCalls is how many are elsewhere: a Python server of BitBake up to 1.50
	// lets five wait, and keeps the next for a second. Later ones serve one
	// call at a time.
	fewCalls = 4
)

// write imports rows. Those that the server has already are not sent.
func (serverKind) write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, _ CopyOptions) (Copied, error) {
	fail := func(err error) (Copied, error) { return Copied{}, err }
	server, err := client.Find(ctx, dst.Name, client.Timeout)
	if err != nil {
		return fail(ServerError(dst, err))
	}
	defer server.Close()
	quiet := &Work{Progress: w.Progress} // what is not seen is sent again
	old, err := quiet.readServer(ctx, s, server, dst, "old", readOptions{lenient: true})
	if err != nil {
		return fail(err)
	}
	of := old.generation
	if server.XMLRPC != nil && server.JSON != nil && in.generation == generation3 {
		// Ours makes the newer table when the first value comes that needs it.
		parts, err := s.number(ctx, "SELECT EXISTS (SELECT 1 FROM "+in.from+" WHERE "+hasParts+")")
		if err != nil {
			return fail(err)
		}
		if parts != 0 {
			of = generation3
		}
	}
	in, left, err := w.convert(ctx, s, in, of)
	if err != nil {
		return fail(err)
	}
	if old, _, err = quiet.convert(ctx, s, old, of); err != nil {
		return fail(err)
	}
	if server.XMLRPC != nil {
		if err := s.refuseTooGreat(ctx, in); err != nil {
			return fail(err)
		}
	}
	sent, err := s.toSend(ctx, in, old)
	if err != nil {
		return fail(err)
	}
	copied := Copied{Kept: in.rows - sent, Left: left}
	if server.XMLRPC != nil {
		n, err := w.dropUnsendable(ctx, s, in.place)
		if err != nil {
			return fail(err)
		}
		sent -= n
		copied.Left += n
	}
	if err := s.settle(); err != nil {
		return fail(err)
	}
	if sent > 0 {
		s.unfreeze() // importing takes long
		if err := w.importAll(ctx, s, server, dst, sent, &copied); err != nil {
			return fail(fmt.Errorf("%w; what has arrived stays, and a second run continues", err))
		}
	}
	merged := &table{place: dst, generation: of, from: "(SELECT version, pkgarch, checksum, value FROM main.sent UNION ALL " +
		"SELECT version, pkgarch, checksum, value FROM " + old.from + ")"}
	return copied, w.tellTwins(ctx, s, merged, dst)
}

// hasParts is the condition of values such as 3.1, for which XML-RPC has no room.
const hasParts = "value LIKE '%.%'"

// toSend makes the table main.sent of the rows that a server does not have, and
// returns how many they are. Known tells that the server has a lower value of the
// checksum.
func (s *scratch) toSend(ctx context.Context, in, old *table) (int64, error) {
	_, err := s.exec(ctx, "CREATE TABLE main.known (version, pkgarch, checksum, value); INSERT INTO main.known"+
		" SELECT version, pkgarch, checksum, value FROM "+old.from+"; CREATE INDEX main.known_key ON known (version, pkgarch, checksum)")
	if err != nil {
		return 0, err
	}
	lacks := "greatest IS NULL OR greatest < value"
	if in.generation.revisions {
		lacks = "NOT EXISTS (SELECT 1 FROM main.known AS o" +
			" WHERE o.version = i.version AND o.pkgarch = i.pkgarch AND o.checksum = i.checksum AND o.value = i.value)"
	}
	_, err = s.exec(ctx, `CREATE TABLE main.sent AS SELECT version, pkgarch, checksum, value,
			greatest IS NOT NULL AND greatest COLLATE revision < value AS known FROM (
			SELECT version, pkgarch, checksum, value, (SELECT max(o.value COLLATE revision) FROM main.known AS o
				WHERE o.version = i.version AND o.pkgarch = i.pkgarch AND o.checksum = i.checksum) AS greatest FROM `+in.from+` AS i) AS i
		WHERE `+lacks)
	if err != nil {
		return 0, err
	}
	return s.number(ctx, "SELECT count(*) FROM main.sent")
}

// isUnsendable is the condition of rows with a text that XML cannot carry.
const isUnsendable = "NOT (is_xml_text(version) AND is_xml_text(pkgarch) AND is_xml_text(checksum))"

// dropUnsendable removes from the table main.sent the rows of a place whose texts XML
// cannot carry, and tells how many they are. Ours would take them over JSON lines, but
// its exports for BitBake up to 1.50 could not be read any more.
func (w *Work) dropUnsendable(ctx context.Context, s *scratch, from Place) (n int64, err error) {
	if err := s.function("is_xml_text", client.IsXMLText); err != nil {
		return 0, err
	}
	first := ""
	err = s.walk(ctx, "SELECT version, pkgarch, checksum, value FROM main.sent WHERE "+isUnsendable+" LIMIT 1", nil, func(row []driver.Value) error {
		first = shown(row)
		return nil
	})
	if err != nil || first == "" {
		return 0, err
	}
	n, err = s.exec(ctx, "DELETE FROM main.sent WHERE "+isUnsendable)
	if err == nil {
		w.warn("%s: rows left out, because XML cannot carry them to a server: %d; the first is %s", from, n, first)
	}
	return n, err
}

// refuseUnsendable returns an error if a table has a row that cannot be sent over
// XML-RPC.
func (s *scratch) refuseUnsendable(ctx context.Context, in *table) error {
	if err := s.function("is_xml_text", client.IsXMLText); err != nil {
		return err
	}
	err := s.walk(ctx, "SELECT version, pkgarch, checksum, value FROM "+in.from+" WHERE "+isUnsendable+" LIMIT 1", nil, func(row []driver.Value) error {
		return fmt.Errorf("%s: the row %s: XML cannot carry it to a server", in.place, shown(row))
	})
	if err != nil {
		return err
	}
	return s.refuseTooGreat(ctx, in)
}

// refuseTooGreat returns an error if a table has a value above which a server cannot
// answer over XML-RPC.
func (s *scratch) refuseTooGreat(ctx context.Context, in *table) error {
	return s.walk(ctx, `SELECT version, pkgarch, checksum, value FROM `+in.from+
		` WHERE CAST(value AS INTEGER) > ?1 - (`+hasParts+`) OR CAST(value AS INTEGER) < -?1 - 1 LIMIT 1`,
		[]driver.Value{int64(maxWireValue)}, func(row []driver.Value) error {
			return fmt.Errorf("%s: the row %s: a server cannot answer a value beyond %d", in.place, shown(row), maxWireValue)
		})
}

// importer stores a value on a server, and returns what is stored then.
type importer func(ctx context.Context, version, pkgarch, checksum string, value store.Value) (store.Revision, error)

// importAll imports the rows of the table main.sent, and counts them. Values that
// need JSON lines come first: with them, ours makes the table that has room for
// all of the others.
func (w *Work) importAll(ctx context.Context, s *scratch, server *client.Server, dst Place, rows int64, copied *Copied) error {
	imports := &imports{work: w, dst: dst, rows: rows, copied: copied, calls: fewCalls}
	if server.Keeps {
		imports.calls = manyCalls
	}
	if server.JSON != nil {
		var clients []*client.JSONLines
		defer func() {
			for _, c := range clients {
				c.Close()
			}
		}()
		where := "true"
		if server.XMLRPC != nil {
			where = hasParts
		}
		err := imports.send(ctx, s, where, func() importer {
			c := client.NewJSONLines(dst.Name, client.Timeout)
			clients = append(clients, c)
			return c.ImportOne
		})
		if err != nil || server.XMLRPC == nil {
			return err
		}
	}
	return imports.send(ctx, s, "NOT "+hasParts, func() importer { return wholeImporter(server.XMLRPC) })
}

// wholeImporter imports whole numbers over XML-RPC.
func wholeImporter(c *client.Client) importer {
	return func(ctx context.Context, version, pkgarch, checksum string, value store.Value) (store.Revision, error) {
		revision, _ := store.RevisionOf(value)
		n, ok := revision.Whole()
		if !ok {
			return nil, fmt.Errorf("%v is no whole number", value)
		}
		stored, err := c.ImportOne(ctx, version, pkgarch, checksum, n)
		return store.Revision{stored}, err
	}
}

// imports sends rows to a server.
type imports struct {
	work   *Work
	dst    Place
	calls  int   // at a time
	rows   int64 // of all that is sent
	done   int64
	mu     sync.Mutex
	copied *Copied // guarded by mu
}

// send imports those rows of the table main.sent for which a condition holds.
// Each of the calls at a time has an importer of its own.
func (i *imports) send(ctx context.Context, s *scratch, where string, connect func() importer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan []driver.Value)
	var waiting sync.WaitGroup
	for range i.calls {
		importOne := connect()
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			for row := range work {
				if err := i.row(ctx, importOne, row); err != nil {
					cancel(err)
				}
			}
		}()
	}
	err := s.walk(ctx, "SELECT version, pkgarch, checksum, value, known FROM main.sent WHERE "+where, nil, func(row []driver.Value) error {
		if i.done++; i.done%tellEvery == 0 {
			i.work.progress(Progress{"importing into " + i.dst.String(), i.done, float64(i.done) / float64(i.rows)})
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

// row imports a row, and counts it. The server has at least its value then.
func (i *imports) row(ctx context.Context, importOne importer, row []driver.Value) error {
	version, _ := row[0].(string)
	pkgarch, _ := row[1].(string)
	checksum, _ := row[2].(string)
	value, _ := store.RevisionOf(row[3])
	stored, err := importOne(ctx, version, pkgarch, checksum, row[3])
	switch {
	case errors.Is(err, client.ErrNoValue):
		return fmt.Errorf("%s does not store the row %s; its log may say why", i.dst, shown(row[:columns]))
	case err != nil:
		return fmt.Errorf("the row %s: %w", shown(row[:columns]), ServerError(i.dst, err))
	case stored.Compare(value) < 0:
		return fmt.Errorf("%s answers %s to the row %s, which is less", i.dst, stored, shown(row[:columns]))
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case stored.Compare(value) > 0: // by now
		i.copied.Kept++
	case row[columns] == int64(1):
		i.copied.Raised++
	default:
		i.copied.New++
	}
	return nil
}
