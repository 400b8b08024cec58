package place

import (
	"path/filepath"
	"testing"

	"prserver/prserv/store"
)

// TestSchemas holds the tables of files that we make against those that
// BitBake makes: SQLite stores the statement as it is, with its white space.
func TestSchemas(t *testing.T) {
	for _, test := range []struct {
		generation int
		from, want string // the release, and what it leaves in sqlite_master
	}{
		{store.Generation1, "1.46", "CREATE TABLE PRMAIN_nohist                     (version TEXT NOT NULL,                     " +
			"pkgarch TEXT NOT NULL,                      checksum TEXT NOT NULL,                     value INTEGER,                     " +
			"PRIMARY KEY (version, pkgarch, checksum))"},
		{store.Generation3, "2.10", "CREATE TABLE PRMAIN                         (version TEXT NOT NULL,                         " +
			"pkgarch TEXT NOT NULL,                          checksum TEXT NOT NULL,                         value TEXT,                         " +
			"PRIMARY KEY (version, pkgarch, checksum, value))"},
	} {
		made := Place{Database, filepath.Join(t.TempDir(), "made.db")}
		merged := newDB(t, generation1, Row{"v", "p", "d", "7"})
		for about, dst := range map[string]Place{"made": made, "merged": merged} {
			src := textPlace(t, "a.inc", "PRAUTO$v$p$c = \"3\"\n")
			if _, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{Generation: test.generation}); err != nil {
				t.Fatal(err)
			}
			var got string
			of := generationBy(test.generation)
			if err := openDB(t, dst.Name).QueryRow("SELECT sql FROM sqlite_master WHERE name = ?", of.table).Scan(&got); err != nil || got != test.want {
				t.Errorf("%s of generation %d: %q, %v; want %q as of BitBake %s", about, test.generation, got, err, test.want, test.from)
			}
		}
	}
}
