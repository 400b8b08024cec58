package place

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
)

// TestPackedRoundTrip writes compressed texts, merges into them, and reads them.
func TestPackedRoundTrip(t *testing.T) {
	rows := []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "4"}, {"w", "p", "a", "0"}}
	src, more := newDB(t, generation1, rows...), newDB(t, generation1, Row{"w", "p", "a", "9"}, Row{"x", "p", "a", "1"})
	for ending, kind := range Endings {
		if kind == Database || kind == History {
			continue
		}
		dst, err := Parse(filepath.Join(t.TempDir(), "a"+ending), "")
		if err != nil {
			t.Fatal(err)
		}
		o := CopyOptions{All: kind == Inc}
		if c, err := (&Work{}).Copy(t.Context(), src, dst, o); err != nil || c.New != 3 {
			t.Errorf("%s: %+v, %v", ending, c, err)
		}
		wantRows(t, ending, listed(t, dst, ListOptions{}), rows)
		packed := prservtest.ReadFile(t, dst.Name)
		if isText := strings.Contains(packed, "PR"); isText != (strings.Count(ending, ".") == 1) {
			t.Errorf("%s: %.60q", ending, packed)
		}
		if c, err := (&Work{}).Copy(t.Context(), more, dst, o); err != nil || c != (Copied{New: 1, Raised: 1}) {
			t.Errorf("%s: merging: %+v, %v", ending, c, err)
		}
		wantRows(t, ending, listed(t, dst, ListOptions{}), []Row{rows[0], rows[1], {"w", "p", "a", "9"}, {"x", "p", "a", "1"}})
		prservtest.WantFolder(t, ending, filepath.Dir(dst.Name), "a"+ending)
	}
}

// packed compresses a text.
func packed(t *testing.T, ending, text string) string {
	t.Helper()
	var out bytes.Buffer
	to, err := (Place{SQL, "a" + ending}).packing().pack(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPackedWrong reads compressed files of which something is missing, damaged
// or not what it seems to be, and merges into them.
func TestPackedWrong(t *testing.T) {
	text := begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nCOMMIT;\n"
	row := newDB(t, generation1, Row{"v", "p", "a", "1"})
	for _, p := range packings {
		whole := packed(t, p.ending, text)
		file := Place{SQL, filepath.Join(t.TempDir(), "a.sql"+p.ending)}
		refuses := func(about, content, want string) {
			t.Helper()
			prservtest.WriteFile(t, file.Name, content)
			err := (&Work{}).List(t.Context(), file, ListOptions{}, func(Row) error { return nil })
			prservtest.WantOneLine(t, about, err, file.Name, want)
			if content != "" { // an empty file is one to be filled
				_, err = (&Work{}).Copy(t.Context(), row, file, CopyOptions{})
				prservtest.WantOneLine(t, about, err, file.Name, want)
				if prservtest.ReadFile(t, file.Name) != content {
					t.Errorf("%s: the file has changed", about)
				}
			}
		}
		for n := 0; n < len(whole); n += 9 {
			refuses(fmt.Sprintf("%s cut at %d", p.ending, n), whole[:n], "")
		}
		refuses(p.ending+" cut", whole[:len(whole)-1], "the compressed file is cut short")
		refuses(p.ending+" damaged", whole[:len(whole)-6]+"\x00\x01\x02\x03"+whole[len(whole)-2:], "")
		refuses(p.ending+" of plain text", text, "it is not compressed as its name says")
		// Compressed texts one behind the other are one; each is packed only once here.
		spaces := strings.Repeat(packed(t, p.ending, strings.Repeat(" ", 4<<20)), 16)
		refuses(p.ending+" bomb", packed(t, p.ending, begin)+spaces+packed(t, p.ending, make1), "more than 200 times longer than the file")
		// Much that is no bomb: rows that are all alike.
		rows := strings.Repeat(packed(t, p.ending, strings.Repeat("INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\n", 20_000)), 10)
		prservtest.WriteFile(t, file.Name, packed(t, p.ending, begin+make1)+rows+packed(t, p.ending, "COMMIT;\n"))
		if err := (&Work{}).List(t.Context(), file, ListOptions{}, func(Row) error { return nil }); err != nil {
			t.Errorf("%s: 10 MB of equal rows: %v", p.ending, err)
		}
		if err := os.Remove(file.Name); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Parse("a.sqlite3.gz", "")
	prservtest.WantOneLine(t, "a database", err, "a.sqlite3.gz is a compressed database; unpack it first")
}
