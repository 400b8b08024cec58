package postgres

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

const (
	// sqlMainDump finds the rows of the table of generation 3, in the order in
	// which they were stored.
	sqlMainDump = `SELECT g.version, g.pkgarch, w.checksum, w.value
		FROM prvalue AS w JOIN prgroup AS g ON g.id = w.group_id ORDER BY w.stored`
	// sqlWholeDump finds those of the table of whole numbers where it has all that
	// there is.
	sqlWholeDump = sqlMainDump
	// sqlGreatestDump finds them where older values have been kept.
	sqlGreatestDump = `SELECT g.version, g.pkgarch, w.checksum, w.value
		FROM (SELECT DISTINCT ON (group_id, checksum) group_id, checksum, value, stored FROM prvalue
			WHERE cardinality(value) = 1 ORDER BY group_id, checksum, value DESC) AS w
		JOIN prgroup AS g ON g.id = w.group_id ORDER BY w.stored`
)

// Dump implements [store.Store]. It writes the SQL that makes a SQLite file with
// the same rows, in the words of Python's sqlite3 module.
//
// Source: lib/prserv/db.py:PRTable.dump_db, which is sqlite3/dump.py:_iterdump.
func (s *Store) Dump(ctx context.Context, w io.Writer) (err error) {
	defer s.nameDatabase(&err)
	handed := false
	w = &noting{w, &handed}
	return s.snapshot(ctx, &handed, func(tx pgx.Tx) error {
		var revisions bool
		if err := tx.QueryRow(ctx, sqlKeepsOld).Scan(&revisions); err != nil {
			return err
		}
		d := &dump{tx: tx, text: store.NewDumpText(w)}
		d.text.Line("BEGIN TRANSACTION;")
		whole := sqlWholeDump
		if revisions {
			whole = sqlGreatestDump
			d.text.Line(store.Stored(store.MainSchema))
			if err := d.rows(ctx, store.MainTable, sqlMainDump); err != nil {
				return err
			}
		}
		d.text.Line(store.Stored(store.NohistSchema))
		if err := d.rows(ctx, store.NohistTable, whole); err != nil {
			return err
		}
		if err := d.rows(ctx, store.NohistTable, sqlReserved); err != nil {
			return err
		}
		d.text.Line("COMMIT;")
		return d.text.Flush()
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
	tx   pgx.Tx
	text *store.DumpText
}

// rows writes what a query finds as rows of a table.
func (d *dump) rows(ctx context.Context, table, sql string) error {
	insertInto := store.InsertInto(table)
	out := make([]any, 4)
	return walk(ctx, d.tx, sql, nil, func(r row) error {
		value, err := parseArray(r[3])
		if err != nil {
			return err
		}
		out[0], out[1], out[2], out[3] = r.text(0), r.text(1), r.text(2), value.String()
		if table == store.NohistTable {
			out[3] = value[0]
		}
		return store.InsertRow(d.text, insertInto, out)
	})
}
