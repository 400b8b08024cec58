package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prserver/tools/internal/pyserver"
)

// reference is the bitbake-prserv of BitBake, and the Python that runs it.
type reference struct {
	pyserver.Program
	python string
}

// eachReference runs a test with the reference of each dialect that the
// environment names.
func eachReference(t *testing.T, test func(t *testing.T, r reference)) {
	for _, i := range interpreters {
		t.Run(i.dialect, func(t *testing.T) {
			variable := "PRSERV_BITBAKE_" + strings.ToUpper(i.dialect)
			bitbake := os.Getenv(variable)
			if bitbake == "" || os.Getenv(i.variable) == "" {
				t.Skipf("%s and %s do not name a BitBake and its Python", variable, i.variable)
			}
			python, err := i.find()
			if err != nil {
				t.Fatal(err)
			}
			test(t, reference{pyserver.Python(python, bitbake), python})
		})
	}
}

// start starts the reference on a file. It returns its address and a function
// that stops it.
func (r reference) start(t *testing.T, file string) (addr string, stop func(*testing.T)) {
	t.Helper()
	server, err := r.Start(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	stop = func(t *testing.T) {
		t.Helper()
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { stop(t) })
	return server.Addr, stop
}

// TestReferenceFiles hands a file back and forth between the reference and
// our server.
func TestReferenceFiles(t *testing.T) {
	eachReference(t, func(t *testing.T, r reference) {
		file := filepath.Join(t.TempDir(), "prserv.sqlite3")
		addr, stop := r.start(t, file)
		get(t, addr, "v/all/a", 0)
		get(t, addr, "v/all/b", 1)
		get(t, addr, "v/all/a", 2)
		stop(t)

		p := startProgram(t, file)
		get(t, p.addr, "v/all/a", 2)
		get(t, p.addr, "v/all/b", 3)
		get(t, p.addr, "w/all/a", 0)
		dump, err := readDump(ask(p.addr).DumpDB(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		p.stop(t)

		addr, stop = r.start(t, file)
		if got, err := readDump(ask(addr).DumpDB(t.Context())); err != nil || got != dump {
			t.Errorf("the reference dumps otherwise: %v\n got  %q\n want %q", err, got, dump)
		}
		get(t, addr, "v/all/b", 3)
		get(t, addr, "w/all/a", 0)
		get(t, addr, "v/all/c", 4)
		stop(t)

		p = startProgram(t, file)
		get(t, p.addr, "v/all/c", 4)
		get(t, p.addr, "v/all/d", 5)
	})
}
