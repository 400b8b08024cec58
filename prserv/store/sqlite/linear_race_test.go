package sqlite_test

import (
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// answer is what a call was answered.
type answer struct {
	value int64
	err   error
}

// TestExportedIsRemembered stops a commit where others see it in the file
// already: from then on the old greatest value is none any more.
func TestExportedIsRemembered(t *testing.T) {
	s := openStore(t, prservtest.NewFile(t))
	d := direct{s}
	getPR(t, s, "v", "all", "a", int64(0))
	reached, open, err := s.HoldCommits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer open()
	b, a := make(chan answer, 1), make(chan answer, 1)
	get := func(checksum string, to chan<- answer) {
		v, err := d.GetPR(t.Context(), "v", "all", checksum)
		to <- answer{v, err}
	}
	go get("b", b)
	prservtest.WaitFor(t, "the commit", func() bool { return len(reached) > 0 })
	exported, err := d.Export(t.Context(), store.Filter{}, false)
	if err != nil || len(exported.Rows) != 1 || exported.Rows[0].Checksum != "b" {
		t.Fatalf("exported %v, %v; want b", exported, err)
	}
	before := s.Writers()
	go get("a", a)
	prservtest.WaitFor(t, "the call to be answered, or to wait for the writer", func() bool {
		return len(a) > 0 || s.Writers() > before
	})
	open()
	if got := <-b; got.err != nil || got.value != 1 {
		t.Errorf("b: got %d, %v; want 1", got.value, got.err)
	}
	if got := <-a; got.err != nil || got.value != 2 {
		t.Errorf("a, after 1 has been exported for b: got %d, %v; want 2", got.value, got.err)
	}
}

// TestImportsBesideGetPR lets imports happen while a getPR is between what is
// remembered and the file. At no time is the value that a then has the
// greatest, so it must not be the answer.
func TestImportsBesideGetPR(t *testing.T) {
	file := prservtest.NewFile(t)
	s := openStore(t, file)
	d := direct{s}
	imports := func(checksum string, value int64) {
		t.Helper()
		if v, err := d.ImportOne(t.Context(), "v", "all", checksum, value); err != nil || v != value {
			t.Fatalf("importone of %d for %s: got %d, %v", value, checksum, v, err)
		}
	}
	getPR(t, s, "v", "all", "a", int64(0))
	imports("a", 3)
	imports("b", 5)
	// Nothing may be remembered, or the file would not be looked at.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, file)
	d = direct{s}
	reached, open := s.HoldReads()
	defer open()
	got := make(chan answer, 1)
	go func() {
		v, err := d.GetPR(t.Context(), "v", "all", "a")
		got <- answer{v, err}
	}()
	prservtest.WaitFor(t, "the call to be answered, or to look into the file", func() bool { return len(got) > 0 || len(reached) > 0 })
	if len(got) > 0 {
		// What is remembered was enough to know that a needs a new value.
		if a := <-got; a.err != nil || a.value != 6 {
			t.Errorf("before the imports: got %d, %v; want 6", a.value, a.err)
		}
		return
	}
	imports("c", 7)
	imports("a", 5)
	open()
	if a := <-got; a.err != nil || a.value != 8 {
		t.Errorf("got %d, %v; want 8", a.value, a.err)
	}
}
