// Package storetest has the tests that every store has to pass, whatever it keeps
// its values in.
//
// Start with [Run].
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"prserver/prserv/store"
)

// Database is the database of a test, which is empty at first. A store that it
// opens is closed at the latest when the test ends.
type Database struct {
	Open     func(t testing.TB) store.Store // to read and write
	ReadOnly func(t testing.TB) store.Store // there must be tables
}

// Run runs the tests. Each gets a database of its own.
func Run(t *testing.T, newDatabase func(t testing.TB) Database) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, db Database)
	}{
		{"GetPR", testGetPR},
		{"GetPRAfterImport", testGetPRAfterImport},
		{"ImportOneNeverLowers", testImportOneNeverLowers},
		{"Find", testFind},
		{"Export", testExport},
		{"ExportRevisions", testExportRevisions},
		{"Columns", testColumns},
		{"Generations", testGenerations},
		{"SubRevisions", testSubRevisions},
		{"Limits", testLimits},
		{"Texts", testTexts},
		{"OddTexts", testOddTexts},
		{"Randomly", testRandomly},
		{"Concurrently", testConcurrently},
		{"GenerationsConcurrently", testGenerationsConcurrently},
		{"ReadOnly", testReadOnly},
		{"Peek", testPeek},
		{"Versions", testVersions},
		{"Observer", testObserver},
		{"Cancelled", testCancelled},
		{"Closed", testClosed},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newDatabase(t)) })
	}
}

// The modes of clients.
var (
	old     = store.Mode{}
	newer   = store.Mode{Revisions: true}
	history = store.Mode{Revisions: true, History: true}
)

// key makes a key of its parts.
func key(version, pkgarch, checksum string) store.Key {
	return store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}
}

// rev reads a revision; an empty text is none.
func rev(text string) store.Revision {
	r, _ := store.ParseRevision(text)
	return r
}

// above is a mode with an upstream server that has these values.
func above(m store.Mode, greatest, value string) store.Mode {
	m.Upstream = &store.Published{Greatest: rev(greatest), Value: rev(value)}
	return m
}

// wantPR asks for a value of version v and pkgarch all, and wants this one, as text.
func wantPR(t *testing.T, s store.Store, m store.Mode, checksum, want string) {
	t.Helper()
	wantPROf(t, s, m, key("v", "all", checksum), want)
}

func wantPROf(t *testing.T, s store.Store, m store.Mode, k store.Key, want string) {
	t.Helper()
	got, err := s.GetPR(t.Context(), k, m)
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%+v asks for %v: got %v, %v; want %s", m, k, got, err, want)
	}
	if _, isRevision := got.(store.Revision); err == nil && isRevision != m.Revisions {
		t.Errorf("%+v asks for %v: got a %T", m, k, got)
	}
}

// wantImport imports a value and wants this one to be stored then.
func wantImport(t *testing.T, s store.Store, k store.Key, v, want store.Value) {
	t.Helper()
	if got, err := s.ImportOne(t.Context(), k, v); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("importing %v for %v: got %v (%T), %v; want %v", v, k, got, got, err, want)
	}
}

// exported returns the rows of an export as lines of text.
func exported(t *testing.T, s store.Store, f store.Filter) string {
	t.Helper()
	var lines []string
	err := s.Export(t.Context(), f, func(r store.Row) error {
		line := fmt.Sprintf("%v %v %v %v", r.Version, r.Pkgarch, r.Checksum, r.Value)
		if _, isText := r.Value.(string); isText != f.Revisions {
			line += fmt.Sprintf(" (%T)", r.Value)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "; ")
}

// wantDump wants the dump to have these rows, each as what stands between the
// parentheses, and the name of the table before the first of its rows.
func wantDump(t *testing.T, s store.Store, want ...string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("BEGIN TRANSACTION;\n")
	table := ""
	for _, row := range want {
		switch row {
		case store.MainTable:
			table = row
			b.WriteString(store.Stored(store.MainSchema) + "\n")
		case store.NohistTable:
			table = row
			b.WriteString(store.Stored(store.NohistSchema) + "\n")
		default:
			b.WriteString(store.InsertInto(table) + row + ");\n")
		}
	}
	b.WriteString("COMMIT;\n")
	if text := dumped(t, s); text != b.String() {
		t.Errorf("the dump is\n%s\nwant\n%s", text, b.String())
	}
}

// dumped returns the dump of a store.
func dumped(t *testing.T, s store.Store) string {
	t.Helper()
	var text strings.Builder
	if err := s.Dump(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// wantReason wants an error of the database with a reason.
func wantReason(t *testing.T, about string, err, reason error) {
	t.Helper()
	var database *store.Error
	if !errors.As(err, &database) || !errors.Is(err, reason) {
		t.Errorf("%s: got %v, want the error %q of the database", about, err, reason)
	}
}

// testCancelled calls with a context that has ended.
func testCancelled(t *testing.T, db Database) {
	s := db.Open(t)
	wantPR(t, s, old, "a", "0")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.GetPR(ended, key("v", "all", "b"), old); !errors.Is(err, context.Canceled) {
		t.Errorf("a new value: %v", err)
	}
	if _, err := s.ImportOne(ended, key("v", "all", "b"), int64(7)); !errors.Is(err, context.Canceled) {
		t.Errorf("an import: %v", err)
	}
	if err := s.Export(ended, store.Filter{}, func(store.Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("an export: %v", err)
	}
	wantPR(t, s, old, "c", "1")
}

// testClosed calls a store that is closed.
func testClosed(t *testing.T, db Database) {
	s := db.Open(t)
	wantPR(t, s, old, "a", "0")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for name, call := range map[string]func() error{
		"a known value": func() error { _, err := s.GetPR(t.Context(), key("v", "all", "a"), old); return err },
		"a new value":   func() error { _, err := s.GetPR(t.Context(), key("v", "all", "b"), old); return err },
		"an import":     func() error { _, err := s.ImportOne(t.Context(), key("v", "all", "b"), int64(7)); return err },
		"a look":        func() error { _, err := s.Find(t.Context(), key("v", "all", "a"), old); return err },
		"an export":     func() error { return s.Export(t.Context(), store.Filter{}, func(store.Row) error { return nil }) },
		"a dump":        func() error { return s.Dump(t.Context(), &strings.Builder{}) },
	} {
		if err := call(); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: got %v, want %v", name, err, store.ErrClosed)
		}
	}
	s = db.Open(t)
	wantPR(t, s, old, "a", "0")
	wantPR(t, s, old, "b", "1")
}
