package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"prserver/prserv"
	"prserver/prserv/dbfile"
)

// readFile attaches a database file. If it has the tables of both generations,
// a table is made of the rows of both.
func (w *Work) readFile(ctx context.Context, b *base, p Place, name string, how reading) (*table, error) {
	fail := func(err error) (*table, error) { return nil, fileError(p, "reading", err) }
	if err := checkFile(p.Name); err != nil {
		return fail(dbfile.Reason(err))
	}
	file, err := filepath.Abs(p.Name)
	if err != nil {
		return fail(err)
	}
	schema := name + "_file"
	if err := b.attachToRead(ctx, file, schema); err != nil {
		return fail(err)
	}
	if err := b.hold(ctx, schema); err != nil {
		return fail(err)
	}
	has, err := w.tablesOf(ctx, b, schema, p)
	if err != nil {
		return fail(err)
	}
	if len(has) == 0 {
		return fail(fmt.Errorf("it is no PR database: it has neither a table %s nor %s", prserv.Table, revisionTable))
	}
	if len(has) == 1 && !how.detached {
		t := has[0]
		if !how.lenient {
			t.place = p
			if err := b.mustBeRows(ctx, &t); err != nil {
				return nil, err
			}
		}
		return &t, nil
	}
	t, err := w.unite(ctx, b, has, p, name, how)
	if err != nil {
		return nil, err
	}
	if how.detached {
		b.letGo()
		if _, err := b.exec(ctx, "DETACH "+schema); err != nil {
			return fail(err)
		}
	}
	return t, nil
}

var errFolder = errors.New("it is a folder")

// checkFile finds out whether a database file can be read.
func checkFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	case !info.Mode().IsRegular():
		return errors.New("it is no file")
	}
	if err := unix.Access(name, unix.R_OK); err != nil {
		return err // SQLite would show its URI
	}
	if dbfile.IsFrozen(name) {
		return nil
	}
	return dbfile.CheckReadable(name)
}

// tablesOf finds the tables of PR values in an attached file. An empty one of
// BitBake 2.10 beside an older one counts for nothing: upstream makes it when it
// first opens an older file.
func (w *Work) tablesOf(ctx context.Context, b *base, schema string, p Place) ([]table, error) {
	var tables []table
	var others []string
	err := b.query(ctx, "SELECT name FROM "+schema+".sqlite_master WHERE type = 'table' ORDER BY name", nil,
		func(row []driver.Value) error {
			name, _ := row[0].(string)
			if generation := generationOf(name); generation != 0 {
				tables = append(tables, table{from: schema + "." + name, generation: generation})
			} else if !isInternal(name) {
				others = append(others, name)
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	for i := range tables {
		t := &tables[i]
		if t.keyed, err = b.isKeyed(ctx, schema, t.generation); err != nil {
			return nil, err
		}
		if t.rows, err = b.number(ctx, "SELECT count(*) FROM "+t.from); err != nil {
			return nil, err
		}
	}
	if len(tables) == 2 {
		tables = slices.DeleteFunc(tables, func(t table) bool { return t.generation == revisions && t.rows == 0 })
	}
	if len(tables) > 0 {
		for _, name := range others {
			w.warn("%s has the table %s as well, which is left out", p, name)
		}
	}
	return tables, nil
}

// isKeyed tells whether a table has the columns and the primary key of its
// generation. The error is one of a table with other columns.
func (b *base) isKeyed(ctx context.Context, schema string, generation int) (bool, error) {
	var names, keys []string
	err := b.query(ctx, "SELECT name, pk FROM pragma_table_info(?, ?)", []driver.Value{schemas[generation].name, schema},
		func(row []driver.Value) error {
			name, _ := row[0].(string)
			names = append(names, name)
			if pk, _ := row[1].(int64); pk > 0 {
				keys = append(keys, name)
			}
			return nil
		})
	if err != nil {
		return false, err
	}
	want := []string{"version", "pkgarch", "checksum", "value"}
	if !slices.Equal(names, want) {
		return false, fmt.Errorf("its table %s is not that of a PR server: it has the columns %s",
			schemas[generation].name, strings.Join(names, ", "))
	}
	if generation == whole {
		want = want[:3]
	}
	return slices.Equal(keys, want), nil
}

// unite makes a table of several.
func (w *Work) unite(ctx context.Context, b *base, tables []table, p Place, name string, how reading) (*table, error) {
	out := &table{place: p, from: "main." + name, generation: whole, mixed: len(tables) > 1}
	var parts []string
	for _, t := range tables {
		t.place = p
		if !how.lenient {
			if err := b.mustBeRows(ctx, &t); err != nil {
				return nil, err
			}
		}
		out.generation = max(out.generation, t.generation)
		out.mixed = out.mixed && t.rows > 0
		value := "value"
		if t.generation < out.generation { // revisions come first
			value = "iif(typeof(value) = 'integer', CAST(value AS TEXT), value)"
		}
		parts = append(parts, "SELECT version, pkgarch, checksum, "+value+" FROM "+t.from)
	}
	rows, err := b.exec(ctx, "CREATE TABLE "+out.from+" (version, pkgarch, checksum, value); "+
		"INSERT INTO "+out.from+" "+strings.Join(parts, " UNION "))
	out.rows = rows
	if err != nil {
		return nil, fileError(p, "reading", err)
	}
	return out, nil
}
