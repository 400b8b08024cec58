package query_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/mattn/go-sqlite3"

	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

func open(t *testing.T, file string) *sqlite3.SQLiteConn {
	t.Helper()
	raw, err := (&sqlite3.SQLiteDriver{}).Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return raw.(*sqlite3.SQLiteConn)
}

func execute(t *testing.T, conn *sqlite3.SQLiteConn, statements string) {
	t.Helper()
	if _, err := query.Exec(t.Context(), conn, statements); err != nil {
		t.Fatal(err)
	}
}

const count = "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?) SELECT n FROM i"

func TestWalk(t *testing.T) {
	conn := open(t, ":memory:")
	sum := int64(0)
	err := query.Walk(t.Context(), conn, count, []driver.Value{int64(1000)}, func(row []driver.Value) error {
		n, _ := row[0].(int64)
		sum += n
		return nil
	})
	if err != nil || sum != 500500 {
		t.Errorf("the sum is %d, %v; want 500500", sum, err)
	}
	enough := errors.New("enough")
	n := 0
	err = query.Walk(t.Context(), conn, count, []driver.Value{int64(1000)}, func([]driver.Value) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if n != 3 || err != enough {
		t.Errorf("%d rows, %v; want 3, and the error itself", n, err)
	}
	if n, err := query.Number(t.Context(), conn, "SELECT 1 WHERE false"); n != 0 || err != nil {
		t.Errorf("no row: %d, %v", n, err)
	}
}

// TestSideBySide reads two queries of one connection in turn, and each beyond
// its end.
func TestSideBySide(t *testing.T) {
	conn := open(t, ":memory:")
	var all [2]*query.Rows
	for i := range all {
		rows, err := query.Open(t.Context(), conn, count, int64(2+i))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		all[i] = rows
	}
	var got [2][]any
	for range 5 {
		for i, rows := range all {
			row, err := rows.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if row != nil {
				got[i] = append(got[i], row[0])
			}
		}
	}
	if want := "[[1 2] [1 2 3]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestExec(t *testing.T) {
	conn := open(t, ":memory:")
	n, err := query.Exec(t.Context(), conn, "CREATE TABLE t (a); INSERT INTO t VALUES (?), (?)", int64(1), "x")
	if err != nil || n != 2 {
		t.Errorf("%d rows, %v; want 2", n, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := query.Exec(ended, conn, "DELETE FROM t"); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if n, err := query.Number(t.Context(), conn, "SELECT count(*) FROM t"); n != 2 || err != nil {
		t.Errorf("afterwards: %d rows, %v; want 2", n, err)
	}
}

// interrupting registers a function of SQL that ends the context it returns.
func interrupting(t *testing.T, conn *sqlite3.SQLiteConn) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	if err := conn.RegisterFunc("interrupt", func() int64 { cancel(); return 0 }, false); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// endless ends its own context, and goes on without a row until it is stopped.
const endless = "WITH RECURSIVE i(n) AS (SELECT interrupt() UNION ALL SELECT n + 1 FROM i) SELECT count(*) FROM i"

func TestInterrupted(t *testing.T) {
	conn := open(t, ":memory:")
	for what, run := range map[string]func(ctx context.Context) error{
		"walk": func(ctx context.Context) error { _, err := query.Number(ctx, conn, endless); return err },
		"exec": func(ctx context.Context) error {
			_, err := query.Exec(ctx, conn, "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t "+endless)
			return err
		},
	} {
		if err := run(interrupting(t, conn)); !errors.Is(err, context.Canceled) || err.Error() != context.Canceled.Error() {
			t.Errorf("%s: %v, want %v", what, err, context.Canceled)
		}
		if n, err := query.Number(t.Context(), conn, "SELECT 5"); n != 5 || err != nil {
			t.Errorf("%s, afterwards: %d, %v", what, n, err)
		}
	}
}

// TestInterruptedBeside prepares a query where SQLite has been interrupted and
// remembers that, because another query is open.
func TestInterruptedBeside(t *testing.T) {
	conn := open(t, ":memory:")
	rows, err := query.Open(t.Context(), conn, count, int64(10))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	ctx := interrupting(t, conn)
	for range 2 {
		if _, err := query.Number(ctx, conn, endless); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want %v", err, context.Canceled)
		}
	}
}

// TestErrors provokes the errors whose reasons a program can ask for.
func TestErrors(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "a.db")
	conn, other := open(t, file), open(t, file)
	execute(t, conn, "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
	execute(t, other, "PRAGMA busy_timeout = 0; SELECT * FROM t")
	readOnly := open(t, "file:"+file+"?mode=ro")
	full := open(t, ":memory:")
	execute(t, full, "CREATE TABLE t (a); PRAGMA max_page_count = 2")
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte("no database, but long enough to be taken for the header of one, which has a hundred bytes; this has more"), 0o644); err != nil {
		t.Fatal(err)
	}
	attach := "ATTACH '" + text + "' AS x; SELECT count(*) FROM x.sqlite_master"
	for _, test := range []struct {
		conn       *sqlite3.SQLiteConn
		statements string
		want       error
		text       string
	}{
		{conn, "INSERT INTO t VALUES (1)", store.ErrConstraint, "UNIQUE constraint failed: t.a"},
		{conn, "INSERT INTO t VALUES ('x')", store.ErrMismatch, "datatype mismatch"},
		{conn, "SELECT zeroblob(2000000000)", store.ErrTooBig, "string or blob too big"},
		{readOnly, "DELETE FROM t", store.ErrReadOnly, "attempt to write a readonly database"},
		{full, "INSERT INTO t VALUES (zeroblob(100000))", store.ErrFull, "database or disk is full"},
		{open(t, ":memory:"), attach, query.ErrNoDatabase, "file is not a database"},
		{open(t, ":memory:"), attach, store.ErrDamaged, "file is not a database"},
		{conn, "BEGIN EXCLUSIVE", nil, ""},
		{other, "SELECT * FROM t", store.ErrBusy, "database is locked"},
		{conn, "SELECT b FROM t", nil, "no such column: b"},
	} {
		_, err := query.Exec(t.Context(), test.conn, test.statements)
		if test.text == "" {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		var e *store.Error
		if !errors.As(err, &e) || e.Text != test.text || test.want != nil && !errors.Is(err, test.want) || test.want == nil && e.Reason != nil {
			t.Errorf("%s: %#v; want %q, %v", test.statements, err, test.text, test.want)
		}
	}
	if err := query.Error(fs.ErrExist); err != fs.ErrExist {
		t.Errorf("another error became %v", err)
	}
	for code, want := range map[sqlite3.ErrNo]error{
		sqlite3.ErrCorrupt: store.ErrDamaged, sqlite3.ErrMisuse: store.ErrMisuse, sqlite3.ErrRange: store.ErrMisuse, sqlite3.ErrLocked: store.ErrBusy,
	} {
		if err := query.Error(sqlite3.Error{Code: code}); !errors.Is(err, want) {
			t.Errorf("code %d: %#v, want %v", code, err, want)
		}
	}
	half := query.Error(sqlite3.Error{Code: sqlite3.ErrReadonly, ExtendedCode: sqlite3.ErrReadonlyRollback})
	if !errors.Is(half, query.ErrHalfWritten) || !errors.Is(half, store.ErrReadOnly) {
		t.Errorf("a file half written: %#v", half)
	}
}
