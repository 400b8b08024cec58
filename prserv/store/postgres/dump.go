package postgres

import (
	"context"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

const (
	// sqlGreatest is the table of whole numbers where older values have been kept
	// in prvalue. The index has its order, too: with a random_page_cost for SSDs,
	// PostgreSQL reads that, and sorts nothing. It takes = 1 for a condition that
	// hardly any row meets, and would sort.
	sqlGreatest = `(SELECT DISTINCT ON (group_id, checksum) group_id, checksum, value, stored FROM prvalue
		WHERE cardinality(value) < 2 ORDER BY group_id DESC, checksum DESC, value DESC)`
	sqlDumpState = `SELECT revisions, pg_relation_size('prvalue') <= $1 FROM prserv_state`
)

// dumpLimits say up to what size a dump does something, in bytes.
type dumpLimits struct {
	// sorted is the size of prvalue up to which rows come in the order in which
	// they were stored. PostgreSQL would sort more of them on its disk before it
	// sends the first, and a dump would take up to twice the time.
	sorted int64
	// held is how much memory the names may take. Where they would take more,
	// PostgreSQL sends them with each row, which takes half as much CPU time again.
	held int64
}

// usualLimits are some 100,000 rows, and 500,000 versions and pkgarchs.
var usualLimits = dumpLimits{sorted: 16 << 20, held: 24 << 20}

// Dump implements [store.Store]. It writes the SQL that makes a SQLite file with
// the same rows, in the words of Python's sqlite3 module.
//
// Source: lib/prserv/db.py:PRTable.dump_db, which is sqlite3/dump.py:_iterdump.
func (s *Store) Dump(ctx context.Context, w io.Writer) (err error) {
	defer s.nameDatabase(&err)
	handed := false
	w = &noting{w, &handed}
	return s.snapshot(ctx, &handed, func(tx pgx.Tx) error {
		d := &dump{tx: tx, text: store.NewDumpText(w)}
		return d.write(ctx, s.dumpLimits)
	})
}

// noting notes that something is written.
type noting struct {
	io.Writer
	noted *bool
}

func (n *noting) Write(p []byte) (int, error) {
	*n.noted = true
	return n.Writer.Write(p)
}

// dump is a dump in the making.
type dump struct {
	tx     pgx.Tx
	text   *store.DumpText
	sorted bool           // rows come in the order in which they were stored
	names  *names         // nil: PostgreSQL sends them with each row
	row    []byte         // columns of a row, as SQL
	value  store.Revision // of a row
}

func (d *dump) write(ctx context.Context, limits dumpLimits) error {
	var revisions bool
	err := d.tx.QueryRow(ctx, sqlDumpState, limits.sorted).Scan(&revisions, &d.sorted)
	if err == nil {
		d.names, err = readNames(ctx, d.tx, limits.held)
	}
	if err != nil {
		return err
	}
	d.text.Line("BEGIN TRANSACTION;")
	whole := "prvalue"
	if revisions {
		whole = sqlGreatest
		d.text.Line(store.Stored(store.MainSchema))
		if err := d.values(ctx, store.MainTable, "prvalue"); err != nil {
			return err
		}
	}
	d.text.Line(store.Stored(store.NohistSchema))
	if err := d.values(ctx, store.NohistTable, whole); err != nil {
		return err
	}
	if err := d.rows(ctx, store.NohistTable, sqlReserved); err != nil {
		return err
	}
	d.text.Line("COMMIT;")
	return d.text.Flush()
}

// values writes the values of a table or query as rows of a table.
func (d *dump) values(ctx context.Context, table, from string) error {
	sql := `SELECT group_id, checksum, value FROM ` + from + ` AS w`
	if d.names == nil {
		sql = `SELECT version, pkgarch, checksum, value FROM ` + from + ` AS w JOIN prgroup AS g ON g.id = group_id`
	}
	if d.sorted {
		sql += ` ORDER BY stored`
	}
	return d.rows(ctx, table, sql)
}

// rows writes what a query finds as rows of a table. The first column, or the
// first two, say which version and pkgarch it is.
func (d *dump) rows(ctx context.Context, table, sql string) error {
	insertInto := store.InsertInto(table)
	return walk(ctx, d.tx, sql, nil, func(r row) (err error) {
		checksum, value := r[len(r)-2], r[len(r)-1]
		if len(r) == 4 {
			d.row = appendNames(d.row[:0], r[0], r[1])
		} else if names := d.names.of(r.number(0)); names != nil {
			d.row = append(d.row[:0], names...)
		} else {
			return nil // somebody has removed it
		}
		if d.value, err = appendArray(d.value[:0], value); err != nil {
			return err
		}
		d.row = append(store.AppendText(d.row, checksum), ',')
		switch n, whole := d.value.Whole(); {
		case table == store.MainTable:
			d.row = append(d.value.Append(append(d.row, '\'')), '\'')
		case whole:
			d.row = strconv.AppendInt(d.row, n, 10)
		default:
			return errNoRevision
		}
		return d.text.Insert(insertInto, d.row)
	})
}
